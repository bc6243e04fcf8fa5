// L2Reg in both forms: values, gradients by finite differences, and torch's pairwise_distance.

#include "support/catch.hpp"

#include <persona/loss/l2.hpp>

#include <cmath>
#include <vector>

namespace {

using persona::L2Form;
using persona::L2Reg;
using persona::Tensor;

double loss_of(const L2Reg& term, const std::vector<Tensor>& rows, const std::vector<Tensor>& start,
               Tensor* result = nullptr) {
  const persona::Batch batch{};
  const Tensor none{};
  const persona::StepView view{.batch = batch,
                               .rows = rows,
                               .initial_rows = start,
                               .leaves = {},
                               .x_t = none,
                               .prediction = none,
                               .target = none,
                               .attention = {},
                               .snr = {}};
  const auto loss = term.loss(view);
  if (result) *result = loss;
  return loss.item<double>();
}

Tensor rows() { return at::tensor({0.1, 0.2, -0.3, 0.5, -0.25, 1.5}).view({2, 3}); }
Tensor start() { return at::tensor({0.0, 0.25, -0.1, 0.75, 0.5, 1.0}).view({2, 3}); }

void check_gradient(const L2Reg& term) {
  auto v = rows();
  v.set_requires_grad(true);
  Tensor loss;
  loss_of(term, {v}, {start()}, &loss);
  REQUIRE(loss.dim() == 0);
  loss.backward();
  const at::NoGradGuard no_grad;
  const double h = 1e-6;
  for (std::int64_t i = 0; i < v.numel(); ++i) {
    auto moved = rows();
    moved.view({-1})[i] += h;
    const double up = loss_of(term, {moved}, {start()});
    moved.view({-1})[i] -= 2 * h;
    CHECK(v.grad().view({-1})[i].item<double>() ==
          Approx((up - loss_of(term, {moved}, {start()})) / (2 * h)).margin(1e-8));
  }
}

}  // namespace

TEST_CASE("squared: the weight times the sum of squared differences") {
  const double sum = 0.01 + 0.0025 + 0.04 + 0.0625 + 0.5625 + 0.25;
  CHECK(loss_of({.weight = 1.0}, {rows()}, {start()}) == Approx(sum).epsilon(1e-12));
  CHECK(loss_of({.weight = 1e-5}, {rows()}, {start()}) == Approx(1e-5 * sum).epsilon(1e-12));
  CHECK(loss_of({.weight = 1.0}, {rows()}, {rows()}) == 0.0);
}

TEST_CASE("mean_of_norms: torch.nn.functional.pairwise_distance(rows, start).mean()") {
  CHECK(loss_of({.weight = 1.0, .form = L2Form::mean_of_norms}, {rows()}, {start()}) ==
        Approx(0.5822709711360925).epsilon(1e-12));
  CHECK(loss_of({.weight = 0.5, .form = L2Form::mean_of_norms}, {rows()}, {start()}) ==
        Approx(0.5822709711360925 / 2).epsilon(1e-12));
}

TEST_CASE("several subjects add up") {
  for (const auto form : {L2Form::squared, L2Form::mean_of_norms}) {
    const L2Reg term{.weight = 2.0, .form = form};
    const auto one = loss_of(term, {rows()}, {start()}),
               other = loss_of(term, {start()}, {at::zeros({2, 3}, at::kDouble)});
    CHECK(loss_of(term, {rows(), start()}, {start(), at::zeros({2, 3}, at::kDouble)}) ==
          Approx(one + other).epsilon(1e-12));
  }
}

TEST_CASE("rows by layer and sample: layers add up, samples are meaned") {
  const auto layers = at::stack({rows(), start()});  // [2 layers, 2, 3]
  const auto samples = at::stack({layers, 3 * layers, layers - 1}, 1);
  for (const auto form : {L2Form::squared, L2Form::mean_of_norms}) {
    double mean = 0;
    for (std::int64_t i = 0; i < 3; ++i)
      mean += loss_of({.weight = 1.0, .form = form}, {samples.select(1, i)}, {start()}) / 3;
    CHECK(loss_of({.weight = 1.0, .form = form}, {samples}, {start()}) == Approx(mean).epsilon(1e-9));
  }
  CHECK_THROWS_WITH(loss_of({.weight = std::nan("")}, {rows()}, {start()}), Catch::Contains("L2Reg: .weight is nan"));
}

TEST_CASE("gradients agree with finite differences") {
  check_gradient({.weight = 0.7});
  check_gradient({.weight = 0.7, .form = L2Form::mean_of_norms});
}

TEST_CASE("where the rows have not moved the gradient is finite in both forms") {
  for (const auto form : {L2Form::squared, L2Form::mean_of_norms}) {
    auto v = start();
    v.set_requires_grad(true);
    Tensor loss;
    loss_of({.weight = 1.0, .form = form}, {v}, {start()}, &loss);
    loss.backward();
    CHECK(at::isfinite(v.grad()).all().item<bool>());
  }
}
