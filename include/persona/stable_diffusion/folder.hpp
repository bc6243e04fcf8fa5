#pragma once

#include <persona/core/error.hpp>
#include <persona/io/json.hpp>
#include <persona/io/refuse.hpp>
#include <persona/stable_diffusion/configs.hpp>
#include <persona/stable_diffusion/load_options.hpp>
#include <persona/stable_diffusion/load_weights.hpp>
#include <persona/stable_diffusion/stored_model.hpp>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace persona::detail {

/// Throws Error unless `folder` is laid out as diffusers lays out Stable Diffusion 1 and 2.
inline void expect_model_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code unreadable;
  if (!fs::is_directory(folder, unreadable))
    throw Error(folder.string(), "is not there",
                "give a folder that has unet/, vae/ and text_encoder/ in it, or a single-file checkpoint");
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

/// Reads the configs of a folder and finds its weights.
inline StoredModel read_folder(const std::filesystem::path& folder, const LoadOptions& options) {
  expect_model_folder(folder);
  for (const auto& [given, name] : {std::pair{!options.tokenizer.empty(), "tokenizer"},
                                    std::pair{!options.prediction_type.empty(), "prediction_type"},
                                    std::pair{options.sample_size != 0, "sample_size"}})
    if (given)
      throw Error(folder.string(), "says itself what LoadOptions::" + std::string(name) + " is",
                  "that is for single files; change the folder's own files instead");
  const auto weights = [&](const char* part, const char* stem) {
    return WeightsFile::find(folder / part, stem, options.variant);
  };
  return {.tokenizer = CLIPTokenizer::from_folder(folder / "tokenizer"),
          .text = read_text_config(folder / "text_encoder" / "config.json"),
          .unet = read_unet_config(folder / "unet" / "config.json"),
          .vae = read_vae_config(folder / "vae" / "config.json"),
          .scheduler = read_scheduler_config(folder / "scheduler" / "scheduler_config.json"),
          .text_file = {weights("text_encoder", "model"), rename_text_tensor},
          .unet_file = {weights("unet", "diffusion_pytorch_model")},
          .vae_file = {weights("vae", "diffusion_pytorch_model"), rename_vae_tensor}};
}

}  // namespace persona::detail
