#pragma once

#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>

#include <cstdint>
#include <optional>

namespace persona {

/// y = x W^T + b, x [..., in] -> [..., out].
struct Linear {
  Weight weight{};
  std::optional<Weight> bias{};

  Linear() = default;
  Linear(std::int64_t in, std::int64_t out, bool with_bias = true)
      : weight(unfilled_weight(WeightKind::linear, {out, in})) {
    if (with_bias) bias = unfilled_weight(WeightKind::bias, {out});
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
  }
  Tensor operator()(const Tensor& x) const { return weight.linear(x, bias ? bias->value() : Tensor{}); }
};

/// A square convolution, x [B, ci, H, W] -> [B, co, H', W'].
struct Conv2d {
  Weight weight{};
  std::optional<Weight> bias{};
  Conv2dShape shape{};

  Conv2d() = default;
  Conv2d(std::int64_t in, std::int64_t out, std::int64_t kernel, Conv2dShape shape = {})
      : weight(unfilled_weight(WeightKind::conv2d, {out, in, kernel, kernel})),
        bias(unfilled_weight(WeightKind::bias, {out})),
        shape(shape) {}
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
  }
  Tensor operator()(const Tensor& x) const { return weight.conv2d(x, bias ? bias->value() : Tensor{}, shape); }
};

/// Normalizes groups of channels of x [B, C, H, W].
struct GroupNorm {
  Weight weight{}, bias{};
  std::int64_t groups = 32;
  double eps = 1e-5;

  GroupNorm() = default;
  GroupNorm(std::int64_t groups, std::int64_t channels, double eps)
      : weight(unfilled_weight(WeightKind::norm, {channels})),
        bias(unfilled_weight(WeightKind::bias, {channels})),
        groups(groups),
        eps(eps) {}
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
  }
  Tensor operator()(const Tensor& x) const { return at::group_norm(x, groups, weight.value(), bias.value(), eps); }
};

/// Normalizes the last axis of x [..., D].
struct LayerNorm {
  Weight weight{}, bias{};
  double eps = 1e-5;

  LayerNorm() = default;
  explicit LayerNorm(std::int64_t width, double eps = 1e-5)
      : weight(unfilled_weight(WeightKind::norm, {width})),
        bias(unfilled_weight(WeightKind::bias, {width})),
        eps(eps) {}
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
  }
  Tensor operator()(const Tensor& x) const {
    const auto scale = weight.value();
    return at::layer_norm(x, scale.sizes(), scale, bias.value(), eps);
  }
};

}  // namespace persona
