#pragma once

#include <persona/core/tensor.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/schedule/timesteps.hpp>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace persona {

/// Euler steps of the probability-flow ODE in sigma = sqrt((1 - a) / a) (Karras et al. 2022, Algorithm 1, first order).
/// Its samples are x0 + sigma noise; "linspace" timesteps may lie between two trained ones.
class EulerDiscreteScheduler {
 public:
  /// Throws Error where the config asks for what is not supported.
  explicit EulerDiscreteScheduler(SchedulerConfig config = {})
      : config_(std::move(config)), trained_(detail::trained_sigmas(config_)) {}

  class Run {
   public:
    const std::vector<double>& timesteps() const { return times_; }
    /// The first sigma; with "leading" spacing sqrt(sigma^2 + 1), as diffusers has it.
    double init_noise_sigma() const {
      const double first = sigmas_.front();
      return config_.timestep_spacing == "leading" ? std::sqrt(first * first + 1.0) : first;
    }
    /// x / sqrt(sigma^2 + 1): of variance 1, as the denoiser was trained on.
    Tensor scale_model_input(const Tensor& x, std::int64_t i) const {
      const double s = sigmas_.at(static_cast<std::size_t>(i));
      return x / std::sqrt(s * s + 1.0);
    }
    /// x at sigma i -> x at sigma i + 1.
    Tensor step(const Tensor& prediction, std::int64_t i, const Tensor& x) const {
      const double s = sigmas_.at(static_cast<std::size_t>(i)), next = sigmas_.at(static_cast<std::size_t>(i) + 1);
      if (config_.prediction_type == "epsilon") return x + (next - s) * prediction;
      const auto x0 = config_.prediction_type == "sample"
                          ? prediction
                          : x / (s * s + 1.0) - prediction * (s / std::sqrt(s * s + 1.0));
      return (next / s) * x + (1.0 - next / s) * x0;
    }

   private:
    friend class EulerDiscreteScheduler;
    Run(SchedulerConfig config, std::vector<double> times, std::vector<double> sigmas)
        : config_(std::move(config)), times_(std::move(times)), sigmas_(std::move(sigmas)) {}

    SchedulerConfig config_;
    std::vector<double> times_, sigmas_;
  };

  /// The state of one generation of n steps; throws Error where training has no n such timesteps.
  Run begin(std::int64_t n) const {
    auto times = detail::inference_timesteps(config_, n, {.fractions = true});
    auto sigmas = detail::sigmas_at(trained_, times);
    return {config_, std::move(times), std::move(sigmas)};
  }

 private:
  SchedulerConfig config_;
  std::vector<double> trained_;
};

}  // namespace persona
