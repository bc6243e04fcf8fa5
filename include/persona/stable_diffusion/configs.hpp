#pragma once
// The config files of a diffusers folder. Every key is either read, or checked to have the one value that is supported,
// or known to change nothing; any other key is an Error, so that no setting passes unnoticed.

#include <persona/core/error.hpp>
#include <persona/io/json.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/unet_config.hpp>
#include <persona/stable_diffusion/vae.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

namespace detail {

inline constexpr std::int64_t most_layers = 256;  // of anything: a config must not ask for more than its file can hold
inline constexpr std::int64_t widest = std::int64_t{1} << 22;

inline void expect_range(const JsonObject& config, const std::string& key, std::int64_t value, std::int64_t low,
                         std::int64_t high) {
  if (value < low || value > high)
    config.fail(key, "is " + std::to_string(value), "expected " + std::to_string(low) + " to " + std::to_string(high));
}
inline std::int64_t read_count(JsonObject& config, const std::string& key, std::int64_t otherwise,
                               std::int64_t high = widest, std::int64_t low = 1) {
  const auto value = config.get<std::int64_t>(key, otherwise);
  expect_range(config, key, value, low, high);
  return value;
}
/// One value a level: a list, or one number for all.
inline std::vector<std::int64_t> read_counts(JsonObject& config, const std::string& key, std::size_t levels,
                                             std::int64_t otherwise, std::int64_t high = widest) {
  if (!config.contains(key)) return std::vector<std::int64_t>(levels, otherwise);
  const auto values = config.each<std::int64_t>(key, levels);
  for (const auto value : values) expect_range(config, key, value, 1, high);
  return values;
}
inline std::vector<std::int64_t> read_levels(JsonObject& config, std::vector<std::int64_t> otherwise) {
  const std::string key = "block_out_channels";
  const auto channels = config.get(key, std::move(otherwise));
  expect_range(config, key + "' (its length) '", static_cast<std::int64_t>(channels.size()), 1, 16);
  for (const auto value : channels) expect_range(config, key, value, 1, widest);
  return channels;
}

inline void expect_one_of(const JsonObject& config, const std::string& key, const std::string& value,
                          std::initializer_list<std::string_view> supported) {
  std::string list;
  for (const auto choice : supported) {
    if (value == choice) return;
    list += (list.empty() ? "" : ", ") + std::string(choice);
  }
  config.fail(key, "is \"" + printable(value) + "\"", "supported: " + list);
}
/// One block type a level, each of them supported.
inline std::vector<std::string> read_block_types(JsonObject& config, const std::string& key,
                                                 std::vector<std::string> otherwise, std::size_t levels,
                                                 std::initializer_list<std::string_view> supported) {
  auto types = config.get(key, std::move(otherwise));
  if (types.size() != levels)
    config.fail(key, "must have " + std::to_string(levels) + " entries, as block_out_channels, got " +
                         std::to_string(types.size()));
  for (const auto& type : types) expect_one_of(config, key, type, supported);
  return types;
}
inline void expect_multiples(const JsonObject& config, const std::vector<std::int64_t>& channels, std::int64_t of,
                             const char* what) {
  for (const auto value : channels)
    if (value % of != 0)
      config.fail("block_out_channels",
                  "has " + std::to_string(value) + ", no multiple of " + what + " " + std::to_string(of));
}

}  // namespace detail

