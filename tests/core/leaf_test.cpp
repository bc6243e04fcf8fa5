// Leaves: fp32 copies that train; as_compute: cast at the point of use, with the gradient back in fp32.

#include "support/catch.hpp"

#include <persona/core/leaf.hpp>

TEST_CASE("make_leaf copies in fp32, detached, and asks for a gradient") {
  const auto start = at::ones({2, 3}, at::kBFloat16).t();
  const auto leaf = persona::make_leaf("rows", start);
  CHECK(leaf.name == "rows");
  CHECK(leaf.value.scalar_type() == at::kFloat);
  CHECK(leaf.value.is_contiguous());
  CHECK(leaf.value.requires_grad());
  CHECK(leaf.value.is_leaf());
  const auto same_type = at::ones({2});
  const auto other = persona::make_leaf("rows", same_type);
  CHECK(other.value.data_ptr() != same_type.data_ptr());
}

TEST_CASE("frozen: what the leaf is now, whatever becomes of it") {
  auto leaf = persona::make_leaf("rows", at::ones({2}));
  leaf.decay_toward = at::zeros({2});
  const auto kept = persona::frozen(leaf);
  {
    const at::NoGradGuard no_grad;
    leaf.value.fill_(5);
  }
  CHECK(at::equal(kept.value, at::ones({2})));
  CHECK(!kept.value.requires_grad());
  CHECK(kept.name == "rows");
}

TEST_CASE("as_compute follows the activation's dtype, and its gradient is fp32") {
  const auto leaf = persona::make_leaf("rows", at::ones({3}));
  const auto activation = at::full({3}, 2, at::kBFloat16);
  const auto used = persona::as_compute(leaf.value, activation);
  CHECK(used.scalar_type() == at::kBFloat16);
  (used * activation).sum().backward();
  CHECK(leaf.value.grad().scalar_type() == at::kFloat);
  CHECK(at::equal(leaf.value.grad(), at::full({3}, 2.0f)));
}
