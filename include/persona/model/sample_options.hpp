#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace persona {

/// How images are drawn; the fields are diffusers' num_inference_steps, guidance_scale, generator and negative_prompt.
struct SampleOptions {
  std::int64_t steps = 50;
  double guidance = 7.5;   ///< 1 or less: no classifier-free guidance, one pass a step
  std::uint64_t seed = 0;  ///< image i of a call is the same whatever .batch and the device are
  std::string negative{};
  std::string sampler = "dpm";  ///< as the model names them: "ddim", "dpm" (DPM-Solver++ 2M), "euler"
  std::int64_t batch = 8;       ///< images a pass
  double eta = 0;               ///< of "ddim": how much noise a step adds, 1 as much as DDPM
  Tensor start{};               ///< the noise to begin at, [N, C, h, w]; undefined: drawn by the seed
  std::int64_t first = 0;       ///< image i of this call is image first + i of a longer one
  std::function<void(std::int64_t done, std::int64_t all)> progress{};  ///< told of every pass of the denoiser
};

}  // namespace persona
