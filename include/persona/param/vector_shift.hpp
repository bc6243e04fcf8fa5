#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/param/base_sketch.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

namespace detail {
inline StoredChange stored_vector(std::string_view form, const Leaf& delta, const Tensor& base) {
  StoredChange change{std::string(form), {{"delta", stored_values(delta)}}};
  if (base.defined()) change.tensors.emplace("base", base);
  return change;
}
template <class Shift>
std::shared_ptr<const Shift> stored_vector(const StoredChange& stored, const WeightRef& ref, at::IntArrayRef shape) {
  Tensor base;
  if (const auto told = stored.tensors.find("base"); told != stored.tensors.end()) {
    base = told->second;
    BaseSketch::expect(base, ref.base, ref.full_name());
  }
  return std::make_shared<Shift>(stored_leaf(stored, "delta", ref, shape), std::move(base));
}
}  // namespace detail

/// w' = w + delta of a 1-D weight w [C], delta [C]: SVDiff's shift of the scales of norms, which have no spectrum.
class VectorShift final : public Replacement {
 public:
  static constexpr std::string_view form = "vector_shift";

  /// `base`: the sketch of w, or undefined where any base is to be taken.
  explicit VectorShift(Leaf delta, Tensor base = {}) : delta_(std::move(delta)), base_(std::move(base)) {}
  static std::shared_ptr<const VectorShift> from(const StoredChange& stored, const WeightRef& ref,
                                                 const std::filesystem::path&) {
    return detail::stored_vector<VectorShift>(stored, ref, ref.base.sizes());
  }

  std::vector<Leaf> leaves() const override { return {delta_}; }
  std::shared_ptr<const Adapter> snapshot() const override { return with(frozen(delta_)); }
  std::shared_ptr<const VectorShift> with(Leaf delta) const {
    return std::make_shared<VectorShift>(std::move(delta), base_);
  }
  StoredChange stored() const override { return detail::stored_vector(form, delta_, base_); }
  void expect_base(const Tensor& base, const std::string& name) const override {
    BaseSketch::expect(base_, base, name);
  }
  Tensor value(const Tensor& base) const override { return base + as_compute(delta_.value, base); }

 private:
  Leaf delta_;
  Tensor base_;
};

/// w' = relu(|w| + delta) w / |w|, delta [1]: what svdiff-pytorch makes of a 1-D weight, as the only singular value of
/// a 1 x C matrix.
class VectorScale final : public Replacement {
 public:
  static constexpr std::string_view form = "vector_scale";

  /// `base`: the sketch of w, or undefined where any base is to be taken.
  explicit VectorScale(Leaf delta, Tensor base = {}) : delta_(std::move(delta)), base_(std::move(base)) {}
  static std::shared_ptr<const VectorScale> from(const StoredChange& stored, const WeightRef& ref,
                                                 const std::filesystem::path&) {
    return detail::stored_vector<VectorScale>(stored, ref, {1});
  }

  std::vector<Leaf> leaves() const override { return {delta_}; }
  std::shared_ptr<const Adapter> snapshot() const override { return with(frozen(delta_)); }
  std::shared_ptr<const VectorScale> with(Leaf delta) const {
    return std::make_shared<VectorScale>(std::move(delta), base_);
  }
  StoredChange stored() const override { return detail::stored_vector(form, delta_, base_); }
  void expect_base(const Tensor& base, const std::string& name) const override {
    BaseSketch::expect(base_, base, name);
  }
  Tensor value(const Tensor& base) const override {
    const auto w = base.to(delta_.value.scalar_type());
    const auto norm = at::linalg_vector_norm(w, 2, {0}, /*keepdim=*/true).clamp_min(1e-30);
    return (at::relu(norm + delta_.value) / norm * w).to(base.scalar_type());
  }

 private:
  Leaf delta_;
  Tensor base_;
};

}  // namespace persona
