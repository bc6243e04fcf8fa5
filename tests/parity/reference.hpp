#pragma once
// What make_reference.py stored: the models by the library's own loader, the inputs and outputs beside them.

#include "support/catch.hpp"

#include <persona/io/safetensors.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/stable_diffusion.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace reference {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using persona::Tensor;
using Tensors = std::map<std::string, Tensor>;

inline const std::vector<std::string> models{"sd1_small", "sd1_deep", "sd2_small", "sd2_odd"};

inline fs::path data() {
  const char* elsewhere = std::getenv("PERSONA_PARITY_DATA");
  return elsewhere ? fs::path(elsewhere) : fs::path(PERSONA_TEST_DATA).parent_path() / "parity" / "data";
}

inline Json json(const fs::path& path) {
  std::ifstream file(path);
  INFO("no reference at " << path);
  REQUIRE(file);
  return Json::parse(file);
}

inline Tensors tensors(const fs::path& path, at::Device device = at::kCPU) {
  const auto file = persona::SafeTensors::open(path);
  Tensors result;
  for (const auto& name : file.names()) result.emplace(name, file.load(name).to(device));
  return result;
}

/// The stored inputs and outputs of one model.
inline Tensors stored(const std::string& model, at::Device device = at::kCPU) {
  return tensors(data() / "models" / model / "reference.safetensors", device);
}

inline persona::UNet2DConditionModel unet(const std::string& model, at::Device device = at::kCPU) {
  const auto folder = data() / "models" / model / "unet";
  persona::UNet2DConditionModel result(persona::read_unet_config(folder / "config.json"));
  persona::load_weights(result, persona::WeightsFile::find(folder, "diffusion_pytorch_model"), device, at::kFloat);
  return result;
}

inline persona::CLIPTextModel text_encoder(const std::string& model, at::Device device = at::kCPU) {
  const auto folder = data() / "models" / model / "text_encoder";
  persona::CLIPTextModel result(persona::read_text_config(folder / "config.json"));
  persona::load_weights(result, persona::WeightsFile::find(folder, "model"), device, at::kFloat,
                        persona::detail::rename_text_tensor);
  return result;
}

inline persona::AutoencoderKL vae(const std::string& model, at::Device device = at::kCPU) {
  const auto folder = data() / "models" / model / "vae";
  persona::AutoencoderKL result(persona::read_vae_config(folder / "config.json"));
  persona::load_weights(result, persona::WeightsFile::find(folder, "diffusion_pytorch_model"), device, at::kFloat,
                        persona::detail::rename_vae_tensor);
  return result;
}

inline persona::SchedulerConfig scheduler_config(const Json& c) {
  persona::SchedulerConfig config{.beta_start = 1e-4, .beta_end = 0.02, .beta_schedule = "linear"};  // diffusers' own
  const auto read = [&](const char* key, auto& field) {
    if (c.contains(key)) c.at(key).get_to(field);
  };
  read("beta_start", config.beta_start);
  read("beta_end", config.beta_end);
  read("beta_schedule", config.beta_schedule);
  read("prediction_type", config.prediction_type);
  read("timestep_spacing", config.timestep_spacing);
  read("steps_offset", config.steps_offset);
  read("set_alpha_to_one", config.set_alpha_to_one);
  read("clip_sample", config.clip_sample);
  read("clip_sample_range", config.clip_sample_range);
  read("rescale_betas_zero_snr", config.rescale_betas_zero_snr);
  return config;
}

/// The largest difference, in units of the largest entry of `expected`.
inline double relative_error(const Tensor& found, const Tensor& expected) {
  REQUIRE(found.sizes() == expected.sizes());
  REQUIRE(expected.isfinite().all().item<bool>());
  const auto scale = expected.abs().max().item<double>();
  REQUIRE(scale > 0);
  return (found.detach().cpu().to(at::kDouble) - expected.cpu()).abs().max().item<double>() / scale;
}

}  // namespace reference
