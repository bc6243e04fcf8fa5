// The factors of diffusers 0.42.1's get_scheduler(name, optimizer, num_warmup_steps, num_training_steps), computed
// once.

#include "support/catch.hpp"

#include <persona/optim/learning_rate.hpp>

#include <cstdint>
#include <vector>

namespace {
template <class S>
void check(const S& schedule, const std::vector<double>& expected) {
  const auto steps = static_cast<std::int64_t>(expected.size());
  for (std::int64_t step = 0; step < steps; ++step) {
    INFO("step " << step);
    CHECK(schedule.factor(step, steps) == Approx(expected[static_cast<std::size_t>(step)]).margin(1e-12));
  }
}
}  // namespace

TEST_CASE("constant_with_warmup") {
  check(persona::ConstantRate{.warmup = 4}, {0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0});
  check(persona::ConstantRate{}, {1.0, 1.0, 1.0, 1.0, 1.0});
}

TEST_CASE("linear") {
  check(persona::LinearRate{.warmup = 4}, {0.0, 0.25, 0.5, 0.75, 1.0, 0.8333333333333334, 0.6666666666666666, 0.5,
                                           0.3333333333333333, 0.16666666666666666});
  check(persona::LinearRate{}, {1.0, 0.8, 0.6, 0.4, 0.2});
}

TEST_CASE("cosine") {
  check(persona::CosineRate{.warmup = 4},
        {0.0, 0.25, 0.5, 0.75, 1.0, 0.9330127018922194, 0.75, 0.5, 0.2500000000000001, 0.06698729810778065});
  check(persona::CosineRate{}, {1.0, 0.9045084971874737, 0.6545084971874737, 0.34549150281252633, 0.09549150281252633});
}

TEST_CASE("past the last step and with a warm-up longer than the run nothing is negative or infinite") {
  CHECK(persona::LinearRate{}.factor(12, 10) == 0.0);
  CHECK(persona::CosineRate{}.factor(12, 10) == Approx(0).margin(1e-12));
  CHECK(persona::LinearRate{.warmup = 20}.factor(9, 10) == Approx(0.45));
  CHECK(persona::LinearRate{.warmup = 10}.factor(10, 10) == 0.0);
  CHECK(persona::CosineRate{.warmup = 10}.factor(10, 10) == Approx(1.0));
}
