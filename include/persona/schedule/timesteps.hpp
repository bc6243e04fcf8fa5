#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/schedule/schedule_config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace persona::detail {

/// How many timesteps a sampler lays out for n steps, and whether it rounds them.
struct Spacing {
  bool drops_lowest = false;  ///< lays out n + 1 and leaves out the lowest
  bool fractions = false;     ///< "linspace" timesteps stay between two trained ones
};

/// n timesteps from high to low, as config.timestep_spacing says (Lin et al. 2024, Table 2). The arithmetic follows the
/// order of numpy's, so that what falls on a half is rounded to the same side. Throws Error where the training has no
/// such timestep.
inline std::vector<double> inference_timesteps(const SchedulerConfig& config, std::int64_t n, Spacing spacing = {}) {
  const auto total = config.num_train_timesteps;
  if (n < 1 || n > total)
    throw Error("sampler", "asked for " + std::to_string(n) + " steps", "1 to " + std::to_string(total));
  const std::int64_t dropped = spacing.drops_lowest ? 1 : 0;
  std::vector<double> times;
  for (std::int64_t i = n; i-- > 0;) {
    const auto place = static_cast<double>(i + dropped);
    if (config.timestep_spacing == "leading") {
      times.push_back(place * static_cast<double>(total / (n + dropped)) + static_cast<double>(config.steps_offset));
    } else if (config.timestep_spacing == "trailing") {
      const auto top = static_cast<double>(total);
      const double stride = (top - top / static_cast<double>(n)) - top;
      times.push_back(std::nearbyint(top + static_cast<double>(n - 1 - i) * stride) - 1.0);
    } else {
      const auto gaps = static_cast<double>(n - 1 + dropped);
      const double t = gaps > 0 ? place * (static_cast<double>(total - 1) / gaps) : 0.0;
      times.push_back(spacing.fractions ? static_cast<double>(static_cast<float>(t)) : std::nearbyint(t));
    }
  }
  if (times.front() > static_cast<double>(total - 1))
    throw Error("sampler",
                std::to_string(n) + " steps begin at timestep " + std::to_string(std::llround(times.front())) +
                    ", training ended at " + std::to_string(total - 1),
                "take fewer steps, a steps_offset of 0, or another timestep_spacing");
  if (std::ranges::adjacent_find(times) != times.end())
    throw Error("sampler",
                std::to_string(n) + " steps of \"" + config.timestep_spacing + "\" timesteps would take one of " +
                    std::to_string(total) + " twice",
                "take fewer steps, or another sampler or timestep_spacing");
  return times;
}

/// sigma = sqrt((1 - a) / a) of every trained timestep. Where the last a is 0 it is taken as 2^-24, so that no sigma is
/// infinite.
inline std::vector<double> trained_sigmas(const SchedulerConfig& config) {
  const auto a =
      config.alphas_cumprod().to(at::kDouble).clamp_min(config.rescale_betas_zero_snr ? std::ldexp(1.0, -24) : 0.0);
  const auto sigmas = ((1 - a) / a).sqrt().contiguous();
  return {sigmas.const_data_ptr<double>(), sigmas.const_data_ptr<double>() + sigmas.numel()};
}

/// Sigmas at `times`, linear between two trained timesteps, and the 0 that a sampler ends at.
inline std::vector<double> sigmas_at(const std::vector<double>& trained, const std::vector<double>& times) {
  std::vector<double> sigmas;
  for (const double t : times) {
    const auto below = static_cast<std::size_t>(t);
    const double share = t - static_cast<double>(below);
    sigmas.push_back((1 - share) * trained[below] + share * trained[std::min(below + 1, trained.size() - 1)]);
  }
  sigmas.push_back(0.0);
  return sigmas;
}

}  // namespace persona::detail
