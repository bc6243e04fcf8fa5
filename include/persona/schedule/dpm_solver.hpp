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

/// DPM-Solver++ 2M (Lu et al. 2022, Algorithm 2), midpoint form; the last step is first order where there are fewer than 15.
class DPMSolverMultistepScheduler {
 public:
  explicit DPMSolverMultistepScheduler(SchedulerConfig config = {}) : config_(std::move(config)), alphas_(detail::to_doubles(config_.alphas_cumprod())) {}

  class Run {
   public:
    std::vector<double> timesteps() const { return times_; }
    double init_noise_sigma() const { return 1.0; }
    Tensor scale_model_input(const Tensor& x, std::int64_t) const { return x; }

    Tensor step(const Tensor& prediction, std::int64_t i, const Tensor& x_t, std::optional<at::Generator> = {}) {
      const auto k = static_cast<std::size_t>(i);
      const auto n = times_.size();
      const auto now = at_sigma(sigmas_[k]), next = at_sigma(sigmas_[k + 1]);
      auto x0 = detail::clean_of(config_.prediction_type, prediction, x_t, now.alpha * now.alpha).x0;
      const bool last_first_order = k + 1 == n && (n < 15 || sigmas_[n] == 0.0);
      Tensor x;
      if (k == 0 || !previous_.defined() || last_first_order) {
        x = ratio(next, now) * x_t - next.alpha * std::expm1(now.lambda - next.lambda) * x0;
      } else {
        const auto before = at_sigma(sigmas_[k - 1]);
        const double h = next.lambda - now.lambda, r = (now.lambda - before.lambda) / h;
        const auto slope = (x0 - previous_) / r;
        const double step = next.alpha * std::expm1(-h);
        x = ratio(next, now) * x_t - step * x0 - 0.5 * step * slope;
      }
      previous_ = std::move(x0);
      return x;
    }

   private:
    friend class DPMSolverMultistepScheduler;
    struct Point {
      double alpha, sigma, lambda;
    };
    static Point at_sigma(double s) {  // s = sigma / alpha
      const double alpha = 1.0 / std::sqrt(s * s + 1.0);
      return {alpha, s * alpha, -std::log(s)};
    }
    static double ratio(const Point& next, const Point& now) { return next.sigma / now.sigma; }
    Run(SchedulerConfig config, std::vector<double> times, std::vector<double> sigmas)
        : config_(std::move(config)), times_(std::move(times)), sigmas_(std::move(sigmas)) {}
    SchedulerConfig config_;
    std::vector<double> times_, sigmas_;
    Tensor previous_{};
  };

  /// The state of one generation of n steps.
  Run begin(std::int64_t n) const {
    const auto total = config_.num_train_timesteps;
    if (n < 1 || n > total) throw Error("sampler", "asked for " + std::to_string(n) + " steps", "1 to " + std::to_string(total));
    // n + 1 points are spaced and the lowest dropped: this solver ends at sigma 0, not at a timestep.
    std::vector<double> times, sigmas;
    for (std::int64_t i = n; i > 0; --i) {
      double t = 0;
      if (config_.timestep_spacing == "leading") t = static_cast<double>(i * (total / (n + 1)) + config_.steps_offset);
      else if (config_.timestep_spacing == "trailing") t = std::nearbyint(static_cast<double>(i) * static_cast<double>(total) / static_cast<double>(n)) - 1.0;
      else t = std::nearbyint(static_cast<double>(i) * static_cast<double>(total - 1) / static_cast<double>(n));
      times.push_back(t);
    }
    for (const double t : times) {
      const double a = alphas_[static_cast<std::size_t>(t)];
      sigmas.push_back(std::sqrt((1 - a) / a));
    }
    sigmas.push_back(0.0);
    return {config_, std::move(times), std::move(sigmas)};
  }

 private:
  SchedulerConfig config_;
  std::vector<double> alphas_;
};

}  // namespace persona
