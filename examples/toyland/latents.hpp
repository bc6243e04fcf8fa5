#pragma once
// The denoiser's training set: examples that a seed decides, their pictures encoded once.

#include "batches.hpp"
#include "sizes.hpp"
#include "trainer.hpp"

#include <persona/core/hash.hpp>

#include <filesystem>
#include <thread>

namespace toyland {

struct LatentSet {
  std::vector<Example> examples;
  Tensor mean, std;  ///< [N, C, 16, 16] in fp16, unscaled
  double scaling_factor = 1;
};

/// Examples i = 0 .. n - 1 of the training set of `seed`.
inline std::vector<Example> training_examples(std::uint64_t seed, long n) {
  std::vector<Example> examples;
  Dice dice(seed, "training set");
  for (long i = 0; i < n; ++i) examples.push_back(random_example(dice));
  return examples;
}

/// What latents are made of: the training set's seed, and the autoencoder's weights.
inline Tensor made_of(const persona::AutoencoderKL& vae, std::uint64_t seed) {
  std::uint64_t hash = 0;
  persona::for_each_weight(vae, [&](const std::string&, const persona::Weight& weight) {
    hash = persona::hash_tensor(weight.base.detach().to(at::kCPU).contiguous(), hash);
  });
  return at::tensor({static_cast<std::int64_t>(seed), static_cast<std::int64_t>(hash)}, at::kLong);
}

/// Encodes the training set with two threads, or reads it from `cache`.
inline LatentSet encode_training_set(const persona::AutoencoderKL& vae, std::uint64_t seed, long n,
                                     const std::string& cache, at::Device device) {
  LatentSet set{.examples = training_examples(seed, n), .mean = {}, .std = {}};
  if (std::filesystem::exists(cache)) {
    const auto read = load_tensors(cache);
    set.mean = read.at("mean"), set.std = read.at("std");
    if (set.mean.size(0) != n || !read.contains("made_of") || !at::equal(read.at("made_of"), made_of(vae, seed)))
      throw std::runtime_error(cache + " holds another training set, or another autoencoder's latents: delete it");
  } else {
    const auto options = at::TensorOptions().dtype(at::kHalf);
    const std::vector<std::int64_t> shape{n, latent_channels, 16, 16};
    set.mean = at::empty(shape, options), set.std = at::empty(shape, options);
    auto compute = as_dtype(vae, at::kBFloat16);
    persona::to(compute, device, at::kBFloat16);
    const auto encode = [&](long first, long last) {
      const at::NoGradGuard no_grad;
      for (long i = first; i < last; i += 64) {
        std::vector<Picture> pictures;
        for (long k = i; k < std::min(i + 64, last); ++k)
          pictures.push_back(render(set.examples[static_cast<std::size_t>(k)]));
        const auto moments = compute.encode(to_tensor(pictures, device));
        const auto end = i + static_cast<long>(pictures.size());
        set.mean.slice(0, i, end).copy_(moments.mean), set.std.slice(0, i, end).copy_(moments.std);
      }
    };
    std::jthread other([&] { encode(n / 2, n); });
    encode(0, n / 2);
    other.join();
    save_tensors(cache, {{"mean", set.mean}, {"std", set.std}, {"made_of", made_of(vae, seed)}});
  }
  const auto mean = set.mean.slice(0, 0, std::min(n, 4096L)).to(at::kFloat),
             std = set.std.slice(0, 0, std::min(n, 4096L)).to(at::kFloat);
  set.scaling_factor = 1 / std::sqrt(mean.var().item<double>() + std.square().mean().item<double>());
  return set;
}

}  // namespace toyland
