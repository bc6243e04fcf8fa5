#pragma once

#include <persona/core/tensor.hpp>
#include <persona/stable_diffusion/layers.hpp>

#include <cstdint>
#include <optional>

namespace persona {

/// Two 3x3 convolutions with group norm and SiLU around a residual; the time embedding is added between them.
struct ResnetBlock2D {
  GroupNorm norm1{}, norm2{};
  Conv2d conv1{}, conv2{};
  std::optional<Linear> time_emb_proj{};
  std::optional<Conv2d> conv_shortcut{};

  ResnetBlock2D() = default;
  /// `time_channels` 0: no time embedding (the autoencoder's blocks).
  ResnetBlock2D(std::int64_t in, std::int64_t out, std::int64_t time_channels, std::int64_t groups, double eps)
      : norm1(groups, in, eps),
        norm2(groups, out, eps),
        conv1(in, out, 3, {.stride = 1, .padding = 1}),
        conv2(out, out, 3, {.stride = 1, .padding = 1}) {
    if (time_channels > 0) time_emb_proj = Linear(time_channels, out);
    if (in != out) conv_shortcut = Conv2d(in, out, 1);
  }

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("norm1", self.norm1);
    f("conv1", self.conv1);
    f("time_emb_proj", self.time_emb_proj);
    f("norm2", self.norm2);
    f("conv2", self.conv2);
    f("conv_shortcut", self.conv_shortcut);
  }

  /// `temb` is the SiLU of the time embedding [B, T], or undefined.
  Tensor operator()(const Tensor& x, const Tensor& temb = {}) const {
    auto h = conv1(at::silu(norm1(x)));
    if (time_emb_proj) h = h + (*time_emb_proj)(temb).unsqueeze(-1).unsqueeze(-1);
    h = conv2(at::silu(norm2(h)));
    return (conv_shortcut ? (*conv_shortcut)(x) : x) + h;
  }
};

/// Nearest-neighbour upsampling to twice the size (or to the size given) and a convolution.
struct Upsample2D {
  Conv2d conv{};
  Upsample2D() = default;
  explicit Upsample2D(std::int64_t channels) : conv(channels, channels, 3, {.stride = 1, .padding = 1}) {}
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("conv", self.conv);
  }
  Tensor operator()(const Tensor& x, std::int64_t height = 0, std::int64_t width = 0) const {
    return conv(at::upsample_nearest2d(x, {height > 0 ? height : 2 * x.size(2), width > 0 ? width : 2 * x.size(3)}));
  }
};

}  // namespace persona
