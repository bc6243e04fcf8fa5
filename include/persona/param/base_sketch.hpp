#pragma once

#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace persona {

/// A few numbers that tell a base weight from another's: sixteen random sums of all its entries (fewer of fewer rows).
/// Shifts of one model mean nothing to another, and do not show it.
struct BaseSketch {
  /// Of a weight [m, ...], on the CPU in fp32: R (W x) of its matrix W [m, n], x and R [16, m] noise that is always the
  /// same.
  static Tensor of(const Tensor& base) {
    const at::NoGradGuard no_grad;
    const auto matrix = base.detach().reshape({base.size(0), -1});
    const auto m = matrix.size(0), n = matrix.size(1), k = std::min<std::int64_t>(m, 16);
    const auto noise = [](at::IntArrayRef shape, std::int64_t stream) {
      return at::randn(shape, Random(0).at(Stream::initialization, stream), at::TensorOptions().dtype(at::kFloat));
    };
    const auto product = matrix.to(at::kFloat).mv(noise({n}, 0).to(matrix.device()));
    return noise({k, m}, 1).mv(product.to(at::kCPU));
  }
  /// Whether two sketches are of one base, be it rounded to another dtype.
  static bool same(const Tensor& a, const Tensor& b) {
    // Rounding to bf16 moves a sketch by 0.1 % of its length.
    return a.sizes() == b.sizes() && ((a - b).norm() <= 0.005 * b.norm()).item<bool>();
  }
  /// Throws Error, naming the weight, where `learned_on` is the sketch of another base; an undefined one is of any. A
  /// base that was let go of is not looked at: nothing reads it.
  static void expect(const Tensor& learned_on, const Tensor& base, const std::string& name) {
    if (!learned_on.defined()) return;
    const auto own = of(base);
    if (at::isfinite(own).all().item<bool>() && !same(learned_on, own))
      throw Error(name, "the shifts were learned on another base model", "load the model that they were learned on");
  }
};

}  // namespace persona
