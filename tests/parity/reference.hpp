#pragma once
// What make_reference.py stored, read with a reader of the tests' own: a fault of the library's loader cannot hide
// here.

#include "support/catch.hpp"

#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/unet.hpp>
#include <persona/stable_diffusion/vae.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
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

/// The tensors of a safetensors file: an eight-byte length, a JSON header, the data.
inline Tensors tensors(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  INFO("no reference at " << path);
  REQUIRE(file);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const char* begin = bytes.data() + sizeof length;
  Tensors result;
  const auto header = Json::parse(begin, begin + length);  // a copy: items() of a temporary would dangle
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto type = entry.at("dtype") == "I64" ? at::kLong : at::kFloat;
    auto tensor = at::empty(entry.at("shape").get<std::vector<std::int64_t>>(), type);
    const auto offset = entry.at("data_offsets").at(0).get<std::size_t>();
    REQUIRE(entry.at("data_offsets").at(1).get<std::size_t>() - offset == tensor.nbytes());
    std::memcpy(tensor.data_ptr(), begin + length + offset, tensor.nbytes());
    result.emplace(name, std::move(tensor));
  }
  return result;
}

/// Gives every weight of `module` the tensor of its name; every tensor must be used and every shape fit.
template <class Module>
void fill(Module& module, Tensors stored, const std::string& prefix_in_module = {}) {
  persona::for_each_weight(module, [&](const std::string& name, persona::Weight& weight) {
    auto found = stored.find(name);
    if (found == stored.end() && name.starts_with(prefix_in_module))
      found = stored.find(name.substr(prefix_in_module.size()));
    INFO(name << " is not in the file");
    REQUIRE(found != stored.end());
    REQUIRE(found->second.sizes() == weight.base.sizes());
    weight.base = found->second;
    stored.erase(found);
  });
  stored.erase("text_model.embeddings.position_ids");
  INFO("left over: " << (stored.empty() ? std::string() : stored.begin()->first));
  REQUIRE(stored.empty());
}

/// One number for all levels, or one a level.
inline std::vector<std::int64_t> by_level(const Json& value, std::size_t levels) {
  return value.is_array() ? value.get<std::vector<std::int64_t>>()
                          : std::vector<std::int64_t>(levels, value.get<std::int64_t>());
}

inline persona::UNet2DConditionModel unet(const std::string& model) {
  const auto folder = data() / "models" / model / "unet";
  const auto c = json(folder / "config.json");
  const auto widths = c.at("block_out_channels").get<std::vector<std::int64_t>>();
  persona::UNet2DConditionModel result(persona::UNet2DConditionConfig{
      .sample_size = c.at("sample_size"),
      .in_channels = c.at("in_channels"),
      .out_channels = c.at("out_channels"),
      .center_input_sample = c.at("center_input_sample"),
      .flip_sin_to_cos = c.at("flip_sin_to_cos"),
      .freq_shift = c.at("freq_shift"),
      .down_block_types = c.at("down_block_types"),
      .mid_block_type = c.at("mid_block_type"),
      .up_block_types = c.at("up_block_types"),
      .block_out_channels = widths,
      .layers_per_block = by_level(c.at("layers_per_block"), widths.size()),
      .transformer_layers_per_block = by_level(c.at("transformer_layers_per_block"), widths.size()),
      .num_attention_heads = by_level(c.at("attention_head_dim"), widths.size()),
      .cross_attention_dim = c.at("cross_attention_dim"),
      .norm_num_groups = c.at("norm_num_groups"),
      .norm_eps = c.at("norm_eps"),
      .use_linear_projection = c.at("use_linear_projection"),
  });
  fill(result, tensors(folder / "diffusion_pytorch_model.safetensors"));
  return result;
}

inline persona::CLIPTextModel text_encoder(const std::string& model) {
  const auto folder = data() / "models" / model / "text_encoder";
  const auto c = json(folder / "config.json");
  persona::CLIPTextModel result(persona::CLIPTextConfig{
      .vocab_size = c.at("vocab_size"),
      .hidden_size = c.at("hidden_size"),
      .intermediate_size = c.at("intermediate_size"),
      .num_hidden_layers = c.at("num_hidden_layers"),
      .num_attention_heads = c.at("num_attention_heads"),
      .max_position_embeddings = c.at("max_position_embeddings"),
      .hidden_act = c.at("hidden_act"),
      .layer_norm_eps = c.at("layer_norm_eps"),
  });
  fill(result, tensors(folder / "model.safetensors"), "text_model.");
  return result;
}

inline persona::AutoencoderKL vae(const std::string& model) {
  const auto folder = data() / "models" / model / "vae";
  const auto c = json(folder / "config.json");
  persona::AutoencoderKL result(persona::AutoencoderKLConfig{
      .sample_size = c.at("sample_size"),
      .in_channels = c.at("in_channels"),
      .out_channels = c.at("out_channels"),
      .latent_channels = c.at("latent_channels"),
      .block_out_channels = c.at("block_out_channels"),
      .layers_per_block = c.at("layers_per_block"),
      .norm_num_groups = c.at("norm_num_groups"),
      .scaling_factor = c.at("scaling_factor"),
      .mid_block_add_attention = c.at("mid_block_add_attention"),
      .use_quant_conv = c.at("use_quant_conv"),
      .use_post_quant_conv = c.at("use_post_quant_conv"),
  });
  fill(result, tensors(folder / "diffusion_pytorch_model.safetensors"));
  return result;
}

inline persona::SchedulerConfig scheduler_config(const Json& c) {
  const persona::SchedulerConfig base{
      .beta_start = 1e-4, .beta_end = 0.02, .beta_schedule = "linear"};  // diffusers' own defaults
  auto config = base;
  config.beta_start = c.value("beta_start", base.beta_start);
  config.beta_end = c.value("beta_end", base.beta_end);
  config.beta_schedule = c.value("beta_schedule", base.beta_schedule);
  config.prediction_type = c.value("prediction_type", base.prediction_type);
  config.timestep_spacing = c.value("timestep_spacing", base.timestep_spacing);
  config.steps_offset = c.value("steps_offset", base.steps_offset);
  config.set_alpha_to_one = c.value("set_alpha_to_one", base.set_alpha_to_one);
  config.clip_sample = c.value("clip_sample", base.clip_sample);
  config.clip_sample_range = c.value("clip_sample_range", base.clip_sample_range);
  config.rescale_betas_zero_snr = c.value("rescale_betas_zero_snr", base.rescale_betas_zero_snr);
  return config;
}

/// The largest difference, in units of the largest entry of `expected`.
inline double relative_error(const Tensor& found, const Tensor& expected) {
  REQUIRE(found.sizes() == expected.sizes());
  const auto scale = expected.abs().max().to(at::kDouble);
  return ((found.detach().to(at::kCPU, at::kDouble) - expected).abs().max() / scale).item<double>();
}

}  // namespace reference
