#pragma once

#include <persona/core/error.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/stable_diffusion/load_weights.hpp>
#include <persona/stable_diffusion/unet.hpp>
#include <persona/stable_diffusion/vae.hpp>
#include <persona/stable_diffusion/weights_file.hpp>

#include <cstdint>
#include <string>

namespace persona::detail {

/// Where a module's weights are, and what they are called there.
struct StoredPart {
  WeightsFile file;
  RenameTensor rename{};
};

/// A model as files describe it: what a folder and a single file are both read into.
struct StoredModel {
  CLIPTokenizer tokenizer;
  CLIPTextConfig text{};
  UNet2DConditionConfig unet{};
  AutoencoderKLConfig vae{};
  SchedulerConfig scheduler{};
  StoredPart text_file, unet_file, vae_file;
};

/// Throws Error where the parts of a model cannot work together.
inline void expect_parts_fit(const std::string& where, const CLIPTokenizer& tokenizer, const CLIPTextConfig& text,
                             const UNet2DConditionConfig& unet, const AutoencoderKLConfig& vae) {
  const auto expect = [&](bool fits, const std::string& one, std::int64_t a, const std::string& other, std::int64_t b) {
    if (fits) return;
    throw Error(where, one + " is " + std::to_string(a) + ", " + other + " is " + std::to_string(b),
                "are the parts of the same model?");
  };
  const auto width = unet.cross_attention_dim, channels = unet.in_channels;
  expect(width == text.hidden_size, "the UNet's cross_attention_dim", width, "the text encoder's hidden_size",
         text.hidden_size);
  expect(channels == vae.latent_channels, "the UNet's in_channels", channels, "the VAE's latent_channels",
         vae.latent_channels);
  expect(channels == unet.out_channels, "the UNet's in_channels", channels, "its out_channels", unet.out_channels);
  expect(tokenizer.vocab_size() <= text.vocab_size, "the number of the tokenizer's ids", tokenizer.vocab_size(),
         "the text encoder's vocab_size", text.vocab_size);
  expect(tokenizer.max_length() <= text.max_position_embeddings, "the tokenizer's max_length", tokenizer.max_length(),
         "the text encoder's max_position_embeddings", text.max_position_embeddings);
}

}  // namespace persona::detail
