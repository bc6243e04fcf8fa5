#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/schedule/prediction.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/schedule/timesteps.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace persona {

/// DDIM (Song et al. 2021, Eq. 12); `eta` 0 draws nothing, 1 as much as DDPM; throws Error where it is neither nor
/// between.
class DDIMScheduler {
 public:
  /// Throws Error where the config asks for what is not supported.
  explicit DDIMScheduler(SchedulerConfig config = {}, double eta = 0.0) : config_(std::move(config)), eta_(eta) {
    if (config_.rescale_betas_zero_snr && config_.prediction_type == "epsilon")
      throw Error("DDIMScheduler: prediction_type",
                  "is 'epsilon' with rescale_betas_zero_snr: pure noise says nothing of x0",
                  "use a model of v_prediction, or switch rescale_betas_zero_snr off");
    if (!(eta >= 0 && eta <= 1))
      throw Error("DDIMScheduler: eta", "is " + std::to_string(eta),
                  "between 0, no noise, and 1, as much as DDPM adds");
    const auto a = config_.alphas_cumprod().to(at::kDouble);
    alphas_.assign(a.const_data_ptr<double>(), a.const_data_ptr<double>() + a.numel());
  }

  /// The same, adding noise of this eta.
  DDIMScheduler with_eta(double eta) const { return DDIMScheduler(config_, eta); }
  const SchedulerConfig& config() const { return config_; }

  class Run {
   public:
    const std::vector<double>& timesteps() const { return times_; }
    double init_noise_sigma() const { return 1.0; }
    Tensor scale_model_input(const Tensor& x, std::int64_t) const { return x; }

    /// x_t -> x_{t - num_train_timesteps / n}; with eta > 0 `noise_added` is added, or, where there is none, noise
    /// drawn from LibTorch's own generator.
    Tensor step(const Tensor& prediction, std::int64_t i, const Tensor& x_t, const Tensor& noise_added = {}) const {
      const auto [a, a_earlier] = levels(i);
      auto [x0, noise] = detail::split_prediction(config_.prediction_type, prediction, x_t, a);
      if (config_.clip_sample) x0 = x0.clamp(-config_.clip_sample_range, config_.clip_sample_range);
      const double sigma = eta_ * std::sqrt(std::max((1 - a_earlier) / (1 - a) * (1 - a / a_earlier), 0.0));  // Eq. 16
      auto x = std::sqrt(a_earlier) * x0 + std::sqrt(std::max(1 - a_earlier - sigma * sigma, 0.0)) * noise;
      if (sigma > 0) x = x + sigma * (noise_added.defined() ? noise_added : at::randn(x_t.sizes(), x_t.options()));
      return x;
    }

    /// The x_t that step(prediction, i, x_t) takes to x_earlier, where the prediction is x_t's: without noise and
    /// clipping.
    Tensor step_back(const Tensor& prediction, std::int64_t i, const Tensor& x_earlier) const {
      const auto [a, a_earlier] = levels(i);
      // x_earlier = p x_t + q prediction; what p and q are follows from how a prediction is split.
      const auto at_zero = [&](double x, double y) {
        const auto [x0, noise] = detail::split_prediction(config_.prediction_type, at::full({}, y, at::kDouble),
                                                          at::full({}, x, at::kDouble), a);
        return std::sqrt(a_earlier) * x0.item<double>() + std::sqrt(1 - a_earlier) * noise.item<double>();
      };
      const double p = at_zero(1, 0);
      if (std::abs(p) < 1e-9)
        throw Error("DDIMScheduler", "the last step gives what the model predicts, whatever x_t was",
                    "a model that predicts x0 is taken back where set_alpha_to_one is off");
      return (x_earlier - at_zero(0, 1) * prediction) / p;
    }

   private:
    friend class DDIMScheduler;
    // abar of step i's timestep and of the one that it leads to.
    std::pair<double, double> levels(std::int64_t i) const {
      const auto t = static_cast<std::int64_t>(times_.at(static_cast<std::size_t>(i)));
      const auto earlier = t - config_.num_train_timesteps / static_cast<std::int64_t>(times_.size());
      return {alphas_[static_cast<std::size_t>(t)], earlier >= 0 ? alphas_[static_cast<std::size_t>(earlier)]
                                                    : config_.set_alpha_to_one ? 1.0
                                                                               : alphas_[0]};
    }
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
