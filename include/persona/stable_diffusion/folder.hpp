#pragma once

#include <persona/core/error.hpp>
#include <persona/io/json.hpp>
#include <persona/io/refuse.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/stable_diffusion/unet.hpp>
#include <persona/stable_diffusion/vae.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>

namespace persona::detail {

/// Throws Error unless `folder` is laid out as diffusers lays out Stable Diffusion 1 and 2.
inline void expect_model_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code unreadable;
  if (fs::is_regular_file(folder, unreadable)) {
    std::array<char, 512> start{};
    std::ifstream(folder, std::ios::binary).read(start.data(), start.size());
    refuse_other_formats(std::as_bytes(std::span(start)), fs::file_size(folder), folder.string());
    throw Error(folder.string(), "is a single file, and models are read from diffusers folders",
                "in Python: diffusers.StableDiffusionPipeline.from_single_file(FILE).save_pretrained(FOLDER)");
  }
  if (!fs::is_directory(folder, unreadable))
    throw Error(folder.string(), "is not there", "give the folder that has unet/, vae/ and text_encoder/ in it");
  for (const char* part : {"unet", "vae", "text_encoder", "tokenizer", "scheduler"})
    if (!fs::is_directory(folder / part, unreadable))
      throw Error(
          folder.string(), "has no folder '" + std::string(part) + "'",
          "expected unet, vae, text_encoder, tokenizer and scheduler, as diffusers' save_pretrained writes them");
  if (!is_there(folder / "model_index.json")) return;  // the folders say it all
  auto index = JsonObject::read(folder / "model_index.json");
  index.only("_class_name", {R"("StableDiffusionPipeline")", R"("StableDiffusionImg2ImgPipeline")"});
  for (const char* part : {"text_encoder_2", "unet_2", "transformer", "prior", "controlnet"})
    if (index.contains(part)) index.fail(part, "is a part that Stable Diffusion 1 and 2 do not have");
}

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
