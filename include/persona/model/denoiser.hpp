#pragma once

#include <persona/core/tensor.hpp>
#include <persona/model/conditioning.hpp>

#include <concepts>
#include <cstdint>

namespace persona {

namespace detail {
template <class D>
concept PredictsFromStates = requires(const D& denoiser, const Tensor& x) {
  { denoiser.predict(x, x, x) } -> std::convertible_to<Tensor>;
};
template <class D>
concept PredictsFromConditioning = requires(const D& denoiser, const Tensor& x, const Conditioning& conditioning) {
  { denoiser.predict(x, x, conditioning) } -> std::convertible_to<Tensor>;
};
template <class D>
concept HasConditionedLayers = requires(const D& denoiser) {
  { denoiser.num_conditioned_layers() } -> std::convertible_to<std::int64_t>;
};
template <class D>
concept HandsOutAttention =
    requires(const D& denoiser, const Tensor& x, const Conditioning& conditioning, AttentionTap& tap) {
      { denoiser.predict(x, x, conditioning, tap) } -> std::convertible_to<Tensor>;
    };
}  // namespace detail

/// predict(x_t [B, C, H, W], t [B], states [B, L, C']) or predict(x_t, t, Conditioning) -> [B, C, H, W]. Takes fp32,
/// casts to its own dtype inside. What the prediction means (epsilon, v, x0) is the scheduler's business.
template <class D>
concept Denoiser = detail::PredictsFromStates<D> || detail::PredictsFromConditioning<D>;

/// Reads Conditioning::layers, one KeyValue a conditioned layer (XTI, NeTI).
template <class D>
concept LayeredDenoiser = detail::PredictsFromConditioning<D> && detail::HasConditionedLayers<D>;

/// predict(x_t, t, c, AttentionTap&) hands out the cross-attention maps that the tap asks for.
template <class D>
concept AttentionDenoiser = detail::PredictsFromConditioning<D> && detail::HandsOutAttention<D>;

/// The one call that the library makes of a denoiser: x_t [B, C, H, W], t [B] -> [B, C, H, W].
template <Denoiser D>
Tensor predict(const D& denoiser, const Tensor& x_t, const Tensor& t, const Conditioning& conditioning) {
  if constexpr (detail::PredictsFromConditioning<D>) {
    return denoiser.predict(x_t, t, conditioning);
  } else {
    return denoiser.predict(x_t, t, conditioning.states);
  }
}

}  // namespace persona
