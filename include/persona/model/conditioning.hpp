#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace persona {

/// What the K and the V projection of one cross-attention layer read: [B, L, C] each.
struct KeyValue {
  Tensor key_states{}, value_states{};
};

/// What a denoiser is conditioned on.
struct Conditioning {
  Tensor states{};                 ///< [B, L, C], after the text encoder's final norm
  std::vector<KeyValue> layers{};  ///< one a cross-attention layer, in the denoiser's order; empty: all read `states`
  Tensor pooled{};                 ///< [B, P], for denoisers that want it; may be undefined
};

/// One cross-attention layer of a denoiser, as an attention tap sees it.
struct AttentionLayer {
  std::int64_t index = 0;  ///< in the denoiser's order, as in Conditioning::layers
  std::int64_t height = 0, width = 0;
};

/// Asks a denoiser for cross-attention maps and receives them.
struct AttentionTap {
  std::function<bool(const AttentionLayer&)> wants{};  ///< which layers are to be handed out
  struct Map {
    AttentionLayer layer;
    Tensor probabilities;  ///< [B, heads, H*W, L], rows sum to 1, differentiable
  };
  std::vector<Map> maps{};
};

}  // namespace persona
