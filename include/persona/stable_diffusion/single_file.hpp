#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/warning.hpp>
#include <persona/io/describe_file.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/io/utf8.hpp>
#include <persona/stable_diffusion/ldm_configs.hpp>
#include <persona/stable_diffusion/ldm_names.hpp>
#include <persona/stable_diffusion/load_options.hpp>
#include <persona/stable_diffusion/load_weights.hpp>
#include <persona/stable_diffusion/stored_model.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace persona::detail {

inline constexpr const char* ldm_unet = "model.diffusion_model.";
inline constexpr const char* ldm_vae = "first_stage_model.";
inline constexpr const char* ldm_clip = "cond_stage_model.transformer.";
inline constexpr const char* ldm_open_clip = "cond_stage_model.model.";

/// What training left beside the weights: averages of them, the schedule's tables, the autoencoder's losses.
inline bool is_left_by_training(std::string_view name) {
  static constexpr std::string_view fronts[] = {"model_ema.", "loss.", "cond_stage_model.logit_scale",
                                                "cond_stage_model.text_projection"};
  static constexpr std::string_view names[] = {"betas",
                                               "alphas_cumprod",
                                               "alphas_cumprod_prev",
                                               "sqrt_alphas_cumprod",
                                               "sqrt_one_minus_alphas_cumprod",
                                               "log_one_minus_alphas_cumprod",
                                               "sqrt_recip_alphas_cumprod",
                                               "sqrt_recipm1_alphas_cumprod",
                                               "posterior_variance",
                                               "posterior_log_variance_clipped",
                                               "posterior_mean_coef1",
                                               "posterior_mean_coef2",
                                               "logvar",
                                               "lvlb_weights",
                                               "scale_factor",
                                               "global_step"};
  return std::ranges::any_of(fronts, [&](std::string_view front) { return name.starts_with(front); }) ||
         std::ranges::find(names, name) != std::end(names);
}

/// Throws Error where a file is no whole Stable Diffusion 1 or 2, in words of what it is.
inline void expect_single_file(const FileDescription& told) {
  if (told.kind == FileKind::single_file_sd1 || told.kind == FileKind::single_file_sd2) return;
  const auto fail = [&](const std::string& what, const std::string& hint) { throw Error(told.path, what, hint); };
  const auto is = "is " + told.what + ", and no Stable Diffusion 1 or 2";
  switch (told.kind) {
    case FileKind::unknown:
      fail("is no model in one file: it has no tensor '" + std::string(ldm_unet) + "...'" +
               (told.tensors.empty() ? "" : "; its first is '" + printable(told.tensors.front().name) + "'"),
           "give a single-file checkpoint of Stable Diffusion 1 or 2, or a folder in the layout of diffusers");
      break;
    case FileKind::part_unet:
    case FileKind::part_vae:
    case FileKind::part_text_encoder:
      fail("is " + told.what + ", and a part alone is no model", "give the folder that has unet/, vae/ and the others");
      break;
    case FileKind::single_file_sdxl:
    case FileKind::single_file_other:
      fail(is, "a model of another kind is brought by hand: docs/how-to/bring_your_model.md");
      break;
    default:
      fail(is, told.call.empty() ? "give the model that it belongs to" : "read it with " + told.call);
  }
}

/// Throws Error listing the tensors that belong to no part of the model and are not known to be left over.
inline void expect_all_known(const SafeTensors& file, const std::string& text) {
  Complaints unknown;
  for (const auto& [name, info] : file.infos())
    if (!name.starts_with(ldm_unet) && !name.starts_with(ldm_vae) && !name.starts_with(text) &&
        !is_left_by_training(name) && !name.ends_with("embeddings.position_ids"))
      unknown.add(printable(name));
  if (!unknown.empty())
    throw Error(file.path(), "holds what no Stable Diffusion 1 or 2 has:" + unknown.text("unknown"),
                "is it another model, or one with something merged into it?");
}