/// unet/config.json of a UNet2DConditionModel. Throws Error naming file, key, value and what is supported.
inline UNet2DConditionConfig read_unet_config(const std::filesystem::path& path) {
  auto file = JsonObject::read(path);
  UNet2DConditionConfig c;
  file.only("_class_name", {R"("UNet2DConditionModel")"});
  c.sample_size = detail::read_count(file, "sample_size", c.sample_size);
  c.in_channels = detail::read_count(file, "in_channels", c.in_channels);
  c.out_channels = detail::read_count(file, "out_channels", c.out_channels);
  c.center_input_sample = file.get("center_input_sample", c.center_input_sample);
  c.flip_sin_to_cos = file.get("flip_sin_to_cos", c.flip_sin_to_cos);
  c.freq_shift = detail::read_count(file, "freq_shift", c.freq_shift, 1, 0);
  c.block_out_channels = detail::read_levels(file, c.block_out_channels);
  const auto levels = c.block_out_channels.size();
  c.down_block_types = detail::read_block_types(file, "down_block_types", c.down_block_types, levels,
                                                {"CrossAttnDownBlock2D", "DownBlock2D"});
  c.up_block_types =
      detail::read_block_types(file, "up_block_types", c.up_block_types, levels, {"CrossAttnUpBlock2D", "UpBlock2D"});
  if (file.contains("mid_block_type")) {
    c.mid_block_type = file.find<std::string>("mid_block_type").value_or("");
    if (!c.mid_block_type.empty())
      detail::expect_one_of(file, "mid_block_type", c.mid_block_type, {"UNetMidBlock2DCrossAttn", "null"});
  }
  c.layers_per_block = detail::read_counts(file, "layers_per_block", levels, 2, detail::most_layers);
  c.transformer_layers_per_block =
      detail::read_counts(file, "transformer_layers_per_block", levels, 1, detail::most_layers);
  c.num_attention_heads =
      detail::read_counts(file, "attention_head_dim", levels, 8);  // the number of heads, by diffusers' old mistake
  file.only("num_attention_heads", {"null"});
  const auto widths = detail::read_counts(file, "cross_attention_dim", levels, 1280);
  if (std::ranges::adjacent_find(widths, std::ranges::not_equal_to()) != widths.end())
    file.fail("cross_attention_dim", "differs between blocks", "supported: one number");
  c.cross_attention_dim = widths.front();
  c.norm_num_groups = detail::read_count(file, "norm_num_groups", c.norm_num_groups);
  c.norm_eps = file.get("norm_eps", c.norm_eps);
  c.use_linear_projection = file.get("use_linear_projection", c.use_linear_projection);
  detail::expect_multiples(file, c.block_out_channels, c.norm_num_groups, "norm_num_groups");
  for (std::size_t i = 0; i < levels; ++i)
    detail::expect_multiples(file, {c.block_out_channels[i]}, c.num_attention_heads[i],
                             "its heads, attention_head_dim");

  if (file.contains("only_cross_attention"))
    for (const bool only : file.each<bool>("only_cross_attention", levels))
      if (only) file.fail("only_cross_attention", "is true", "supported: false");
  file.only("act_fn", {R"("silu")", R"("swish")"});
  file.only("mid_block_only_cross_attention", {"null", "false"});
  file.only("resnet_time_scale_shift", {R"("default")"});
  file.only("time_embedding_type", {R"("positional")"});
  file.only("attention_type", {R"("default")"});
  for (const char* key : {"mid_block_scale_factor", "downsample_padding", "resnet_out_scale_factor"})
    file.only(key, {"1"});
  for (const char* key : {"conv_in_kernel", "conv_out_kernel"}) file.only(key, {"3"});
  for (const char* key : {"dual_cross_attention", "resnet_skip_time_act", "class_embeddings_concat"})
    file.only(key, {"false"});
  for (const char* key : {"class_embed_type", "num_class_embeds", "projection_class_embeddings_input_dim",
                          "addition_embed_type", "addition_time_embed_dim", "encoder_hid_dim", "encoder_hid_dim_type",
                          "time_embedding_dim", "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim",
                          "cross_attention_norm", "reverse_transformer_layers_per_block"})
    file.only(key, {"null"});
  // Of use with an addition_embed_type alone; precision and dropout are this library's own; what training with an
  // average left behind.
  file.ignore({"addition_embed_type_num_heads", "upcast_attention", "dropout", "decay", "inv_gamma", "min_decay",
               "optimization_step", "power", "update_after_step", "use_ema_warmup"});
  file.expect_all_known();
  return c;
}

