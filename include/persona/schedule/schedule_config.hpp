#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// diffusers' scheduler_config.json, as far as it changes the arithmetic; the defaults are Stable Diffusion's.
struct SchedulerConfig {
  std::int64_t num_train_timesteps = 1000;
  double beta_start = 0.00085, beta_end = 0.012;
  std::string beta_schedule = "scaled_linear";   ///< or "linear"
  std::string prediction_type = "epsilon";       ///< or "v_prediction", "sample"
  std::string timestep_spacing = "leading";      ///< or "trailing", "linspace"
  std::int64_t steps_offset = 0;
  bool set_alpha_to_one = true;
  bool clip_sample = false;
  double clip_sample_range = 1.0;

  /// Throws Error naming the key, its value and what is supported.
  void check() const {
    const auto one_of = [](const std::string& key, const std::string& value, std::initializer_list<const char*> supported) {
      std::string list;
      for (const char* choice : supported) {
        if (value == choice) return;
        list += (list.empty() ? "" : ", ") + std::string(choice);
      }
      throw Error("scheduler_config: " + key, "is '" + value + "'", "supported: " + list);
    };
    one_of("beta_schedule", beta_schedule, {"linear", "scaled_linear"});
    one_of("prediction_type", prediction_type, {"epsilon", "v_prediction", "sample"});
    one_of("timestep_spacing", timestep_spacing, {"leading", "trailing", "linspace"});
    if (num_train_timesteps < 1) throw Error("scheduler_config: num_train_timesteps", "is " + std::to_string(num_train_timesteps), "at least 1");
  }

  /// The product of 1 - beta up to each timestep, [num_train_timesteps] fp32 on the CPU.
  Tensor alphas_cumprod() const {
    check();
    const auto options = at::TensorOptions().dtype(at::kFloat);
    const auto betas = beta_schedule == "linear"
                           ? at::linspace(beta_start, beta_end, num_train_timesteps, options)
                           : at::linspace(std::sqrt(beta_start), std::sqrt(beta_end), num_train_timesteps, options).square();
    return at::cumprod(1.0 - betas, 0);
  }
};

namespace detail {
/// What a prediction says of x0 and of the noise, given x_t = sqrt(a) x0 + sqrt(1 - a) noise.
struct Clean {
  Tensor x0, noise;
};
inline Clean clean_of(const std::string& prediction_type, const Tensor& prediction, const Tensor& x_t, double alpha_bar) {
  const double a = std::sqrt(alpha_bar), s = std::sqrt(1.0 - alpha_bar);
  if (prediction_type == "epsilon") return {(x_t - s * prediction) / a, prediction};
  if (prediction_type == "sample") return {prediction, (x_t - a * prediction) / s};
  return {a * x_t - s * prediction, a * prediction + s * x_t};
}

inline std::vector<double> to_doubles(const Tensor& values) {
  const auto copy = values.to(at::kDouble).contiguous();
  return {copy.const_data_ptr<double>(), copy.const_data_ptr<double>() + copy.numel()};
}

/// n timesteps, high to low, as DDIM and Euler space them ("leading" and "trailing" as integers, "linspace" not rounded).
inline std::vector<double> spaced_timesteps(const SchedulerConfig& config, std::int64_t n) {
  const auto total = config.num_train_timesteps;
  if (n < 1 || n > total)
    throw Error("sampler", "asked for " + std::to_string(n) + " steps", "1 to " + std::to_string(total));
  std::vector<double> times;
  for (std::int64_t i = n; i-- > 0;) {
    if (config.timestep_spacing == "leading") {
      times.push_back(static_cast<double>(i * (total / n) + config.steps_offset));
    } else if (config.timestep_spacing == "trailing") {
      times.push_back(std::nearbyint(static_cast<double>(i + 1) * static_cast<double>(total) / static_cast<double>(n)) - 1.0);
    } else {
      times.push_back(n == 1 ? 0.0 : static_cast<double>(i) * static_cast<double>(total - 1) / static_cast<double>(n - 1));
    }
  }
  return times;
}
}  // namespace detail

}  // namespace persona
