#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <numbers>
#include <string>

namespace persona {

namespace detail {
inline void expect_warmup(std::int64_t warmup) {
  if (warmup < 0) throw Error("learning rate", ".warmup is " + std::to_string(warmup), "0 or more steps");
}
template <class S>
concept HasFactor = requires(const S& schedule, std::int64_t step, std::int64_t steps) {
  { schedule.factor(step, steps) } -> std::convertible_to<double>;
};
}  // namespace detail

/// factor(step, steps) -> what the learning rate is multiplied by at `step` of `steps`, counted from 0.
template <class S>
concept LearningRateSchedule = Component<S> && detail::HasFactor<S>;

/// The same rate throughout: what every method here uses unless told otherwise.
struct ConstantRate {
  using plays = Plays<Role::learning_rate_schedule>;
  std::int64_t warmup = 0;  ///< steps of linear warm-up
  double factor(std::int64_t step, std::int64_t) const {
    detail::expect_warmup(warmup);
    return step < warmup ? static_cast<double>(step) / static_cast<double>(warmup) : 1.0;
  }
  Description describe() const { return {"ConstantRate", {{"warmup", warmup}}}; }
};

/// Linear warm-up, then a straight line to zero at the last step.
struct LinearRate {
  using plays = Plays<Role::learning_rate_schedule>;
  std::int64_t warmup = 0;
  double factor(std::int64_t step, std::int64_t steps) const {
    detail::expect_warmup(warmup);
    if (step < warmup) return static_cast<double>(step) / static_cast<double>(warmup);
    return static_cast<double>(std::max<std::int64_t>(steps - step, 0)) /
           static_cast<double>(std::max<std::int64_t>(steps - warmup, 1));
  }
  Description describe() const { return {"LinearRate", {{"warmup", warmup}}}; }
};

/// Linear warm-up, then half a cosine to zero.
struct CosineRate {
  using plays = Plays<Role::learning_rate_schedule>;
  std::int64_t warmup = 0;
  double factor(std::int64_t step, std::int64_t steps) const {
    detail::expect_warmup(warmup);
    if (step < warmup) return static_cast<double>(step) / static_cast<double>(warmup);
    const double progress =
        static_cast<double>(step - warmup) / static_cast<double>(std::max<std::int64_t>(steps - warmup, 1));
    return 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(progress, 1.0)));
  }
  Description describe() const { return {"CosineRate", {{"warmup", warmup}}}; }
};

}  // namespace persona
