#pragma once

#include <persona/core/tensor.hpp>
#include <persona/schedule/schedule_config.hpp>

#include <cstdint>
#include <utility>

namespace persona {

/// The forward process that Stable Diffusion was trained with, and its regression target (Ho et al. 2020).
class DDPMScheduler {
 public:
  /// Throws Error where the config asks for what is not supported.
  explicit DDPMScheduler(SchedulerConfig config = {}, at::Device device = at::kCPU)
      : config_(std::move(config)), alphas_cumprod_(config_.alphas_cumprod().to(device)) {}

  const SchedulerConfig& config() const { return config_; }
  /// [num_train_timesteps] fp32, on the scheduler's device.
  const Tensor& alphas_cumprod() const { return alphas_cumprod_; }
  std::int64_t num_train_timesteps() const { return config_.num_train_timesteps; }

  /// sqrt(a_t) x0 + sqrt(1 - a_t) noise, for x [B, ...] and t [B] long on the scheduler's device (Ho et al. 2020, Eq.
  /// 4).
  Tensor add_noise(const Tensor& x0, const Tensor& noise, const Tensor& t) const {
    const auto a = alpha_bar(t, x0);
    return a.sqrt() * x0 + (1 - a).sqrt() * noise;
  }
  /// What the denoiser is to predict: the noise, x0, or v = sqrt(a_t) noise - sqrt(1 - a_t) x0 (Salimans & Ho 2022).
  Tensor target(const Tensor& x0, const Tensor& noise, const Tensor& t) const {
    if (config_.prediction_type == "epsilon") return noise;
    if (config_.prediction_type == "sample") return x0;
    const auto a = alpha_bar(t, x0);
    return a.sqrt() * noise - (1 - a).sqrt() * x0;
  }
  /// The x0 that a prediction at x_t [B, ...] stands for.
  Tensor predict_x0(const Tensor& prediction, const Tensor& x_t, const Tensor& t) const {
    if (config_.prediction_type == "sample") return prediction;
    const auto a = alpha_bar(t, x_t);
    if (config_.prediction_type == "epsilon") return (x_t - (1 - a).sqrt() * prediction) / a.sqrt();
    return a.sqrt() * x_t - (1 - a).sqrt() * prediction;
  }
  /// a_t / (1 - a_t), [B].
  Tensor snr(const Tensor& t) const {
    const auto a = alphas_cumprod_.index_select(0, t);
    return a / (1 - a);
  }

 private:
  Tensor alpha_bar(const Tensor& t, const Tensor& like) const {
    auto a = alphas_cumprod_.index_select(0, t).to(like.scalar_type());
    for (std::int64_t axis = 1; axis < like.dim(); ++axis) a = a.unsqueeze(-1);
    return a;
  }

  SchedulerConfig config_;
  Tensor alphas_cumprod_;
};

}  // namespace persona