/// vae/config.json of an AutoencoderKL. Throws Error naming file, key, value and what is supported.
inline AutoencoderKLConfig read_vae_config(const std::filesystem::path& path) {
  auto file = JsonObject::read(path);
  AutoencoderKLConfig c;
  file.only("_class_name", {R"("AutoencoderKL")"});
  c.sample_size = detail::read_count(file, "sample_size", c.sample_size);
  c.in_channels = detail::read_count(file, "in_channels", c.in_channels);
  c.out_channels = detail::read_count(file, "out_channels", c.out_channels);
  c.latent_channels = detail::read_count(file, "latent_channels", c.latent_channels);
  c.block_out_channels = detail::read_levels(file, c.block_out_channels);
  const auto levels = c.block_out_channels.size();
  detail::read_block_types(file, "down_block_types", std::vector<std::string>(levels, "DownEncoderBlock2D"), levels,
                           {"DownEncoderBlock2D"});
  detail::read_block_types(file, "up_block_types", std::vector<std::string>(levels, "UpDecoderBlock2D"), levels,
                           {"UpDecoderBlock2D"});
  c.layers_per_block = detail::read_count(file, "layers_per_block", c.layers_per_block, detail::most_layers);
  c.norm_num_groups = detail::read_count(file, "norm_num_groups", c.norm_num_groups);
  c.scaling_factor = file.get("scaling_factor", c.scaling_factor);
  c.mid_block_add_attention = file.get("mid_block_add_attention", c.mid_block_add_attention);
  c.use_quant_conv = file.get("use_quant_conv", c.use_quant_conv);
  c.use_post_quant_conv = file.get("use_post_quant_conv", c.use_post_quant_conv);
  detail::expect_multiples(file, c.block_out_channels, c.norm_num_groups, "norm_num_groups");
  if (!(c.scaling_factor > 0))
    file.fail("scaling_factor", "is " + detail::json_shown(c.scaling_factor), "expected a positive number");
  file.only("act_fn", {R"("silu")", R"("swish")"});
  file.only("shift_factor", {"null", "0"});
  for (const char* key : {"latents_mean", "latents_std"}) file.only(key, {"null"});
  file.ignore({"force_upcast"});  // about fp16, which is not computed in
  file.expect_all_known();
  return c;
}

/// text_encoder/config.json of a CLIPTextModel. Throws Error naming file, key, value and what is supported.
inline CLIPTextConfig read_text_config(const std::filesystem::path& path) {
  auto file = JsonObject::read(path);
  CLIPTextConfig c;
  file.only("model_type", {R"("clip_text_model")"});
  file.only("architectures", {R"(["CLIPTextModel"])", "null"});
  c.vocab_size = detail::read_count(file, "vocab_size", c.vocab_size);
  c.hidden_size = detail::read_count(file, "hidden_size", c.hidden_size);
  c.intermediate_size = detail::read_count(file, "intermediate_size", c.intermediate_size);
  c.num_hidden_layers = detail::read_count(file, "num_hidden_layers", c.num_hidden_layers, detail::most_layers);
  c.num_attention_heads = detail::read_count(file, "num_attention_heads", c.num_attention_heads);
  c.max_position_embeddings = detail::read_count(file, "max_position_embeddings", c.max_position_embeddings);
  c.hidden_act = file.get("hidden_act", c.hidden_act);
  c.layer_norm_eps = file.get("layer_norm_eps", c.layer_norm_eps);
  detail::expect_one_of(file, "hidden_act", c.hidden_act, {"quick_gelu", "gelu"});
  if (c.hidden_size % c.num_attention_heads != 0)
    file.fail("hidden_size", "is " + std::to_string(c.hidden_size) + ", no multiple of num_attention_heads " +
                                 std::to_string(c.num_attention_heads));
  // Ids are the tokenizer's business, dropout is off, the projection is not part of this model; the rest is
  // bookkeeping.
  file.ignore(
      {"attention_dropout",    "dropout",     "bos_token_id",      "eos_token_id",         "pad_token_id",
       "projection_dim",       "dtype",       "torch_dtype",       "initializer_factor",   "initializer_range",
       "transformers_version", "return_dict", "output_attentions", "output_hidden_states", "use_cache",
       "tie_word_embeddings",  "id2label",    "label2id",          "problem_type",         "is_encoder_decoder"});
  file.expect_all_known();
  return c;
}

