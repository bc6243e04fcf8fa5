#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/param/base_sketch.hpp>
#include <persona/param/svd_cache.hpp>
#include <persona/param/thin_svd.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// How a spectral shift computes what its layer computes; both plans are the same function.
enum class SpectralPlan {
  automatic,    ///< for every call the one of fewer multiplications, forward and backward
  factored,     ///< y = U (relu(s + delta) * (V^T x)): nothing of a weight's size is built
  materialized  ///< W' is built, then y = W' x
};

inline std::string_view to_string(SpectralPlan plan) {
  switch (plan) {
    case SpectralPlan::automatic: return "automatic";
    case SpectralPlan::factored: return "factored";
    case SpectralPlan::materialized: return "materialized";
  }
  return "";
}

/// W' = U diag(relu(s + delta)) V^T of a base weight W = U diag(s) V^T (SVDiff, Han et al. 2023, Eq. 2); delta [r], r
/// the smaller side. A convolution's kernel [co, ci, kh, kw] is the matrix [co, ci kh kw].
class SpectralFactors final : public Replacement {
 public:
  static constexpr std::string_view form = "spectral_shift";

  /// svd: of the base as a matrix; its u and vt in the dtype that the layer computes in. `residual` [m, n], or
  /// undefined: what rounding left of W - U diag(s) V^T, added back at the cost of one more product. `base`: the sketch
  /// of W, or undefined where any base is to be taken.
  SpectralFactors(Leaf delta, ThinSvd svd, SpectralPlan plan = SpectralPlan::automatic, Tensor residual = {},
                  Tensor base = {})
      : delta_(std::move(delta)),
        svd_(std::move(svd)),
        plan_(plan),
        residual_(std::move(residual)),
        base_(std::move(base)) {}

  std::vector<Leaf> leaves() const override { return {delta_}; }
  bool reads_base() const override { return false; }
  std::shared_ptr<const Adapter> snapshot() const override { return with(frozen(delta_)); }

  /// The factors of a base weight with delta = 0, in the dtype that the layer computes in; decompositions are kept in
  /// `cache`.
  static std::shared_ptr<const SpectralFactors> of(const Tensor& base, Leaf delta, SpectralPlan plan, bool residual,
                                                   const std::filesystem::path& cache) {
    const at::NoGradGuard no_grad;
    const auto matrix = base.detach().flatten(1);
    auto svd = SvdCache(cache).get(matrix);
    svd.u = svd.u.to(base.scalar_type()), svd.vt = svd.vt.to(base.scalar_type());
    Tensor rest;
    if (residual) {
      // Of the factors as the layer has them, so that delta = 0 is the base to the last rounding.
      const auto wide = base.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
      rest = (matrix.to(wide) - (svd.u.to(wide) * svd.s).matmul(svd.vt.to(wide))).to(base.scalar_type());
    }
    return std::make_shared<SpectralFactors>(std::move(delta), std::move(svd), plan, std::move(rest),
                                             BaseSketch::of(base));
  }

  /// delta, and a few numbers that tell which base its singular values are of: shifts of one model mean nothing to
  /// another.
  StoredChange stored() const override {
    StoredChange change{std::string(form), {{"delta", stored_values(delta_)}}};
    if (base_.defined()) change.tensors.emplace("base", base_);
    if (residual_.defined()) change.tensors.emplace("residual", at::ones({1}));  // that there is one
    return change;
  }
  static std::shared_ptr<const SpectralFactors> from(const StoredChange& stored, const WeightRef& ref,
                                                     const std::filesystem::path& cache) {
    const auto r = std::min(ref.base.size(0), ref.base.numel() / ref.base.size(0));
    auto made = of(ref.base, stored_leaf(stored, "delta", ref, {r}), SpectralPlan::automatic,
                   stored.tensors.contains("residual"), cache);
    if (const auto told = stored.tensors.find("base"); told != stored.tensors.end())
      BaseSketch::expect(told->second, ref.base, ref.full_name());
    return made;
  }

  void expect_base(const Tensor& base, const std::string& name) const override {
    BaseSketch::expect(base_, base, name);
  }

  /// The same factors with another shift.
  std::shared_ptr<const SpectralFactors> with(Leaf delta) const {
    return std::make_shared<SpectralFactors>(std::move(delta), svd_, plan_, residual_, base_);
  }
  const ThinSvd& svd() const { return svd_; }
  /// relu(s + delta), [r].
  Tensor spectrum() const { return at::relu(svd_.s + delta_.value); }

  Tensor value(const Tensor& base) const override {
    auto w = rounded_product(svd_.u, spectrum()).matmul(svd_.vt);
    if (residual_.defined()) w = w + residual_;
    return w.view(base.sizes());
  }
  /// The base and the shift's difference, rounded once: without what the factors' rounding differs from the base by.
  Tensor written(const Tensor& base) const override {
    const auto change = difference(base);
    return (base.to(change.scalar_type()) + change).to(base.scalar_type());
  }
  /// U diag(relu(s + delta) - s) V^T in fp32 at least: without what the factors' rounding differs from the base by.
  Tensor difference(const Tensor& base) const override {
    const auto wide = svd_.u.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    return (svd_.u.to(wide) * (spectrum() - svd_.s)).matmul(svd_.vt.to(wide)).view(base.sizes());
  }
  Tensor linear(const Tensor& x, const Tensor& base, const Tensor& bias) const override {
    if (!factored(x.numel() / x.size(-1))) return Replacement::linear(x, base, bias);
    auto y = at::linear(rounded_product(at::linear(x, svd_.vt), spectrum()), svd_.u, bias);
    if (residual_.defined()) y = y + at::linear(x, residual_);
    return y;
  }
  Tensor conv2d(const Tensor& x, const Tensor& base, const Tensor& bias, Conv2dShape shape) const override {
    const auto places = [&](std::int64_t axis) {
      return (x.size(axis) + 2 * shape.padding - base.size(axis)) / shape.stride + 1;
    };
    if (!factored(x.size(0) * places(2) * places(3))) return Replacement::conv2d(x, base, bias, shape);
    const auto kernels = svd_.vt.view({svd_.vt.size(0), base.size(1), base.size(2), base.size(3)});
    auto y = at::conv2d(
        rounded_product(at::conv2d(x, kernels, {}, shape.stride, shape.padding), spectrum().view({-1, 1, 1})),
        svd_.u.view({svd_.u.size(0), svd_.u.size(1), 1, 1}), bias);
    if (residual_.defined()) y = y + at::conv2d(x, residual_.view(base.sizes()), {}, shape.stride, shape.padding);
    return y;
  }

 private:
  // Multiplications for `rows` inputs of n numbers and outputs of m. Factored, forward and backward are each r (m + n)
  // a row, and the gradient in delta is a sum over what is there. Materialized, a row costs m n forward and twice that
  // backward (the input's gradient and the weight's); building W' costs r m n, and U^T G of its gradient as much.
  bool factored(std::int64_t rows) const {
    if (plan_ != SpectralPlan::automatic) return plan_ == SpectralPlan::factored;
    const double m = static_cast<double>(svd_.u.size(0)), n = static_cast<double>(svd_.vt.size(1)), r = std::min(m, n),
                 t = static_cast<double>(rows);
    if (!at::GradMode::is_enabled()) return t * r * (m + n) <= t * m * n + r * m * n;
    return 2 * t * r * (m + n) <= 3 * t * m * n + 2 * r * m * n;
  }

  Leaf delta_;
  ThinSvd svd_;
  SpectralPlan plan_;
  Tensor residual_, base_;
};

}  // namespace persona
