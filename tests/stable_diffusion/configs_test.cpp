#include "support/catch.hpp"
#include "support/folder.hpp"

#include "stable_diffusion/small_folder.hpp"

#include <persona/stable_diffusion/configs.hpp>

#include <functional>
#include <string>

namespace {

using Catch::Contains;
using persona::test::Folder;
using small::Json;

/// What reading a config says once `key` has `value` (JSON text).
template <class Read>
std::string said(const char* part, const Read& read, const std::string& key, const std::string& value) {
  static const Folder whole;
  static const bool written = (small::write_folder(whole.path()), true);
  static_cast<void>(written);
  const Folder folder;
  auto json = small::read_json(whole / part);
  json[key] = Json::parse(value);
  const auto path = folder / "config.json";
  small::write_text(path, json.dump());
  try {
    read(path);
  } catch (const persona::Error& error) {
    const std::string what = error.what(), start = "[persona] " + path.string() + ": ";
    return what.starts_with(start) ? what.substr(start.size()) : "WITHOUT THE FILE: " + what;
  }
  return "read";
}
std::string unet(const std::string& key, const std::string& value) {
  return said("unet/config.json", [](const auto& path) { persona::read_unet_config(path); }, key, value);
}
std::string vae(const std::string& key, const std::string& value) {
  return said("vae/config.json", [](const auto& path) { persona::read_vae_config(path); }, key, value);
}
std::string text(const std::string& key, const std::string& value) {
  return said("text_encoder/config.json", [](const auto& path) { persona::read_text_config(path); }, key, value);
}
std::string scheduler(const std::string& key, const std::string& value) {
  return said(
      "scheduler/scheduler_config.json", [](const auto& path) { persona::read_scheduler_config(path); }, key, value);
}

persona::SchedulerConfig schedule(const std::string& json) {
  const Folder folder;
  small::write_text(folder / "scheduler_config.json", json);
  return persona::read_scheduler_config(folder / "scheduler_config.json");
}

}  // namespace

TEST_CASE("a UNet that is not one of Stable Diffusion's says which key is in the way") {
  CHECK(unet("class_embed_type", R"("timestep")") == "'class_embed_type' is \"timestep\" (supported: null)");
  CHECK(unet("addition_embed_type", R"("text_time")") == "'addition_embed_type' is \"text_time\" (supported: null)");
  CHECK(unet("dual_cross_attention", "true") == "'dual_cross_attention' is true (supported: false)");
  CHECK(unet("act_fn", R"("mish")") == "'act_fn' is \"mish\" (supported: \"silu\", \"swish\")");
  CHECK(unet("num_class_embeds", "1000") == "'num_class_embeds' is 1000 (supported: null)");
  CHECK(unet("only_cross_attention", "[false, true]") == "'only_cross_attention' is true (supported: false)");
  CHECK(unet("_class_name", R"("UNet3DConditionModel")") ==
        "'_class_name' is \"UNet3DConditionModel\" (supported: \"UNet2DConditionModel\")");
  CHECK(unet("num_attention_heads", "8") == "'num_attention_heads' is 8 (supported: null)");
  CHECK(unet("resnet_time_scale_shift", R"("scale_shift")") ==
        "'resnet_time_scale_shift' is \"scale_shift\" (supported: \"default\")");
  CHECK_THAT(unet("down_block_types", R"(["DownBlock2D", "AttnDownBlock2D"])"),
             Contains("'down_block_types' is \"AttnDownBlock2D\" (supported: CrossAttnDownBlock2D, DownBlock2D)"));
  CHECK_THAT(unet("mid_block_type", R"("UNetMidBlock2D")"), Contains("'mid_block_type' is \"UNetMidBlock2D\""));
  CHECK_THAT(unet("cross_attention_dim", "[8, 16]"), Contains("'cross_attention_dim' differs between blocks"));
}

TEST_CASE("a UNet config that contradicts itself says where") {
  CHECK(unet("block_out_channels", "[8, 10]") == "'block_out_channels' has 10, no multiple of norm_num_groups 4");
  CHECK(unet("block_out_channels", R"("abc")") == "'block_out_channels' must be a list of whole numbers, got \"abc\"");
  CHECK(unet("attention_head_dim", "3") ==
        "'block_out_channels' has 8, no multiple of its heads, attention_head_dim 3");
  CHECK(unet("layers_per_block", "[1, 1, 1]") == "'layers_per_block' must have 2 entries, got [1,1,1]");
  CHECK(unet("up_block_types", R"(["UpBlock2D"])") ==
        "'up_block_types' must have 2 entries, as block_out_channels, got 1");
  CHECK(unet("layers_per_block", "1000000000") == "'layers_per_block' is 1000000000 (expected 1 to 256)");
  CHECK(unet("in_channels", "-4") == "'in_channels' is -4 (expected 1 to 4194304)");
  CHECK(unet("in_channels", "0") == "'in_channels' is 0 (expected 1 to 4194304)");
  CHECK(unet("norm_eps", "null") == "'norm_eps' must be a number, got null");
  CHECK_THAT(unet("block_out_channels", "[]"), Contains("'block_out_channels'") && Contains("expected 1 to 16"));
}

