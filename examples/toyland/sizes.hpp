#pragma once
// The sizes of Toyland's model: SD's architecture, 64x64 pictures, latents of 16x16.

#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/unet_config.hpp>
#include <persona/stable_diffusion/vae.hpp>

namespace toyland {

/// The token table is random and stays so: rows of norm 0.16 under outputs of norm 11.3, 70 to 1 as in CLIP.
inline constexpr double token_std = 0.0143, position_std = 0.01;
inline constexpr std::int64_t text_width = 128, max_length = 40, latent_channels = 8;

inline persona::AutoencoderKLConfig vae_config(double scaling_factor = 1.0) {
  return {.sample_size = 64,
          .latent_channels = latent_channels,
          .block_out_channels = {32, 64, 64},
          .layers_per_block = 1,
          .norm_num_groups = 16,
          .scaling_factor = scaling_factor,
          .mid_block_add_attention = false,
          .use_quant_conv = true,
          .use_post_quant_conv = true};
}

inline persona::CLIPTextConfig text_config(std::int64_t vocabulary) {
  return {.vocab_size = vocabulary,
          .hidden_size = text_width,
          .intermediate_size = 4 * text_width,
          .num_hidden_layers = 6,
          .num_attention_heads = 4,
          .max_position_embeddings = max_length,
          .hidden_act = "quick_gelu",
          .layer_norm_eps = 1e-5};
}

inline persona::UNet2DConditionConfig unet_config() {
  return {.sample_size = 16,
          .in_channels = latent_channels,
          .out_channels = latent_channels,
          .down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"},
          .up_block_types = {"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"},
          .block_out_channels = {96, 128, 128},
          .layers_per_block = {1, 1, 1},
          .transformer_layers_per_block = {1, 1, 1},
          .num_attention_heads = {3, 4, 4},
          .cross_attention_dim = text_width,
          .norm_num_groups = 32,
          .use_linear_projection = true};
}

/// SD's noise schedule.
inline persona::SchedulerConfig schedule_config() { return {.steps_offset = 1, .set_alpha_to_one = false}; }

}  // namespace toyland
