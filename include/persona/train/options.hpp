#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace persona {

/// How a run goes; what is learned, and how, is the sum's business.
struct TrainOptions {
  std::int64_t steps = 0;          ///< optimizer steps; 0: the sum's default
  std::int64_t batch = 1;          ///< samples a micro-step, before contributions add theirs
  std::int64_t accumulate = 1;     ///< micro-steps whose gradients make one optimizer step
  std::uint64_t seed = 0;          ///< of every stream of random numbers
  std::filesystem::path resume{};  ///< folder of an earlier run.save(): goes on from there, bit for bit on the CPU
  std::filesystem::path cache{};   ///< folder for what is worth keeping between runs; empty: nothing is kept
  /// Told of what takes long before the first step: class images that are drawn, weights that are taken apart.
  std::function<void(const std::string& what, std::int64_t done, std::int64_t all)> progress{};
  bool center_crop =
      true;  ///< cut the central square of a photo before resizing; false: squash it, as diffusers does by default
};

}  // namespace persona
