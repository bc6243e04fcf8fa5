#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/param/low_rank.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// W' = m (W + D) / |W + D|, row by row, D = scale B A: direction and magnitude m [rows] apart. The norm is a number to
/// the gradient, not a function of the factors, as in peft.
class DecomposedWeight final : public Replacement {
 public:
  static constexpr std::string_view form = "dora";

  DecomposedWeight(Leaf magnitude, std::shared_ptr<const LowRankFactors> factors)
      : magnitude_(std::move(magnitude)), factors_(std::move(factors)) {}

  std::vector<Leaf> leaves() const override {
    auto list = factors_->leaves();
    list.push_back(magnitude_);
    return list;
  }
  std::shared_ptr<const Adapter> snapshot() const override {
    return std::make_shared<DecomposedWeight>(frozen(magnitude_),
                                              std::dynamic_pointer_cast<const LowRankFactors>(factors_->snapshot()));
  }

  StoredChange stored() const override {
    auto change = factors_->stored();
    change.form = form;
    change.tensors.emplace("magnitude", stored_values(magnitude_));
    return change;
  }
  static std::shared_ptr<const DecomposedWeight> from(const StoredChange& stored, const WeightRef& ref,
                                                      const std::filesystem::path& cache) {
    return std::make_shared<DecomposedWeight>(stored_leaf(stored, "magnitude", ref, {ref.base.size(0)}),
                                              LowRankFactors::from(stored, ref, cache));
  }

  /// |W + D| of every row, [rows].
  static Tensor row_norms(const Tensor& base, const LowRankFactors& factors) {
    const at::NoGradGuard no_grad;
    const auto change = factors.value(base);
    return at::linalg_vector_norm((base.to(change.scalar_type()) + change).flatten(1), 2, {1});
  }

  Tensor value(const Tensor& base) const override {
    const auto change = factors_->value(base);
    auto shape = std::vector<std::int64_t>(static_cast<std::size_t>(base.dim()), 1);
    shape[0] = -1;
    return gain(base).view(shape) * (base.to(change.scalar_type()) + change);
  }
  Tensor linear(const Tensor& x, const Tensor& base, const Tensor& bias) const override {
    const auto y = rounded_product(at::linear(x, base) + factors_->linear(x, base), gain(base));
    return bias.defined() ? y + bias : y;
  }
  Tensor conv2d(const Tensor& x, const Tensor& base, const Tensor& bias, Conv2dShape shape) const override {
    const auto y =
        rounded_product(at::conv2d(x, base, {}, shape.stride, shape.padding) + factors_->conv2d(x, base, shape),
                        gain(base).view({-1, 1, 1}));
    return bias.defined() ? y + bias.view({1, -1, 1, 1}) : y;
  }

 private:
  // A row of zeros stays one.
  Tensor gain(const Tensor& base) const { return magnitude_.value / row_norms(base, *factors_).clamp_min(1e-30); }

  Leaf magnitude_;
  std::shared_ptr<const LowRankFactors> factors_;
};

/// DoRA (Liu et al. 2024): a low-rank change of the direction of every weight chosen, and its magnitude.
struct DoRA {
  using plays = Plays<Role::weight_parameterization>;
  LowRank low_rank{};  ///< rank, alpha, weights, lr_scale; its init may not be pissa

  bool selects(const WeightRef& ref) const { return low_rank.selects(ref); }
  std::shared_ptr<DecomposedWeight> bind(const WeightRef& ref, const BindContext& context) const {
    if (low_rank.init == LowRankInit::pissa)
      throw Error("DoRA", ".low_rank.init is pissa, which splits the weight in a way of its own",
                  "take gaussian or uniform");
    const std::shared_ptr<const LowRankFactors> factors = low_rank.bind(ref, context);
    auto magnitude = make_leaf("magnitude", DecomposedWeight::row_norms(ref.base, *factors));
    magnitude.lr_scale = low_rank.lr_scale;
    return std::make_shared<DecomposedWeight>(std::move(magnitude), factors);
  }
  double default_learning_rate() const { return low_rank.default_learning_rate(); }
  std::int64_t default_steps() const { return low_rank.default_steps(); }
  Description describe() const {
    auto description = low_rank.describe();
    description.name = "DoRA";
    return description;
  }
};

}  // namespace persona