/// scheduler/scheduler_config.json of any scheduler over a beta schedule; keys that are not there take diffusers'
/// defaults of that class. Solver settings are not read: the sampler is the caller's choice. Throws Error naming file,
/// key, value and what is supported.
inline SchedulerConfig read_scheduler_config(const std::filesystem::path& path) {
  auto file = JsonObject::read(path);
  const auto type = file.get<std::string>("_class_name", "DDPMScheduler");
  detail::expect_one_of(file, "_class_name", type,
                        {"DDPMScheduler", "DDIMScheduler", "PNDMScheduler", "LMSDiscreteScheduler",
                         "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler",
                         "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverMultistepScheduler",
                         "DPMSolverSinglestepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler"});
  const bool clips = type == "DDPMScheduler" || type == "DDIMScheduler";  // unless told not to
  SchedulerConfig c{.beta_start = 1e-4, .beta_end = 0.02, .beta_schedule = "linear", .clip_sample = clips};
  if (type.starts_with("Heun") || type.starts_with("KDPM2")) c.beta_start = 0.00085, c.beta_end = 0.012;
  c.num_train_timesteps = detail::read_count(file, "num_train_timesteps", c.num_train_timesteps, 1'000'000);
  c.beta_start = file.get("beta_start", c.beta_start);
  c.beta_end = file.get("beta_end", c.beta_end);
  c.beta_schedule = file.get("beta_schedule", c.beta_schedule);
  c.prediction_type = file.get("prediction_type", c.prediction_type);
  c.timestep_spacing =
      file.get<std::string>("timestep_spacing", clips || type == "PNDMScheduler" ? "leading" : "linspace");
  c.steps_offset = detail::read_count(file, "steps_offset", c.steps_offset, c.num_train_timesteps - 1, 0);
  c.set_alpha_to_one = file.get("set_alpha_to_one", type != "PNDMScheduler");
  c.clip_sample = file.get("clip_sample", c.clip_sample);
  c.clip_sample_range = file.get("clip_sample_range", c.clip_sample_range);
  c.rescale_betas_zero_snr = file.get("rescale_betas_zero_snr", c.rescale_betas_zero_snr);
  detail::expect_one_of(file, "beta_schedule", c.beta_schedule, {"linear", "scaled_linear", "squaredcos_cap_v2"});
  detail::expect_one_of(file, "prediction_type", c.prediction_type, {"epsilon", "v_prediction", "sample"});
  detail::expect_one_of(file, "timestep_spacing", c.timestep_spacing, {"leading", "trailing", "linspace"});
  for (const auto& [key, beta] : {std::pair{"beta_start", c.beta_start}, std::pair{"beta_end", c.beta_end}})
    if (!(beta > 0 && beta < 1)) file.fail(key, "is " + detail::json_shown(beta), "expected a number between 0 and 1");
  file.only("trained_betas", {"null"});
  for (const char* key : {"thresholding", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas",
                          "use_flow_sigmas", "use_lu_lambdas", "use_dynamic_shifting"})
    file.only(key, {"false"});
  for (const char* key : {"sigma_min", "sigma_max", "shift_terminal"}) file.only(key, {"null"});
  file.only("timestep_type", {R"("discrete")"});
  // Settings of one solver or another, of what is switched off above, and of sampling with the reverse process'
  // variance.
  file.ignore({"variance_type", "skip_prk_steps", "solver_order", "solver_type", "solver_p", "algorithm_type",
               "lower_order_final", "euler_at_final", "final_sigmas_type", "lambda_min_clipped", "interpolation_type",
               "predict_x0", "disable_corrector", "dynamic_thresholding_ratio", "sample_max_value", "flow_shift",
               "time_shift_type", "tensor_format"});
  file.expect_all_known();
  return c;
}

}  // namespace persona
