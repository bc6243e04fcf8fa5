#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// A whole difference that is added to a weight, shaped like it: what ".diff" files hold.
class WeightDifference final : public Delta {
 public:
  static constexpr std::string_view form = "difference";

  explicit WeightDifference(Leaf difference) : difference_(std::move(difference)) {}
  static std::shared_ptr<const WeightDifference> from(const StoredChange& stored, const WeightRef& ref,
                                                      const std::filesystem::path&) {
    return std::make_shared<WeightDifference>(stored_leaf(stored, "difference", ref, ref.base.sizes()));
  }

  std::vector<Leaf> leaves() const override { return {difference_}; }
  std::shared_ptr<const Adapter> snapshot() const override {
    return std::make_shared<WeightDifference>(frozen(difference_));
  }
  StoredChange stored() const override { return {std::string(form), {{"difference", stored_values(difference_)}}}; }
  Tensor value(const Tensor&) const override { return difference_.value; }

 private:
  Leaf difference_;
};

}  // namespace persona
