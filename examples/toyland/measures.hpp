#pragma once
// What is said of a model in docs/toyland.md and is not a picture of its.

#include "batches.hpp"
#include "names.hpp"
#include "text_batches.hpp"

#include <persona/stable_diffusion/stable_diffusion.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace toyland {

/// Pictures that training does not see, and what the autoencoder makes of them.
struct Reconstructed {
  std::vector<Picture> pictures{};
  persona::Tensor decoded{};  ///< [128, 3, 64, 64]
  persona::Moments moments{};
  double psnr = 0;  ///< dB
};
inline Reconstructed reconstruct(const persona::AutoencoderKL& vae, at::Device device = at::kCPU) {
  const at::NoGradGuard no_grad;
  Reconstructed out;
  Dice dice(99, "validation");
  for (int i = 0; i < 128; ++i) out.pictures.push_back(render(random_example(dice, {.named = 0.5})));
  const auto images = to_tensor(out.pictures, device);
  out.moments = vae.encode(images);
  out.decoded = vae.decode(out.moments.mean).clamp(-1, 1);
  out.psnr = -10 * std::log10((out.decoded - images).div(2).square().mean().item<double>());
  return out;
}

/// Mean length of the outputs at the words of named people's captions, over that of the token rows.
inline double output_ratio(const persona::StableDiffusion& model) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> captions;
  for (std::size_t i = 0; i < 100; ++i) captions.push_back("a photo of " + named_people()[i].name() + " person");
  const auto batch = tokenize(model.tokenizer(), captions);
  const auto table = model.text_encoder().embedding_table();
  const auto lengths = at::linalg_vector_norm(model.text_encoder().encode(at::embedding(table, batch.ids)), 2, {2});
  double sum = 0, words = 0;
  for (std::int64_t i = 0; i < batch.ids.size(0); ++i) {
    const auto end = batch.ends[i].item<std::int64_t>();
    sum += lengths[i].slice(0, 1, end).sum().item<double>(), words += static_cast<double>(end - 1);
  }
  return sum / words / at::linalg_vector_norm(table, 2, {1}).mean().item<double>();
}

}  // namespace toyland
