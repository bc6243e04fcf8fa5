#pragma once

#include <persona/core/tensor.hpp>
#include <persona/schedule/schedule_config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace persona {

/// Euler steps of the probability-flow ODE in sigma = sqrt((1 - a) / a) (Karras et al. 2022, Algorithm 2 without churn).
class EulerDiscreteScheduler {
 public:
  explicit EulerDiscreteScheduler(SchedulerConfig config = {}) : config_(std::move(config)), alphas_(detail::to_doubles(config_.alphas_cumprod())) {}

  class Run {
   public:
    std::vector<double> timesteps() const { return times_; }
    /// The first sigma, or sqrt(sigma^2 + 1) where spacing is "leading", as diffusers has it.
    double init_noise_sigma() const {
      const double highest = *std::ranges::max_element(sigmas_);
      return config_.timestep_spacing == "leading" ? std::sqrt(highest * highest + 1.0) : highest;
    }
    Tensor scale_model_input(const Tensor& x, std::int64_t i) const {
      const double s = sigmas_[static_cast<std::size_t>(i)];
      return x / std::sqrt(s * s + 1.0);
    }
    Tensor step(const Tensor& prediction, std::int64_t i, const Tensor& x, std::optional<at::Generator> = {}) const {
      const double s = sigmas_[static_cast<std::size_t>(i)], next = sigmas_[static_cast<std::size_t>(i) + 1];
      Tensor x0;
      if (config_.prediction_type == "epsilon") x0 = x - s * prediction;
      else if (config_.prediction_type == "sample") x0 = prediction;
      else x0 = prediction * (-s / std::sqrt(s * s + 1.0)) + x / (s * s + 1.0);
      return x + (next - s) * ((x - x0) / s);
    }

   private:
    friend class EulerDiscreteScheduler;
    Run(SchedulerConfig config, std::vector<double> times, std::vector<double> sigmas)
        : config_(std::move(config)), times_(std::move(times)), sigmas_(std::move(sigmas)) {}
    SchedulerConfig config_;
    std::vector<double> times_, sigmas_;
  };

  /// The state of one generation of n steps.
  Run begin(std::int64_t n) const {
    auto times = detail::spaced_timesteps(config_, n);
    std::vector<double> sigmas;
    const auto sigma_at = [this](std::int64_t t) {
      const double a = alphas_[static_cast<std::size_t>(std::clamp<std::int64_t>(t, 0, config_.num_train_timesteps - 1))];
      return std::sqrt((1 - a) / a);
    };
    for (const double t : times) {  // between two timesteps sigma is interpolated
      const auto below = static_cast<std::int64_t>(std::floor(t));
      const double share = t - static_cast<double>(below);
      sigmas.push_back((1 - share) * sigma_at(below) + share * sigma_at(below + 1));
    }
    sigmas.push_back(0.0);
    return {config_, std::move(times), std::move(sigmas)};
  }

 private:
  SchedulerConfig config_;
  std::vector<double> alphas_;
};

}  // namespace persona
