#pragma once

#include <persona/core/tensor.hpp>
#include <persona/model/conditioning.hpp>
#include <persona/stable_diffusion/layers.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace persona {

namespace detail {
/// softmax(q k^T / sqrt(d)) v on [B, heads, T, d]. In bf16 on the CPU the backward pass of LibTorch's fused kernel is
/// slow: training multiplies matrices there while the probabilities fit in `most` entries, and runs the kernel in fp32
/// beyond.
inline Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, bool causal = false) {
  constexpr std::int64_t most = std::int64_t{1}
                                << 27;  // 256 MiB, kept for the backward pass: SD 1.x at 512x512, one image
  const bool trains = q.requires_grad() || k.requires_grad() || v.requires_grad();
  if (!trains || !q.device().is_cpu() || q.scalar_type() != at::kBFloat16)
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, causal);
  if (!causal && q.size(0) * q.size(1) * q.size(2) * k.size(2) <= most)
    return at::softmax((q / std::sqrt(static_cast<double>(q.size(3)))).matmul(k.transpose(-1, -2)), -1).matmul(v);
  return at::scaled_dot_product_attention(q.to(at::kFloat), k.to(at::kFloat), v.to(at::kFloat), {}, 0.0, causal)
      .to(q.scalar_type());
}
inline Tensor split_heads(const Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}
inline Tensor join_heads(const Tensor& x) { return x.transpose(1, 2).flatten(2); }
}  // namespace detail

/// Walks the cross-attention layers of one prediction, in the order in which they are called.
class CrossAttentionWalk {
 public:
  CrossAttentionWalk(const Conditioning& conditioning, AttentionTap* tap) : conditioning_(conditioning), tap_(tap) {}

  /// What the next layer's K and V read, and its index.
  struct Stop {
    std::int64_t index;
    Tensor keys, values;
  };
  Stop next(at::ScalarType dtype) {
    const auto i = index_++;
    if (conditioning_.layers.empty()) {
      if (!states_.defined()) states_ = conditioning_.states.to(dtype);
      return {i, states_, states_};
    }
    const auto& layer = conditioning_.layers.at(static_cast<std::size_t>(i));
    const auto keys = layer.key_states.to(dtype);
    return {i, keys, layer.value_states.is_same(layer.key_states) ? keys : layer.value_states.to(dtype)};
  }
  AttentionTap* tap_for(const AttentionLayer& layer) const {
    return tap_ && tap_->wants && tap_->wants(layer) ? tap_ : nullptr;
  }

 private:
  const Conditioning& conditioning_;
  AttentionTap* tap_;
  Tensor states_{};
  std::int64_t index_ = 0;
};

/// Multi-head attention of tokens [B, T, C] over keys and values [B, L, C'].
struct Attention {
  Linear to_q{}, to_k{}, to_v{}, to_out{};
  std::int64_t heads = 1;

  Attention() = default;
  Attention(std::int64_t channels, std::int64_t context, std::int64_t heads, bool qkv_bias = false)
      : to_q(channels, channels, qkv_bias),
        to_k(context, channels, qkv_bias),
        to_v(context, channels, qkv_bias),
        to_out(channels, channels),
        heads(heads) {}

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("to_q", self.to_q);
    f("to_k", self.to_k);
    f("to_v", self.to_v);
    f("to_out.0", self.to_out);
  }

  Tensor operator()(const Tensor& x) const {
    return to_out(detail::join_heads(detail::attend(query(x), key(x), value(x))));
  }

  /// Cross attention; where the tap wants this layer, its probabilities [B, heads, T, L] in fp32 are handed out.
  Tensor cross(const Tensor& x, CrossAttentionWalk& walk, std::int64_t height, std::int64_t width) const {
    const auto stop = walk.next(x.scalar_type());
    const auto q = query(x), k = key(stop.keys), v = value(stop.values);
    const AttentionLayer layer{.index = stop.index, .height = height, .width = width};
    auto* tap = walk.tap_for(layer);
    if (!tap) return to_out(detail::join_heads(detail::attend(q, k, v)));
    const auto wide = q.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const auto scores = q.to(wide).matmul(k.to(wide).transpose(-1, -2)) / std::sqrt(static_cast<double>(q.size(-1)));
    const auto probabilities = at::softmax(scores, -1);
    tap->maps.push_back({.layer = layer, .probabilities = probabilities});
    return to_out(detail::join_heads(probabilities.to(x.scalar_type()).matmul(v)));
  }

 private:
  Tensor query(const Tensor& x) const { return detail::split_heads(to_q(x), heads); }
  Tensor key(const Tensor& x) const { return detail::split_heads(to_k(x), heads); }
  Tensor value(const Tensor& x) const { return detail::split_heads(to_v(x), heads); }
};

