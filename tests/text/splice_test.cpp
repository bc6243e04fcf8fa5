#include "support/catch.hpp"

#include <persona/text/splice.hpp>

#include <cstdint>
#include <functional>
#include <vector>

using persona::PromptTokens;
using persona::Tensor;

namespace {

// Two prompts of 5 ids: the first reads rows 0, 1 and again 0, the second row 1.
std::vector<PromptTokens> prompts() {
  return {{.ids = {0, 7, 7, 7, 1}, .slots = {{1, 0}, {2, 1}, {3, 0}}}, {.ids = {0, 7, 8, 1, 2}, .slots = {{1, 1}}}};
}

Tensor values(at::IntArrayRef shape, double start) {
  std::int64_t count = 1;
  for (const auto size : shape) count *= size;
  return (start + 0.37 * at::arange(count, at::kDouble)).sin().view(shape);
}

// A scalar that no two entries enter alike.
Tensor objective(const Tensor& x) { return (x * x * values(x.sizes(), 0.2)).sum(); }

Tensor finite_difference(const Tensor& at_value, const std::function<Tensor(const Tensor&)>& f) {
  auto gradient = at::zeros_like(at_value);
  const double h = 1e-5;
  for (std::int64_t i = 0; i < at_value.numel(); ++i) {
    auto up = at_value.clone(), down = at_value.clone();
    up.view({-1})[i] += h;
    down.view({-1})[i] -= h;
    gradient.view({-1})[i] = (f(up) - f(down)) / (2 * h);
  }
  return gradient;
}

double distance(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("rows go where the plan says, and nowhere else") {
  const auto base = values({2, 5, 3}, 1), rows = values({2, 3}, 2), before = base.clone();
  const auto plan = persona::make_splice_plan(prompts());
  const auto spliced = persona::splice(base, plan, rows);
  auto expected = base.clone();
  expected[0][1].copy_(rows[0]);
  expected[0][2].copy_(rows[1]);
  expected[0][3].copy_(rows[0]);
  expected[1][1].copy_(rows[1]);
  CHECK(at::equal(spliced, expected));
  CHECK(at::equal(base, before));
  CHECK(spliced.data_ptr() != base.data_ptr());
  CHECK_FALSE(plan.empty());
  CHECK(at::equal(persona::stack_ids(prompts()), at::tensor({0, 7, 7, 7, 1, 0, 7, 8, 1, 2}, at::kLong).view({2, 5})));
}

TEST_CASE("each sample may have rows of its own") {
  const auto base = values({2, 5, 3}, 1), rows = values({2, 2, 3}, 2);
  const auto spliced = persona::splice(base, persona::make_splice_plan(prompts()), rows);
  CHECK(at::equal(spliced[0][3], rows[0][0]));
  CHECK(at::equal(spliced[0][2], rows[0][1]));
  CHECK(at::equal(spliced[1][1], rows[1][1]));
  CHECK(at::equal(spliced[1][2], base[1][2]));
}

TEST_CASE("the gradient of rows and embeddings is that of finite differences") {
  const auto plan = persona::make_splice_plan(prompts());
  for (const bool per_sample : {false, true}) {
    const auto base = values({2, 5, 3}, 1).set_requires_grad(true);
    const auto rows = (per_sample ? values({2, 2, 3}, 2) : values({2, 3}, 2)).set_requires_grad(true);
    objective(persona::splice(base, plan, rows)).backward();
    const auto numeric_rows = finite_difference(
        rows.detach(), [&](const Tensor& x) { return objective(persona::splice(base.detach(), plan, x)); });
    const auto numeric_base = finite_difference(
        base.detach(), [&](const Tensor& x) { return objective(persona::splice(x, plan, rows.detach())); });
    CHECK(distance(rows.grad(), numeric_rows) < 1e-8);
    CHECK(distance(base.grad(), numeric_base) < 1e-8);
    CHECK(rows.grad().abs().max().item<double>() > 0.01);
    CHECK(base.grad()[0][1].abs().max().item<double>() == 0.0);
  }
}

TEST_CASE("fp32 rows meet half-precision embeddings as such, and get fp32 gradients") {
  const auto base = values({2, 5, 3}, 1).to(at::kBFloat16);
  const auto rows = values({2, 3}, 2).to(at::kFloat).set_requires_grad(true);
  const auto spliced = persona::splice(base, persona::make_splice_plan(prompts()), rows);
  CHECK(spliced.scalar_type() == at::kBFloat16);
  CHECK(at::equal(spliced[1][1], rows[1].to(at::kBFloat16)));
  spliced.to(at::kFloat).sum().backward();
  CHECK(rows.grad().scalar_type() == at::kFloat);
  CHECK(at::equal(rows.grad(), at::full({2, 3}, 2.0, at::kFloat)));
}

TEST_CASE("an empty plan returns the embeddings themselves") {
  const auto base = values({2, 5, 3}, 1);
  const std::vector<PromptTokens> plain{{.ids = {0, 1, 2, 2, 2}}, {.ids = {0, 5, 1, 2, 2}}};
  const auto plan = persona::make_splice_plan(plain);
  CHECK(plan.empty());
  CHECK(persona::splice(base, plan, values({2, 3}, 2)).is_same(base));
  CHECK(persona::splice(base, {}, {}).is_same(base));
}

TEST_CASE("shapes that do not belong together are named") {
  const auto plan = persona::make_splice_plan(prompts());
  const auto base = values({2, 5, 3}, 1);
  CHECK_THROWS_WITH(persona::splice(base, plan, values({1, 3}, 2)), Contains("ask for 2 rows, got 1"));
  CHECK_THROWS_WITH(persona::splice(base, plan, values({2, 4}, 2)), Contains("D = 3") && Contains("[2, 4]"));
  CHECK_THROWS_WITH(persona::splice(base, plan, values({3, 2, 3}, 2)), Contains("B = 2"));
  CHECK_THROWS_WITH(persona::splice(base, plan, {}), Contains("undefined"));
  CHECK_THROWS_WITH(persona::splice(values({3, 5, 3}, 1), plan, values({2, 3}, 2)), Contains("another batch"));
  CHECK_THROWS_WITH(persona::splice(values({2, 4, 3}, 1), plan, values({2, 3}, 2)), Contains("L = 5"));
  const std::vector<PromptTokens> uneven{{.ids = {0, 1}}, {.ids = {0, 1, 2}}};
  CHECK_THROWS_AS(persona::stack_ids(uneven), persona::Error);
}
