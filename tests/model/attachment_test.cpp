// Attachments: changes hang on a weight while they live, in each of the three kinds of slot, and come off again.

#include "support/catch.hpp"

#include <persona/model/attachment.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace {

using persona::Attachment;
using persona::Leaf;
using persona::Tensor;
using persona::Weight;
using persona::WeightRef;
using persona::WeightSlot;

struct Scale : persona::Replacement {
  Leaf factor = persona::make_leaf("factor", at::full({}, 2.0));
  std::vector<Leaf> leaves() const override { return {factor}; }
  std::shared_ptr<const persona::Adapter> snapshot() const override { return std::make_shared<Scale>(*this); }
  Tensor value(const Tensor& base) const override { return factor.value * base; }
};
struct Add : persona::Delta {
  Leaf amount = persona::make_leaf("amount", at::full({}, 1.0));
  std::vector<Leaf> leaves() const override { return {amount}; }
  std::shared_ptr<const persona::Adapter> snapshot() const override { return std::make_shared<Add>(*this); }
  Tensor value(const Tensor& base) const override { return amount.value.expand(base.sizes()); }
};

Tensor base() { return at::arange(6, at::TensorOptions().dtype(at::kFloat)).view({2, 3}); }
WeightRef ref(const Tensor& tensor, WeightSlot slot) {
  return {.name = "mid.weight", .host = "unet", .base = tensor, .slot = std::move(slot)};
}
void set(const Leaf& leaf, double value) {
  const at::NoGradGuard no_grad;
  auto tensor = leaf.value;
  tensor.fill_(value);
}

}  // namespace

TEST_CASE("a Weight slot: the adapters hang on the weight, and come off") {
  Weight weight{.base = base()};
  const auto scale = std::make_shared<Scale>();
  const auto add = std::make_shared<Add>();
  {
    Attachment attachment(ref(weight.base, &weight));
    attachment.add(add);
    attachment.add(scale);
    CHECK(weight.replacement == scale);
    CHECK(at::equal(weight.value(), 2 * base() + 1));
    set(scale->factor, 5);
    CHECK(at::equal(weight.value(), 5 * base() + 1));  // no refresh: the weight reads the leaves
  }
  CHECK(!weight.adapted());
  CHECK(at::equal(weight.base, base()));
}

TEST_CASE("what others hang on the same weight stays") {
  Weight weight{.base = base()};
  const auto theirs = std::make_shared<Add>();
  weight.deltas = {theirs};
  {
    Attachment attachment(ref(weight.base, &weight));
    attachment.add(std::make_shared<Add>());
    attachment.add(std::make_shared<Scale>());
    CHECK(weight.deltas.size() == 2);
  }
  CHECK(!weight.replacement);
  REQUIRE(weight.deltas.size() == 1);
  CHECK(weight.deltas.front() == theirs);
}

TEST_CASE("a second Replacement is refused, also one that another attachment put there, and the first stays") {
  Weight weight{.base = base()};
  Attachment first(ref(weight.base, &weight));
  const auto kept = std::make_shared<Scale>();
  first.add(kept);
  const auto sentence = Catch::Contains("unet.mid.weight: two components replace this weight");
  CHECK_THROWS_WITH(first.add(std::make_shared<Scale>()), sentence);
  {
    Attachment second(ref(weight.base, &weight));
    CHECK_THROWS_WITH(second.add(std::make_shared<Scale>()), sentence);
  }
  CHECK(weight.replacement == kept);
}

TEST_CASE("a Tensor slot: refresh gives the leaves' value, the end gives the base back") {
  Tensor slot = base();
  const auto untouched = slot;
  const auto scale = std::make_shared<Scale>();
  {
    Attachment attachment(ref(slot, &slot));
    attachment.add(scale);
    attachment.add(std::make_shared<Add>());
    CHECK(at::equal(slot, base()));  // until it is refreshed
    attachment.refresh();
    CHECK(at::equal(slot, 2 * base() + 1));
    set(scale->factor, -1);
    CHECK(at::equal(slot, 2 * base() + 1));
    attachment.refresh();
    CHECK(at::equal(slot, 1 - base()));
    slot.sum().backward();  // the module's gradient reaches the leaf through the slot
    CHECK(scale->factor.value.grad().item<double>() == 15.0);
  }
  CHECK(slot.data_ptr() == untouched.data_ptr());
  CHECK(at::equal(slot, base()));
  CHECK(!slot.requires_grad());
}

TEST_CASE("a setter is told every value, and the base at the end") {
  std::vector<Tensor> told;
  const auto tensor = base();
  {
    Attachment attachment(ref(tensor, [&](const Tensor& value) { told.push_back(value); }));
    attachment.add(std::make_shared<Scale>());
    attachment.refresh();
  }
  REQUIRE(told.size() == 2);
  CHECK(at::equal(told[0], 2 * base()));
  CHECK(told[1].data_ptr() == tensor.data_ptr());
}

TEST_CASE("an attachment without a change leaves its slot alone") {
  int calls = 0;
  {
    const Attachment attachment(ref(base(), [&](const Tensor&) { ++calls; }));
  }
  CHECK(calls == 0);
}

TEST_CASE("moved, the change hangs on until the last owner goes; assigned over, it comes off") {
  Tensor slot = base(), other = base();
  {
    std::vector<Attachment> kept;
    {
      Attachment attachment(ref(slot, &slot));
      attachment.add(std::make_shared<Scale>());
      attachment.refresh();
      kept.push_back(std::move(attachment));
    }
    CHECK(at::equal(slot, 2 * base()));
    Attachment second(ref(other, &other));
    second.add(std::make_shared<Add>());
    second.refresh();
    kept.front() = std::move(second);
    CHECK(at::equal(slot, base()));
    CHECK(at::equal(other, base() + 1));
  }
  CHECK(at::equal(other, base()));
}
