// SumToOne: the weights of every basis, against the sum written out.

#include "support/catch.hpp"

#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/loss/sum_to_one.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/testing.hpp>

namespace {
using persona::operator+;
using persona::SubspaceBasis;
using persona::SumToOne;
}  // namespace

TEST_CASE("the weights of every subject and row are pulled to a sum of one") {
  const auto model = persona::testing::tiny_model();
  const auto subjects = persona::testing::tiny_subjects(2, 2);
  const std::vector<std::string> names{"ada lovelace", "grace hopper", "mary hopper"};
  const auto sum = persona::CrossInit{names} + SubspaceBasis{.size = 3} + SumToOne{100} + persona::AdamW{.lr = 0.02};
  auto run = persona::personalize(model, std::span(subjects), sum, {.steps = 200, .batch = 2});
  double expected = 0;
  int leaves = 0;
  for (const auto& leaf : run.session().bound().leaves)
    expected += 100 * (1 - leaf.value.detach().sum(1)).abs().sum().item<double>(), ++leaves;
  CHECK(leaves == 4);  // CrossInit's rows differ, so that each has its basis
  CHECK(expected > 1);
  const auto begin = run.begin();
  CHECK(std::abs((*begin).terms().front().second - expected) < 1e-4 * expected);
  run.drain();
  double left = 0;
  for (const auto& leaf : run.session().bound().leaves)
    left += 100 * (1 - leaf.value.detach().sum(1)).abs().sum().item<double>();
  CHECK(left < 0.2 * expected);
}

TEST_CASE("without a basis there is nothing to sum") {
  const auto model = persona::testing::tiny_model();
  const auto subject = persona::testing::tiny_subjects().front();
  auto run = persona::personalize(model, subject, persona::TokenInit{} + SumToOne{}, {.steps = 1});
  CHECK_THROWS_WITH(run.drain(), Catch::Contains("SumToOne: nothing of this sum is a weight of a basis"));
  CHECK(SubspaceBasis::is_weights("<a>.weights"));
  CHECK(SubspaceBasis::is_weights("<a>.weights.12"));
  CHECK_FALSE(SubspaceBasis::is_weights("<a>.rows"));
  CHECK_FALSE(SubspaceBasis::is_weights("unet.to_k.weight"));
}
