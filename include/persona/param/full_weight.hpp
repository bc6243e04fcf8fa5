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

/// A trained copy of a whole weight: the fp32 master of what the layer computes with.
class FullWeight final : public Replacement {
 public:
  static constexpr std::string_view form = "full_weight";

  /// `skip_first`: no gradient goes through what the layer makes of the first position of x [B, L, D] (Custom
  /// Diffusion, for the start token of the prompt).
  explicit FullWeight(Leaf weight, bool skip_first = false) : weight_(std::move(weight)), skip_first_(skip_first) {}
  static std::shared_ptr<const FullWeight> from(const StoredChange& stored, const WeightRef& ref,
                                                const std::filesystem::path&) {
    return std::make_shared<FullWeight>(stored_leaf(stored, "weight", ref, ref.base.sizes()));
  }

  std::vector<Leaf> leaves() const override { return {weight_}; }
  bool reads_base() const override { return false; }
  std::shared_ptr<const Adapter> snapshot() const override {
    return std::make_shared<FullWeight>(frozen(weight_), skip_first_);
  }
  StoredChange stored() const override { return {std::string(form), {{"weight", stored_values(weight_)}}}; }
  Tensor value(const Tensor& base) const override { return as_compute(weight_.value, base); }
  Tensor linear(const Tensor& x, const Tensor& base, const Tensor& bias) const override {
    const auto y = Replacement::linear(x, base, bias);
    if (!skip_first_ || x.dim() != 3 || !y.requires_grad()) return y;
    return at::cat({y.slice(1, 0, 1).detach(), y.slice(1, 1)}, 1);
  }

 private:
  Leaf weight_;
  bool skip_first_;
};

}  // namespace persona
