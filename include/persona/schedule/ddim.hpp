#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/schedule/prediction.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/schedule/timesteps.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace persona {

/// DDIM (Song et al. 2021, Eq. 12); `eta` 0 draws nothing, 1 as much as DDPM.
class DDIMScheduler {
 public:
  /// Throws Error where the config asks for what is not supported.
  explicit DDIMScheduler(SchedulerConfig config = {}, double eta = 0.0) : config_(std::move(config)), eta_(eta) {
    if (config_.rescale_betas_zero_snr && config_.prediction_type == "epsilon")
      throw Error("DDIMScheduler: prediction_type",
                  "is 'epsilon' with rescale_betas_zero_snr: pure noise says nothing of x0",
                  "use a model of v_prediction, or switch rescale_betas_zero_snr off");
    const auto a = config_.alphas_cumprod().to(at::kDouble);
    alphas_.assign(a.const_data_ptr<double>(), a.const_data_ptr<double>() + a.numel());
  }

  class Run {
   public:
    const std::vector<double>& timesteps() const { return times_; }
    double init_noise_sigma() const { return 1.0; }
    Tensor scale_model_input(const Tensor& x, std::int64_t) const { return x; }

    /// x_t -> x_{t - num_train_timesteps / n}; with eta > 0 noise is drawn from `generator`.
    Tensor step(const Tensor& prediction, std::int64_t i, const Tensor& x_t,
                std::optional<at::Generator> generator = {}) const {
      const auto t = static_cast<std::int64_t>(times_.at(static_cast<std::size_t>(i)));
      const auto earlier = t - config_.num_train_timesteps / static_cast<std::int64_t>(times_.size());
      const double a = alphas_[static_cast<std::size_t>(t)];
      const double a_earlier = earlier >= 0               ? alphas_[static_cast<std::size_t>(earlier)]
                               : config_.set_alpha_to_one ? 1.0
                                                          : alphas_[0];
      auto [x0, noise] = detail::split_prediction(config_.prediction_type, prediction, x_t, a);
      if (config_.clip_sample) x0 = x0.clamp(-config_.clip_sample_range, config_.clip_sample_range);
      const double sigma = eta_ * std::sqrt(std::max((1 - a_earlier) / (1 - a) * (1 - a / a_earlier), 0.0));  // Eq. 16
      auto x = std::sqrt(a_earlier) * x0 + std::sqrt(std::max(1 - a_earlier - sigma * sigma, 0.0)) * noise;
      if (sigma > 0) x = x + sigma * at::randn(x_t.sizes(), std::move(generator), x_t.options());
      return x;
    }

   private:
    friend class DDIMScheduler;
    Run(SchedulerConfig config, double eta, std::vector<double> alphas, std::vector<double> times)
        : config_(std::move(config)), eta_(eta), alphas_(std::move(alphas)), times_(std::move(times)) {}

    SchedulerConfig config_;
    double eta_;
    std::vector<double> alphas_, times_;
  };

  /// The state of one generation of n steps; throws Error where training has no n such timesteps.
  Run begin(std::int64_t n) const { return {config_, eta_, alphas_, detail::inference_timesteps(config_, n)}; }

 private:
  SchedulerConfig config_;
  double eta_;
  std::vector<double> alphas_{};
};

}  // namespace persona
