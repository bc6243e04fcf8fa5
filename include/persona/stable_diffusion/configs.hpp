#pragma once

#include <persona/core/error.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/config_file.hpp>
#include <persona/stable_diffusion/unet_config.hpp>
#include <persona/stable_diffusion/vae.hpp>

#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

namespace persona {

/// unet/config.json; throws Error naming file, key and value where this UNet is not one that can be built.
inline UNet2DConditionConfig read_unet_config(const std::filesystem::path& path) {
  detail::ConfigFile file(path);
  UNet2DConditionConfig c;
  file.read("block_out_channels", c.block_out_channels);
  const auto levels = c.block_out_channels.size();
  file.read("sample_size", c.sample_size);
  file.read("in_channels", c.in_channels);
  file.read("out_channels", c.out_channels);
  file.read("center_input_sample", c.center_input_sample);
  file.read("flip_sin_to_cos", c.flip_sin_to_cos);
  file.read("freq_shift", c.freq_shift);
  file.read("down_block_types", c.down_block_types);
  file.read("up_block_types", c.up_block_types);
  file.read("mid_block_type", c.mid_block_type);
  file.read_by_level("layers_per_block", c.layers_per_block, levels);
  file.read_by_level("transformer_layers_per_block", c.transformer_layers_per_block, levels);
  file.read_by_level("attention_head_dim", c.num_attention_heads, levels);
  if (file.has("num_attention_heads")) file.read_by_level("num_attention_heads", c.num_attention_heads, levels);
  file.read("cross_attention_dim", c.cross_attention_dim);
  file.read("norm_num_groups", c.norm_num_groups);
  file.read("norm_eps", c.norm_eps);
  file.read("use_linear_projection", c.use_linear_projection);
  for (const char* key : {"addition_embed_type", "addition_time_embed_dim", "class_embed_type", "encoder_hid_dim", "encoder_hid_dim_type", "num_class_embeds",
                          "projection_class_embeddings_input_dim", "reverse_transformer_layers_per_block", "time_cond_proj_dim", "time_embedding_act_fn",
                          "time_embedding_dim", "timestep_post_act", "cross_attention_norm", "num_attention_heads"})
    if (std::string(key) != "num_attention_heads" || !file.has(key)) file.only(key, {"null"});
  file.only("act_fn", {"\"silu\"", "\"swish\""});
  file.only("attention_type", {"\"default\""});
  file.only("class_embeddings_concat", {"false"});
  file.only("conv_in_kernel", {"3"});
  file.only("conv_out_kernel", {"3"});
  file.only("downsample_padding", {"1"});
  file.only("dropout", {"0.0"});
  file.only("dual_cross_attention", {"false"});
  file.only("mid_block_only_cross_attention", {"null", "false"});
  file.only("mid_block_scale_factor", {"1"});
  file.only("only_cross_attention", {"false"});
  file.only("resnet_out_scale_factor", {"1.0"});
  file.only("resnet_skip_time_act", {"false"});
  file.only("resnet_time_scale_shift", {"\"default\""});
  file.only("time_embedding_type", {"\"positional\""});
  file.ignore({"addition_embed_type_num_heads", "upcast_attention"});  // attention scores are accumulated in fp32 in any case
  file.finish();
  try {
    c.check();
  } catch (const Error& error) {
    throw Error(file.file(), error.what());
  }
  return c;
}

/// vae/config.json.
inline AutoencoderKLConfig read_vae_config(const std::filesystem::path& path) {
  detail::ConfigFile file(path);
  AutoencoderKLConfig c;
  file.read("sample_size", c.sample_size);
  file.read("in_channels", c.in_channels);
  file.read("out_channels", c.out_channels);
  file.read("latent_channels", c.latent_channels);
  file.read("block_out_channels", c.block_out_channels);
  file.read("layers_per_block", c.layers_per_block);
  file.read("norm_num_groups", c.norm_num_groups);
  file.read("scaling_factor", c.scaling_factor);
  file.read("mid_block_add_attention", c.mid_block_add_attention);
  file.read("use_quant_conv", c.use_quant_conv);
  file.read("use_post_quant_conv", c.use_post_quant_conv);
  std::vector<std::string> down, up;
  file.read("down_block_types", down);
  file.read("up_block_types", up);
  for (const auto& [list, key, only] : {std::tuple{&down, "down_block_types", "DownEncoderBlock2D"}, std::tuple{&up, "up_block_types", "UpDecoderBlock2D"}})
    for (const std::string& type : *list)
      if (type != only) throw Error(file.file() + ": " + key, "has '" + type + "'", std::string("supported: ") + only);
  for (const char* key : {"latents_mean", "latents_std", "shift_factor"}) file.only(key, {"null"});
  file.only("act_fn", {"\"silu\"", "\"swish\""});
  file.ignore({"force_upcast"});
  file.finish();
  return c;
}

/// text_encoder/config.json.
inline CLIPTextConfig read_text_config(const std::filesystem::path& path) {
  detail::ConfigFile file(path);
  CLIPTextConfig c;
  file.read("vocab_size", c.vocab_size);
  file.read("hidden_size", c.hidden_size);
  file.read("intermediate_size", c.intermediate_size);
  file.read("num_hidden_layers", c.num_hidden_layers);
  file.read("num_attention_heads", c.num_attention_heads);
  file.read("max_position_embeddings", c.max_position_embeddings);
  file.read("hidden_act", c.hidden_act);
  file.read("layer_norm_eps", c.layer_norm_eps);
  file.only("model_type", {"\"clip_text_model\""});
  file.ignore({"architectures", "attention_dropout", "bos_token_id", "dropout", "dtype", "eos_token_id", "gradient_checkpointing", "initializer_factor", "initializer_range",
               "pad_token_id", "projection_dim", "torch_dtype", "transformers_version", "use_cache", "return_dict", "output_attentions", "output_hidden_states", "attn_implementation"});
  file.finish();
  return c;
}

/// scheduler/scheduler_config.json, of whichever of diffusers' schedulers wrote it; keys of one solver alone are passed over.
inline SchedulerConfig read_scheduler_config(const std::filesystem::path& path) {
  detail::ConfigFile file(path);
  SchedulerConfig c{.beta_start = 1e-4, .beta_end = 0.02, .beta_schedule = "linear"};  // diffusers' own defaults
  file.read("num_train_timesteps", c.num_train_timesteps);
  file.read("beta_start", c.beta_start);
  file.read("beta_end", c.beta_end);
  file.read("beta_schedule", c.beta_schedule);
  file.read("prediction_type", c.prediction_type);
  file.read("timestep_spacing", c.timestep_spacing);
  file.read("steps_offset", c.steps_offset);
  file.read("set_alpha_to_one", c.set_alpha_to_one);
  file.read("clip_sample", c.clip_sample);
  file.read("clip_sample_range", c.clip_sample_range);
  file.read("rescale_betas_zero_snr", c.rescale_betas_zero_snr);
  file.only("trained_betas", {"null"});
  file.only("thresholding", {"false"});
  file.ignore({"dynamic_thresholding_ratio", "sample_max_value", "variance_type", "skip_prk_steps", "solver_order", "algorithm_type", "solver_type", "lower_order_final",
               "euler_at_final", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas", "use_lu_lambdas", "flow_shift", "final_sigmas_type",
               "lambda_min_clipped", "interpolation_type", "timestep_type", "sigma_min", "sigma_max", "use_dynamic_shifting", "time_shift_type", "use_clipped_model_output"});
  file.finish();
  c.check();
  return c;
}

}  // namespace persona
