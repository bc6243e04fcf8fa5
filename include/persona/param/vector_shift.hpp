#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// w' = w + delta of a 1-D weight w [C], delta [C]: SVDiff's shift of the scales of norms, which have no spectrum.
class VectorShift final : public Replacement {
 public:
  static constexpr std::string_view form = "vector_shift";

  explicit VectorShift(Leaf delta) : delta_(std::move(delta)) {}
  static std::shared_ptr<const VectorShift> from(const StoredChange& stored, const WeightRef& ref,
                                                 const std::filesystem::path&) {
    return std::make_shared<VectorShift>(stored_leaf(stored, "delta", ref, ref.base.sizes()));
  }

  std::vector<Leaf> leaves() const override { return {delta_}; }
  std::shared_ptr<const Adapter> snapshot() const override { return std::make_shared<VectorShift>(frozen(delta_)); }
  StoredChange stored() const override { return {std::string(form), {{"delta", stored_values(delta_)}}}; }
  Tensor value(const Tensor& base) const override { return base + as_compute(delta_.value, base); }

 private:
  Leaf delta_;
};

/// w' = relu(|w| + delta) w / |w|, delta [1]: what svdiff-pytorch makes of a 1-D weight, as the only singular value of
/// a 1 x C matrix.
class VectorScale final : public Replacement {
 public:
  static constexpr std::string_view form = "vector_scale";

  explicit VectorScale(Leaf delta) : delta_(std::move(delta)) {}
  static std::shared_ptr<const VectorScale> from(const StoredChange& stored, const WeightRef& ref,
                                                 const std::filesystem::path&) {
    return std::make_shared<VectorScale>(stored_leaf(stored, "delta", ref, {1}));
  }

  std::vector<Leaf> leaves() const override { return {delta_}; }
  std::shared_ptr<const Adapter> snapshot() const override { return std::make_shared<VectorScale>(frozen(delta_)); }
  StoredChange stored() const override { return {std::string(form), {{"delta", stored_values(delta_)}}}; }
  Tensor value(const Tensor& base) const override {
    const auto w = base.to(delta_.value.scalar_type());
    const auto norm = at::linalg_vector_norm(w, 2, {0}, /*keepdim=*/true).clamp_min(1e-30);
    return (at::relu(norm + delta_.value) / norm * w).to(base.scalar_type());
  }

 private:
  Leaf delta_;
};

}  // namespace persona
