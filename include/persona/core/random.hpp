#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>

namespace persona {

/// What a random number is for; each purpose has a stream of its own, so that one more draw in one moves no other.
enum class Stream : std::uint64_t {
  data = 1,
  posterior,
  noise,
  timesteps,
  contribution,
  initialization,
  sampling,
  augmentation,
  initial_rows
};

/// Generators keyed by (seed, purpose, step): resuming replays nothing, and no draw touches a global generator.
class Random {
 public:
  explicit Random(std::uint64_t seed = 0, at::Device device = at::kCPU) : seed_(seed), device_(device) {}

  std::uint64_t seed() const { return seed_; }
  at::Device device() const { return device_; }

  /// A fresh generator for this purpose and step, on the device of this object.
  at::Generator at(Stream purpose, std::int64_t step = 0) const { return on(device_, purpose, step); }
  /// The same on the CPU, for decisions that the host takes.
  at::Generator on_host(Stream purpose, std::int64_t step = 0) const { return on(at::kCPU, purpose, step); }

 private:
  at::Generator on(at::Device device, Stream purpose, std::int64_t step) const {
    auto generator = at::globalContext().defaultGenerator(device).clone();
    generator.set_current_seed(
        mix(mix(mix(seed_) + static_cast<std::uint64_t>(purpose)) + static_cast<std::uint64_t>(step)));
    return generator;
  }
  // splitmix64's finalizer: neighbouring keys give unrelated seeds, also in the low 32 bits that mt19937 takes.
  static std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

  std::uint64_t seed_;
  at::Device device_;
};

}  // namespace persona