/// Self-attention, cross-attention and a GEGLU feed-forward, each behind a layer norm and a residual.
struct BasicTransformerBlock {
  LayerNorm norm1{}, norm2{}, norm3{};
  Attention attn1{}, attn2{};
  Linear ff_in{}, ff_out{};

  BasicTransformerBlock() = default;
  BasicTransformerBlock(std::int64_t channels, std::int64_t context, std::int64_t heads)
      : norm1(channels),
        norm2(channels),
        norm3(channels),
        attn1(channels, channels, heads),
        attn2(channels, context, heads),
        ff_in(channels, 8 * channels),
        ff_out(4 * channels, channels) {}

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("norm1", self.norm1);
    f("attn1", self.attn1);
    f("norm2", self.norm2);
    f("attn2", self.attn2);
    f("norm3", self.norm3);
    f("ff.net.0.proj", self.ff_in);
    f("ff.net.2", self.ff_out);
  }

  Tensor operator()(Tensor x, CrossAttentionWalk& walk, std::int64_t height, std::int64_t width) const {
    x = x + attn1(norm1(x));
    x = x + attn2.cross(norm2(x), walk, height, width);
    const auto halves = ff_in(norm3(x)).chunk(2, -1);
    return x + ff_out(halves[0] * at::gelu(halves[1]));
  }
};

/// Transformer blocks over the pixels of x [B, C, H, W], between a projection in and one out (1x1 convolutions in SD 1,
/// linear in SD 2).
struct Transformer2DModel {
  GroupNorm norm{};
  std::optional<Conv2d> conv_in{}, conv_out{};
  std::optional<Linear> linear_in{}, linear_out{};
  std::vector<BasicTransformerBlock> transformer_blocks{};

  Transformer2DModel() = default;
  Transformer2DModel(std::int64_t channels, std::int64_t context, std::int64_t heads, std::int64_t layers,
                     std::int64_t groups, bool linear_projection)
      : norm(groups, channels, 1e-6) {
    if (linear_projection) {
      linear_in = Linear(channels, channels);
      linear_out = Linear(channels, channels);
    } else {
      conv_in = Conv2d(channels, channels, 1);
      conv_out = Conv2d(channels, channels, 1);
    }
    for (std::int64_t i = 0; i < layers; ++i) transformer_blocks.emplace_back(channels, context, heads);
  }

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("norm", self.norm);
    f("proj_in", self.conv_in);
    f("proj_in", self.linear_in);
    f("transformer_blocks", self.transformer_blocks);
    f("proj_out", self.conv_out);
    f("proj_out", self.linear_out);
  }

  Tensor operator()(const Tensor& x, CrossAttentionWalk& walk) const {
    const auto b = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
    auto pixels = norm(x);
    if (conv_in) pixels = (*conv_in)(pixels);
    auto tokens = pixels.permute({0, 2, 3, 1}).reshape({b, h * w, c});
    if (linear_in) tokens = (*linear_in)(tokens);
    for (const auto& block : transformer_blocks) tokens = block(tokens, walk, h, w);
    if (linear_out) tokens = (*linear_out)(tokens);
    auto out = tokens.view({b, h, w, c}).permute({0, 3, 1, 2});
    if (!x.is_contiguous(at::MemoryFormat::ChannelsLast)) out = out.contiguous();
    if (conv_out) out = (*conv_out)(out);
    return out + x;
  }
};

}  // namespace persona
