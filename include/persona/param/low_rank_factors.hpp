#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// Factors that a change is counted from.
struct LowRankStart {
  Tensor a{}, b{};
};

/// D = scale B A of a weight [m, n] or a kernel [m, ci, kh, kw]: a [r, n] or [r, ci, kh, kw], b [m, r] (LoRA, Hu et al.
/// 2022). With a start, D = scale (B A - B0 A0): what was taken out of the base for the factors is added back (PiSSA).
class LowRankFactors final : public Delta {
 public:
  static constexpr std::string_view form = "low_rank";

  LowRankFactors(Leaf a, Leaf b, double scale, LowRankStart start = {})
      : a_(std::move(a)), b_(std::move(b)), scale_(scale), start_(std::move(start)) {}

  std::vector<Leaf> leaves() const override { return {a_, b_}; }
  bool reads_base() const override { return false; }
  std::shared_ptr<const Adapter> snapshot() const override {
    return std::make_shared<LowRankFactors>(frozen(a_), frozen(b_), scale_, start_);
  }
  StoredChange stored() const override {
    StoredChange change{
        std::string(form),
        {{"lora_A", stored_values(a_)}, {"lora_B", stored_values(b_)}, {"scale", at::full({1}, scale_, at::kDouble)}}};
    if (start_.a.defined()) {
      change.tensors.emplace("start_A", start_.a.detach().to(at::kCPU, at::kFloat));
      change.tensors.emplace("start_B", start_.b.detach().to(at::kCPU, at::kFloat));
    }
    return change;
  }
  static std::shared_ptr<const LowRankFactors> from(const StoredChange& stored, const WeightRef& ref,
                                                    const std::filesystem::path&) {
    const auto found = stored.tensors.find("lora_A");
    const auto rank = found == stored.tensors.end() || found->second.dim() == 0 ? 0 : found->second.size(0);
    auto shape = ref.base.sizes().vec();
    const auto m = shape[0];
    shape[0] = rank;
    const auto scale = stored_leaf(stored, "scale", ref, {1}).value.item<double>();
    LowRankStart start;
    if (stored.tensors.contains("start_A"))
      start = {stored_leaf(stored, "start_A", ref, shape).value.detach(),
               stored_leaf(stored, "start_B", ref, {m, rank}).value.detach()};
    return std::make_shared<LowRankFactors>(stored_leaf(stored, "lora_A", ref, shape),
                                            stored_leaf(stored, "lora_B", ref, {m, rank}), scale, std::move(start));
  }

  double scale() const { return scale_; }
  const Tensor& a() const { return a_.value; }
  const Tensor& b() const { return b_.value; }

  Tensor value(const Tensor& base) const override {
    auto product = b_.value.matmul(a_.value.flatten(1));
    if (start_.a.defined()) product = product - start_.b.matmul(start_.a.flatten(1));
    return (scale_ * product).view(base.sizes());
  }
  Tensor linear(const Tensor& x, const Tensor&) const override {
    return sum([&](const Tensor& a, const Tensor& b) {
      return at::linear(at::linear(x, as_compute(a, x)), as_compute(b, x));
    });
  }
  Tensor add_linear(const Tensor& y, const Tensor& x, const Tensor& base) const override {
    if (start_.a.defined() || x.dim() < 2) return y + linear(x, base);
    const auto narrow = scale_ * at::linear(x, as_compute(a_.value, x)).flatten(0, -2);
    return at::addmm(y.flatten(0, -2), narrow, as_compute(b_.value, x).t()).view(y.sizes());
  }
  Tensor conv2d(const Tensor& x, const Tensor&, Conv2dShape shape) const override {
    return sum([&](const Tensor& a, const Tensor& b) {
      return at::conv2d(at::conv2d(x, as_compute(a, x), {}, shape.stride, shape.padding),
                        as_compute(b, x).view({b.size(0), b.size(1), 1, 1}));
    });
  }

 private:
  template <class Product>
  Tensor sum(Product&& product) const {
    auto y = product(a_.value, scale_ * b_.value);  // the factor is small, the product is not
    if (start_.a.defined()) y = y - product(start_.a, scale_ * start_.b);
    return y;
  }

  Leaf a_, b_;
  double scale_;
  LowRankStart start_;
};

}  // namespace persona