/// The schedule of Stable Diffusion; what the UNet predicts is asked of the caller where nothing says it.
inline SchedulerConfig single_file_schedule(const SafeTensors& file, bool open_clip, const LoadOptions& options) {
  SchedulerConfig c{.steps_offset = 1, .set_alpha_to_one = false};
  if (!options.prediction_type.empty()) {
    c.prediction_type = options.prediction_type;
    if (c.prediction_type != "epsilon" && c.prediction_type != "v_prediction")
      throw Error("LoadOptions::prediction_type", "is '" + c.prediction_type + "'", "expected epsilon or v_prediction");
  } else if (open_clip) {
    throw Error(file.path(), "a single file of Stable Diffusion 2 does not say what its UNet predicts",
                "set LoadOptions::prediction_type: v_prediction for models of 768 pixels (2.0, 2.1), epsilon for the "
                "base models of 512");
  }
  if (file.contains("alphas_cumprod")) {
    const auto theirs = file.load("alphas_cumprod").to(at::kFloat).flatten(), ours = c.alphas_cumprod();
    if (theirs.sizes() != ours.sizes() || (theirs - ours).abs().max().item<double>() > 2e-3)
      warn("StableDiffusion::load", "the file's alphas_cumprod are not those of Stable Diffusion's schedule",
           "the model is given Stable Diffusion's; save it as a folder and set scheduler_config.json");
  }
  return c;
}

/// The tokenizer that the caller names: the file has none.
inline CLIPTokenizer single_file_tokenizer(const std::string& file, bool open_clip, const LoadOptions& options) {
  if (options.tokenizer.empty())
    throw Error(file, "a single file holds no tokenizer",
                "set LoadOptions::tokenizer to a folder with vocab.json and merges.txt, such as tokenizer/ of the "
                "model's folder");
  auto tokenizer = CLIPTokenizer::from_folder(options.tokenizer);
  if (open_clip && tokenizer.pad_token_id() != 0)
    throw Error(options.tokenizer.string(),
                "pads prompts with the id " + std::to_string(tokenizer.pad_token_id()) +
                    ", and Stable Diffusion 2 was trained with 0 ('!')",
                "give Stable Diffusion 2's tokenizer, or write {\"pad_token\": \"!\"} into its "
                "special_tokens_map.json");
  return tokenizer;
}

/// Reads what a single-file checkpoint says of its model, and finds its weights.
inline StoredModel read_single_file(const std::filesystem::path& path, const LoadOptions& options) {
  const auto file = SafeTensors::open(path);
  const auto told = describe_file(file);
  expect_single_file(told);
  const bool open_clip = told.kind == FileKind::single_file_sd2;
  const auto unet = WeightsFile::part_of(file, ldm_unet), vae = WeightsFile::part_of(file, ldm_vae);
  const auto text = WeightsFile::part_of(file, open_clip ? ldm_open_clip : ldm_clip);
  expect_all_known(file, text.prefix());
  auto tokenizer = single_file_tokenizer(file.path(), open_clip, options);
  auto scheduler = single_file_schedule(file, open_clip, options);
  if (options.sample_size < 0)
    throw Error("LoadOptions::sample_size", "is " + std::to_string(options.sample_size), "1 and more, or 0");
  const auto size = options.sample_size > 0 ? options.sample_size : scheduler.prediction_type == "epsilon" ? 64 : 96;
  double scale = 0.18215;
  if (file.contains("scale_factor")) {
    const auto theirs = file.load("scale_factor");
    expect_shape(theirs.flatten(), {1}, file.path() + ": scale_factor");
    scale = theirs.to(at::kDouble).item<double>();
  }
  auto unet_config = ldm_unet_config(unet, open_clip, size);
  auto vae_config = ldm_vae_config(vae, scale);
  vae_config.sample_size = size << (vae_config.block_out_channels.size() - 1);
  auto unet_names = ldm_unet_names(unet_config);
  auto vae_names = ldm_vae_names(vae_config.block_out_channels.size());
  auto text_config = open_clip ? ldm_open_clip_config(text) : ldm_clip_config(text);
  auto text_names = open_clip ? open_clip_names(text_config.num_hidden_layers) : RenameTensor(rename_text_tensor);
  return {.tokenizer = std::move(tokenizer),
          .text = std::move(text_config),
          .unet = std::move(unet_config),
          .vae = std::move(vae_config),
          .scheduler = std::move(scheduler),
          .text_file = {text, std::move(text_names)},
          .unet_file = {unet, std::move(unet_names)},
          .vae_file = {vae, std::move(vae_names)}};
}

}  // namespace persona::detail
