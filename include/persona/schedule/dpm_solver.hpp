#pragma once

#include <persona/core/tensor.hpp>
#include <persona/schedule/prediction.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/schedule/timesteps.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// DPM-Solver++ 2M (Lu et al. 2022, Algorithm 2), midpoint form; the first step and the last, which ends at sigma 0,
/// are of first order.
class DPMSolverMultistepScheduler {
 public:
  /// Throws Error where the config asks for what is not supported.
  explicit DPMSolverMultistepScheduler(SchedulerConfig config = {})
      : config_(std::move(config)), trained_(detail::trained_sigmas(config_)) {}

  class Run {
   public:
    const std::vector<double>& timesteps() const { return times_; }
    double init_noise_sigma() const { return 1.0; }
    Tensor scale_model_input(const Tensor& x, std::int64_t) const { return x; }

    /// x at sigma i -> x at sigma i + 1. Steps are taken in order: the second order reads the x0 of the step before.
    Tensor step(const Tensor& prediction, std::int64_t i, const Tensor& x_t) {
      const auto k = static_cast<std::size_t>(i);
      const auto now = at_sigma(sigmas_.at(k)), next = at_sigma(sigmas_.at(k + 1));
      const auto x0 = detail::split_prediction(prediction_type_, prediction, x_t, now.alpha * now.alpha).x0;
      const double h = next.lambda - now.lambda;
      const double step = next.alpha * std::expm1(-h);
      auto x = (next.sigma / now.sigma) * x_t - step * x0;
      if (k > 0 && k + 1 < times_.size()) {
        const double r = (now.lambda - at_sigma(sigmas_[k - 1]).lambda) / h;
        x = x - (0.5 * step / r) * (x0 - previous_);
      }
      previous_ = x0;
      return x;
    }

   private:
    friend class DPMSolverMultistepScheduler;
    struct Point {
      double alpha, sigma, lambda;
    };
    static Point at_sigma(double ratio) {  // ratio = sigma / alpha; the last is 0, and lambda infinite
      const double alpha = 1.0 / std::sqrt(ratio * ratio + 1.0);
      return {alpha, ratio * alpha, -std::log(ratio)};
    }
    Run(std::string prediction_type, std::vector<double> times, std::vector<double> sigmas)
        : prediction_type_(std::move(prediction_type)), times_(std::move(times)), sigmas_(std::move(sigmas)) {}

    std::string prediction_type_;
    std::vector<double> times_, sigmas_;
    Tensor previous_{};
  };

  /// The state of one generation of n steps; throws Error where training has no n such timesteps.
  Run begin(std::int64_t n) const {
    const bool drops_lowest = config_.timestep_spacing != "trailing";
    auto times = detail::inference_timesteps(config_, n, {.drops_lowest = drops_lowest});
    auto sigmas = detail::sigmas_at(trained_, times);
    return {config_.prediction_type, std::move(times), std::move(sigmas)};
  }

 private:
  SchedulerConfig config_;
  std::vector<double> trained_;
};

}  // namespace persona
