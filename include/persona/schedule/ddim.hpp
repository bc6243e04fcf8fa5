#pragma once

#include <persona/core/tensor.hpp>
#include <persona/schedule/schedule_config.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace persona {

/// DDIM (Song et al. 2021, Eq. 12).
class DDIMScheduler {
 public:
  explicit DDIMScheduler(SchedulerConfig config = {}, double eta = 0.0) : config_(std::move(config)), eta_(eta), alphas_(detail::to_doubles(config_.alphas_cumprod())) {}

  class Run {
   public:
    std::vector<double> timesteps() const { return times_; }
    double init_noise_sigma() const { return 1.0; }
    Tensor scale_model_input(const Tensor& x, std::int64_t) const { return x; }

    /// x_t -> x_{t - total/n}; with eta > 0 noise is drawn from `generator`.
    Tensor step(const Tensor& prediction, std::int64_t i, const Tensor& x_t, std::optional<at::Generator> generator = {}) const {
      const auto t = static_cast<std::int64_t>(std::nearbyint(times_[static_cast<std::size_t>(i)]));
      const auto earlier = t - config_.num_train_timesteps / static_cast<std::int64_t>(times_.size());
      const double a = alphas_[static_cast<std::size_t>(t)];
      const double a_earlier = earlier >= 0 ? alphas_[static_cast<std::size_t>(earlier)] : config_.set_alpha_to_one ? 1.0 : alphas_[0];
      auto [x0, noise] = detail::clean_of(config_.prediction_type, prediction, x_t, a);
      if (config_.clip_sample) x0 = x0.clamp(-config_.clip_sample_range, config_.clip_sample_range);
      const double variance = (1 - a_earlier) / (1 - a) * (1 - a / a_earlier);
      const double sigma = eta_ * std::sqrt(std::max(variance, 0.0));
      auto x = std::sqrt(a_earlier) * x0 + std::sqrt(std::max(1 - a_earlier - sigma * sigma, 0.0)) * noise;
      if (sigma > 0) x = x + sigma * at::randn(x_t.sizes(), generator, x_t.options());
      return x;
    }

   private:
    friend class DDIMScheduler;
    Run(SchedulerConfig config, double eta, std::vector<double> alphas, std::vector<double> times)
        : config_(std::move(config)), eta_(eta), alphas_(std::move(alphas)), times_(std::move(times)) {
      for (double& t : times_) t = std::nearbyint(t);
    }
    SchedulerConfig config_;
    double eta_;
    std::vector<double> alphas_, times_;
  };

  /// The state of one generation of n steps.
  Run begin(std::int64_t n) const { return {config_, eta_, alphas_, detail::spaced_timesteps(config_, n)}; }

 private:
  SchedulerConfig config_;
  double eta_;
  std::vector<double> alphas_;
};

}  // namespace persona
