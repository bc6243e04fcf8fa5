// The denoising loss: a mean over samples of the mean over what a mask shows, each sample by its weight.

#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/loss/denoising.hpp>

namespace {
using persona::Batch;
using persona::Tensor;
Tensor random(at::IntArrayRef shape, std::int64_t key) {
  return at::randn(shape, persona::Random(4).at(persona::Stream::data, key), at::TensorOptions().dtype(at::kDouble));
}
double loss(const Tensor& prediction, const Tensor& target, const Batch& batch) {
  return persona::denoising_loss(prediction, target, batch).item<double>();
}
}  // namespace

TEST_CASE("without weights and mask: the mean squared error") {
  const auto prediction = at::tensor({1.0, 2.0, 3.0, 4.0}).view({2, 1, 1, 2}),
             target = at::tensor({0.0, 2.0, 1.0, 1.0}).view({2, 1, 1, 2});
  CHECK(loss(prediction, target, {}) == Approx((1.0 + 0 + 4 + 9) / 4));
}

TEST_CASE("weights scale whole samples, and the mean is over the samples") {
  const auto prediction = at::tensor({1.0, 2.0, 3.0, 4.0}).view({2, 1, 1, 2}),
             target = at::tensor({0.0, 2.0, 1.0, 1.0}).view({2, 1, 1, 2});
  CHECK(loss(prediction, target, {.weights = at::tensor({2.0, 0.5})}) == Approx((2.0 * 0.5 + 0.5 * 6.5) / 2));
  const auto x = random({3, 4, 5, 5}, 0), y = random({3, 4, 5, 5}, 1);
  CHECK(loss(x, y, {.weights = at::ones({3})}) == Approx(loss(x, y, {})).epsilon(1e-10));
}

TEST_CASE("a mask's mean is over what it shows, in every channel") {
  const auto prediction = at::tensor({1.0, 5.0, 2.0, 7.0}).view({1, 2, 1, 2}),
             target = at::zeros({1, 2, 1, 2}, at::kDouble);
  const auto mask = at::tensor({1.0, 0.0}).view({1, 1, 1, 2});
  CHECK(loss(prediction, target, {.mask = mask}) == Approx((1.0 + 4.0) / 2));
  CHECK(loss(prediction, target, {.weights = at::tensor({3.0}), .mask = mask}) == Approx(3 * (1.0 + 4.0) / 2));
  const auto half = at::tensor({1.0, 0.5}).view({1, 1, 1, 2});
  CHECK(loss(prediction, target, {.mask = half}) == Approx((1.0 + 12.5 + 4.0 + 24.5) / 3));
  const auto x = random({3, 4, 5, 5}, 0), y = random({3, 4, 5, 5}, 1);
  CHECK(loss(x, y, {.mask = at::ones({3, 1, 5, 5}, at::kDouble)}) == Approx(loss(x, y, {})).epsilon(1e-10));
}

TEST_CASE("a sample that a mask hides wholly counts 0, not NaN") {
  const auto x = random({2, 3, 4, 4}, 0), y = random({2, 3, 4, 4}, 1);
  auto mask = at::ones({2, 1, 4, 4}, at::kDouble);
  mask[1].zero_();
  CHECK(loss(x, y, {.mask = mask}) == Approx(loss(x.slice(0, 0, 1), y.slice(0, 0, 1), {}) / 2).epsilon(1e-10));
}

TEST_CASE("the gradient agrees with finite differences, with weights and mask") {
  auto prediction = random({2, 2, 3, 3}, 0);
  prediction.set_requires_grad(true);
  const auto target = random({2, 2, 3, 3}, 1);
  const Batch batch{.weights = at::tensor({2.0, 0.25}), .mask = (random({2, 1, 3, 3}, 2) > 0).to(at::kDouble)};
  persona::denoising_loss(prediction, target, batch).backward();
  const at::NoGradGuard no_grad;
  const double h = 1e-6;
  for (std::int64_t i = 0; i < prediction.numel(); i += 5) {
    auto moved = prediction.detach().clone();
    moved.view({-1})[i] += h;
    const double up = loss(moved, target, batch);
    moved.view({-1})[i] -= 2 * h;
    CHECK(prediction.grad().view({-1})[i].item<double>() ==
          Approx((up - loss(moved, target, batch)) / (2 * h)).margin(1e-8));
  }
}
