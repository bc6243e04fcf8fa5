#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

/// diffusers' scheduler_config.json, as far as it changes the arithmetic; the defaults are Stable Diffusion's.
struct SchedulerConfig {
  std::int64_t num_train_timesteps = 1000;
  double beta_start = 0.00085, beta_end = 0.012;
  std::string beta_schedule = "scaled_linear";  ///< or "linear", "squaredcos_cap_v2"
  std::string prediction_type = "epsilon";      ///< or "v_prediction", "sample"
  std::string timestep_spacing = "leading";     ///< or "trailing", "linspace"
  std::int64_t steps_offset = 0;                ///< added to "leading" timesteps
  bool set_alpha_to_one = true;                 ///< DDIM's last step: alpha-bar 1, else that of timestep 0
  bool clip_sample = false;                     ///< DDIM: x0 is clipped to +-clip_sample_range
  double clip_sample_range = 1.0;
  bool rescale_betas_zero_snr = false;

  /// Throws Error naming the key, its value and what is supported.
  void check() const;

  /// The product of 1 - beta up to each timestep, [num_train_timesteps] fp32 on the CPU.
  Tensor alphas_cumprod() const;
};

inline void SchedulerConfig::check() const {
  const auto fail = [](const std::string& key, const std::string& value, const std::string& supported) {
    throw Error("scheduler_config: " + key, "is " + value, "supported: " + supported);
  };
  const auto one_of = [&](const std::string& key, const std::string& value,
                          std::initializer_list<const char*> supported) {
    std::string list;
    for (const char* choice : supported) {
      if (value == choice) return;
      list += (list.empty() ? "" : ", ") + std::string(choice);
    }
    fail(key, "'" + value + "'", list);
  };
  one_of("beta_schedule", beta_schedule, {"linear", "scaled_linear", "squaredcos_cap_v2"});
  one_of("prediction_type", prediction_type, {"epsilon", "v_prediction", "sample"});
  one_of("timestep_spacing", timestep_spacing, {"leading", "trailing", "linspace"});
  if (num_train_timesteps < 1) fail("num_train_timesteps", std::to_string(num_train_timesteps), "1 and more");
  if (steps_offset < 0 || steps_offset >= num_train_timesteps)
    fail("steps_offset", std::to_string(steps_offset), "0 and more, below num_train_timesteps");
  for (const double beta : {beta_start, beta_end})
    if (!(beta > 0 && beta < 1)) fail("beta_start, beta_end", std::to_string(beta), "between 0 and 1");
}

namespace detail {
// Nichol & Dhariwal 2021, Eq. 17, with betas of at most 0.999.
inline Tensor squared_cosine_betas(std::int64_t n) {
  const auto alpha_bar = [n](std::int64_t i) {
    const double angle = (static_cast<double>(i) / static_cast<double>(n) + 0.008) / 1.008 * std::numbers::pi / 2;
    return std::cos(angle) * std::cos(angle);
  };
  std::vector<double> betas;
  for (std::int64_t i = 0; i < n; ++i) betas.push_back(std::min(1 - alpha_bar(i + 1) / alpha_bar(i), 0.999));
  return at::tensor(betas, at::kDouble).to(at::kFloat);
}

// Lin et al. 2024, Algorithm 1: sqrt(alpha-bar) shifted and scaled so that the last is 0 and the first stays.
inline Tensor rescaled_to_zero_snr(const Tensor& betas) {
  const auto root = at::cumprod(1.0 - betas, 0).sqrt();
  const auto first = root[0], last = root[-1];
  const auto alpha_bar = ((root - last) * (first / (first - last))).square();
  const auto n = alpha_bar.size(0);
  return 1.0 - at::cat({alpha_bar.slice(0, 0, 1), alpha_bar.slice(0, 1, n) / alpha_bar.slice(0, 0, n - 1)});
}
}  // namespace detail

inline Tensor SchedulerConfig::alphas_cumprod() const {
  check();
  const auto n = num_train_timesteps;
  auto betas = beta_schedule == "linear" ? at::linspace(beta_start, beta_end, n, at::kFloat)
               : beta_schedule == "scaled_linear"
                   ? at::linspace(std::sqrt(beta_start), std::sqrt(beta_end), n, at::kFloat).square()
                   : detail::squared_cosine_betas(n);
  if (rescale_betas_zero_snr) betas = detail::rescaled_to_zero_snr(betas);
  return at::cumprod(1.0 - betas, 0);
}

}  // namespace persona
