// Weight: y = R(x) + sum_i D_i(x), all on the untouched base; names of what lies below a module.

#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/core/weight.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using persona::Leaf;
using persona::Tensor;
using persona::Weight;
using persona::WeightKind;

struct Scaled : persona::Replacement {
  Leaf factor = persona::make_leaf("factor", at::full({}, 3.0));
  std::vector<Leaf> leaves() const override { return {factor}; }
  std::shared_ptr<const persona::Adapter> snapshot() const override { return std::make_shared<Scaled>(*this); }
  Tensor value(const Tensor& base) const override { return factor.value * base; }
};
struct Shifted : persona::Delta {
  Leaf shift;
  explicit Shifted(double by) : shift(persona::make_leaf("shift", at::full({}, by))) {}
  std::vector<Leaf> leaves() const override { return {shift}; }
  std::shared_ptr<const persona::Adapter> snapshot() const override { return std::make_shared<Shifted>(*this); }
  Tensor value(const Tensor& base) const override { return shift.value.expand(base.sizes()); }
};

Tensor random(at::IntArrayRef shape, std::int64_t step) {
  return at::randn(shape, persona::Random(2).at(persona::Stream::data, step), at::TensorOptions());
}

struct Layer {
  Weight weight, bias;
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
  }
};
struct Module {
  std::vector<Layer> layers{2};
  std::optional<Layer> absent{}, present{Layer{}};
  Weight norm{};
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("layers", self.layers);
    f("absent", self.absent);
    f("present", self.present);
    f("norm.weight", self.norm);
  }
};

}  // namespace

TEST_CASE("an unchanged weight is its base") {
  const Weight weight{.base = random({4, 3}, 0)};
  const auto x = random({5, 3}, 1), bias = random({4}, 2);
  CHECK(!weight.adapted());
  CHECK(at::equal(weight.value(), weight.base));
  CHECK(at::equal(weight.linear(x, bias), at::linear(x, weight.base, bias)));
  CHECK(at::equal(weight.linear(x, {}), at::linear(x, weight.base)));
}

TEST_CASE("a replacement and two deltas add up, and layers agree with the materialized weight") {
  Weight weight{.base = random({4, 3}, 0)};
  weight.replacement = std::make_shared<Scaled>();
  weight.deltas = {std::make_shared<Shifted>(0.5), std::make_shared<Shifted>(-2.0)};
  CHECK(weight.adapted());
  CHECK(at::allclose(weight.value(), 3 * weight.base - 1.5));
  const auto x = random({2, 5, 3}, 1), bias = random({4}, 2);
  CHECK(at::allclose(weight.linear(x, bias), at::linear(x, weight.value(), bias), 1e-5, 1e-5));  // the bias counts once

  Weight kernel{.kind = WeightKind::conv2d,
                .base = random({4, 3, 3, 3}, 3),
                .replacement = weight.replacement,
                .deltas = weight.deltas};
  const auto image = random({1, 3, 6, 6}, 4);
  const auto y = kernel.conv2d(image, bias, {.stride = 2, .padding = 1});
  CHECK(at::allclose(y, at::conv2d(image, kernel.value(), bias, 2, 1), 1e-4, 1e-4));
}

TEST_CASE("gradients reach the leaves and not the base") {
  Weight weight{.base = random({4, 3}, 0)};
  const auto replacement = std::make_shared<Scaled>();
  const auto delta = std::make_shared<Shifted>(0.0);
  weight.replacement = replacement;
  weight.deltas = {delta};
  const auto x = random({5, 3}, 1);
  weight.linear(x, {}).sum().backward();
  CHECK(replacement->factor.value.grad().item<double>() ==
        Approx(at::linear(x, weight.base).sum().item<double>()).epsilon(1e-4));
  CHECK(delta->shift.value.grad().item<double>() == Approx(4 * x.sum().item<double>()).epsilon(1e-4));
  CHECK(!weight.base.grad().defined());
}

TEST_CASE("copies of a weight share the base") {
  const Weight weight{.base = random({4, 3}, 0)};
  const Weight copy = weight;
  CHECK(copy.base.data_ptr() == weight.base.data_ptr());
}

TEST_CASE("weights are named by their path: vectors by index, an empty optional not at all") {
  Module module;
  std::vector<std::string> names;
  persona::for_each_weight(module, [&](const std::string& name, Weight&) { names.push_back(name); });
  CHECK(names == std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
                                          "present.weight", "present.bias", "norm.weight"});
  const Module& constant = module;
  int count = 0;
  persona::for_each_weight(
      constant, [&](const std::string& name, const Weight&) { count += name.starts_with("unet."); }, "unet");
  CHECK(count == 7);
}

TEST_CASE("an unfilled weight knows its shape and holds nothing") {
  const auto weight = persona::unfilled_weight(WeightKind::linear, {1000000, 1000000});
  CHECK(weight.base.is_meta());
  CHECK(weight.base.sizes() == at::IntArrayRef({1000000, 1000000}));
}