TEST_CASE("a key on no list is an error; the writer's own and those that change nothing are not") {
  CHECK_THAT(unet("brand_new_block", "true"),
             Contains("'brand_new_block' is a key that is not known here, with the value true"));
  CHECK_THAT(vae("brand_new_block", "1"), Contains("'brand_new_block' is a key"));
  CHECK_THAT(text("quantization_config", "{}"), Contains("'quantization_config' is a key"));
  CHECK_THAT(scheduler("shift", "3.0"), Contains("'shift' is a key"));
  CHECK(unet("_name_or_path", R"("x")") == "read");
  CHECK(unet("upcast_attention", "true") == "read");
  CHECK(unet("dropout", "0.1") == "read");
  CHECK(unet("only_cross_attention", "[false, false]") == "read");
  CHECK(unet("mid_block_type", "null") == "read");
  CHECK(text("torch_dtype", R"("float16")") == "read");
  CHECK(vae("force_upcast", "false") == "read");
}

TEST_CASE("autoencoders and text encoders that are others say so") {
  CHECK(vae("_class_name", R"("AutoencoderTiny")") ==
        "'_class_name' is \"AutoencoderTiny\" (supported: \"AutoencoderKL\")");
  CHECK(vae("shift_factor", "0.1159") == "'shift_factor' is 0.1159 (supported: null, 0)");
  CHECK(vae("latents_mean", "[0.0]") == "'latents_mean' is [0.0] (supported: null)");
  CHECK(vae("scaling_factor", "0") == "'scaling_factor' is 0.0 (expected a positive number)");
  CHECK(vae("norm_num_groups", "5") == "'block_out_channels' has 8, no multiple of norm_num_groups 5");
  CHECK_THAT(vae("down_block_types", R"(["DownEncoderBlock2D", "AttnDownEncoderBlock2D"])"),
             Contains("supported: DownEncoderBlock2D"));
  CHECK(text("model_type", R"("t5")") == "'model_type' is \"t5\" (supported: \"clip_text_model\")");
  CHECK(text("architectures", R"(["CLIPTextModelWithProjection"])") ==
        "'architectures' is [\"CLIPTextModelWithProjection\"] (supported: [\"CLIPTextModel\"], null)");
  CHECK(text("hidden_act", R"("relu")") == "'hidden_act' is \"relu\" (supported: quick_gelu, gelu)");
  CHECK(text("num_attention_heads", "3") == "'hidden_size' is 8, no multiple of num_attention_heads 3");
}

TEST_CASE("schedules that are not supported say so") {
  CHECK_THAT(scheduler("_class_name", R"("FlowMatchEulerDiscreteScheduler")"),
             Contains("'_class_name' is \"FlowMatchEulerDiscreteScheduler\" (supported: DDPMScheduler, "));
  CHECK_THAT(scheduler("beta_schedule", R"("sigmoid")"),
             Contains("'beta_schedule' is \"sigmoid\" (supported: linear, scaled_linear, squaredcos_cap_v2)"));
  CHECK_THAT(scheduler("prediction_type", R"("flow")"), Contains("supported: epsilon, v_prediction, sample"));
  CHECK_THAT(scheduler("timestep_spacing", R"("log")"), Contains("supported: leading, trailing, linspace"));
  CHECK(scheduler("trained_betas", "[0.1]") == "'trained_betas' is [0.1] (supported: null)");
  CHECK(scheduler("use_karras_sigmas", "true") == "'use_karras_sigmas' is true (supported: false)");
  CHECK(scheduler("beta_end", "1.5") == "'beta_end' is 1.5 (expected a number between 0 and 1)");
  CHECK(scheduler("steps_offset", "1000") == "'steps_offset' is 1000 (expected 0 to 999)");
}

TEST_CASE("keys that are not there take the defaults of their scheduler's class") {
  const auto ddim = schedule(R"({"_class_name": "DDIMScheduler"})");
  CHECK(ddim.beta_schedule == "linear");
  CHECK(ddim.beta_end == 0.02);
  CHECK(ddim.clip_sample);
  CHECK(ddim.set_alpha_to_one);
  CHECK(ddim.timestep_spacing == "leading");
  const auto pndm = schedule(R"({"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear"})");
  CHECK(pndm.beta_schedule == "scaled_linear");
  CHECK_FALSE(pndm.clip_sample);
  CHECK_FALSE(pndm.set_alpha_to_one);
  const auto euler = schedule(R"({"_class_name": "EulerDiscreteScheduler", "prediction_type": "v_prediction"})");
  CHECK(euler.timestep_spacing == "linspace");
  CHECK(euler.prediction_type == "v_prediction");
  const auto dpm =
      schedule(R"({"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "solver_order": 2,
                                "_use_default_values": ["solver_order"]})");
  CHECK(dpm.num_train_timesteps == 1000);
}
