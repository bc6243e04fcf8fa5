#pragma once
// Config files as diffusers and transformers write them: what read_config.hpp reads back.

#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/stable_diffusion/unet_config.hpp>
#include <persona/stable_diffusion/vae.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace persona::detail {

/// The version of diffusers whose layout and key names these are.
inline constexpr const char* diffusers_version = "0.42.1";

// One number where all levels have the same.
inline nlohmann::json one_or_each(const std::vector<std::int64_t>& values) {
  if (std::ranges::adjacent_find(values, std::ranges::not_equal_to()) == values.end() && !values.empty())
    return values.front();
  return values;
}

inline nlohmann::json to_json(const UNet2DConditionConfig& c) {
  return {{"_class_name", "UNet2DConditionModel"},
          {"_diffusers_version", diffusers_version},
          {"act_fn", "silu"},
          {"attention_head_dim", one_or_each(c.num_attention_heads)},
          {"block_out_channels", c.block_out_channels},
          {"center_input_sample", c.center_input_sample},
          {"cross_attention_dim", c.cross_attention_dim},
          {"down_block_types", c.down_block_types},
          {"downsample_padding", 1},
          {"flip_sin_to_cos", c.flip_sin_to_cos},
          {"freq_shift", c.freq_shift},
          {"in_channels", c.in_channels},
          {"layers_per_block", one_or_each(c.layers_per_block)},
          {"mid_block_scale_factor", 1},
          {"mid_block_type", c.mid_block_type.empty() ? nlohmann::json() : nlohmann::json(c.mid_block_type)},
          {"norm_eps", c.norm_eps},
          {"norm_num_groups", c.norm_num_groups},
          {"out_channels", c.out_channels},
          {"sample_size", c.sample_size},
          {"transformer_layers_per_block", one_or_each(c.transformer_layers_per_block)},
          {"up_block_types", c.up_block_types},
          {"use_linear_projection", c.use_linear_projection}};
}

inline nlohmann::json to_json(const AutoencoderKLConfig& c) {
  const auto levels = c.block_out_channels.size();
  return {{"_class_name", "AutoencoderKL"},
          {"_diffusers_version", diffusers_version},
          {"act_fn", "silu"},
          {"block_out_channels", c.block_out_channels},
          {"down_block_types", std::vector<std::string>(levels, "DownEncoderBlock2D")},
          {"force_upcast", true},
          {"in_channels", c.in_channels},
          {"latent_channels", c.latent_channels},
          {"layers_per_block", c.layers_per_block},
          {"mid_block_add_attention", c.mid_block_add_attention},
          {"norm_num_groups", c.norm_num_groups},
          {"out_channels", c.out_channels},
          {"sample_size", c.sample_size},
          {"scaling_factor", c.scaling_factor},
          {"up_block_types", std::vector<std::string>(levels, "UpDecoderBlock2D")},
          {"use_post_quant_conv", c.use_post_quant_conv},
          {"use_quant_conv", c.use_quant_conv}};
}

/// Ids are for transformers' pooled output alone; nothing here reads them.
inline nlohmann::json to_json(const CLIPTextConfig& c, const CLIPTokenizer& tokenizer) {
  return {{"architectures", {"CLIPTextModel"}},
          {"bos_token_id", tokenizer.bos_token_id()},
          {"eos_token_id", tokenizer.eos_token_id()},
          {"hidden_act", c.hidden_act},
          {"hidden_size", c.hidden_size},
          {"intermediate_size", c.intermediate_size},
          {"layer_norm_eps", c.layer_norm_eps},
          {"max_position_embeddings", c.max_position_embeddings},
          {"model_type", "clip_text_model"},
          {"num_attention_heads", c.num_attention_heads},
          {"num_hidden_layers", c.num_hidden_layers},
          {"pad_token_id", tokenizer.pad_token_id()},
          {"projection_dim", c.hidden_size},
          {"vocab_size", c.vocab_size}};
}

inline nlohmann::json to_json(const SchedulerConfig& c) {
  return {{"_class_name", "DDIMScheduler"},
          {"_diffusers_version", diffusers_version},
          {"beta_end", c.beta_end},
          {"beta_schedule", c.beta_schedule},
          {"beta_start", c.beta_start},
          {"clip_sample", c.clip_sample},
          {"clip_sample_range", c.clip_sample_range},
          {"num_train_timesteps", c.num_train_timesteps},
          {"prediction_type", c.prediction_type},
          {"rescale_betas_zero_snr", c.rescale_betas_zero_snr},
          {"set_alpha_to_one", c.set_alpha_to_one},
          {"steps_offset", c.steps_offset},
          {"thresholding", false},
          {"timestep_spacing", c.timestep_spacing},
          {"trained_betas", nullptr}};
}

inline nlohmann::json pipeline_index() {
  const auto part = [](const char* library, const char* type) { return nlohmann::json::array({library, type}); };
  const auto none = nlohmann::json::array({nullptr, nullptr});
  return {{"_class_name", "StableDiffusionPipeline"},
          {"_diffusers_version", diffusers_version},
          {"feature_extractor", none},
          {"image_encoder", none},
          {"requires_safety_checker", false},
          {"safety_checker", none},
          {"scheduler", part("diffusers", "DDIMScheduler")},
          {"text_encoder", part("transformers", "CLIPTextModel")},
          {"tokenizer", part("transformers", "CLIPTokenizer")},
          {"unet", part("diffusers", "UNet2DConditionModel")},
          {"vae", part("diffusers", "AutoencoderKL")}};
}

}  // namespace persona::detail
