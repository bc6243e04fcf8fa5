#pragma once
// A Stable Diffusion of a few thousand weights, and folders of it to spoil.

#include <persona/core/random.hpp>
#include <persona/stable_diffusion.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace small {

namespace fs = std::filesystem;
using Json = nlohmann::json;

inline void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}
inline Json read_json(const fs::path& path) {
  std::ifstream file(path);
  return Json::parse(file);
}
/// Changes a JSON file.
inline void edit(const fs::path& path, const std::function<void(Json&)>& change) {
  auto json = read_json(path);
  change(json);
  write_text(path, json.dump(2));
}

/// The letters, and CLIP's two special tokens; no merges.
inline void write_tokenizer(const fs::path& folder) {
  Json vocabulary = Json::object();
  for (const char* end : {"", "</w>"})
    for (char c = 'a'; c <= 'z'; ++c) vocabulary[std::string(1, c) + end] = vocabulary.size();
  for (const char* special : {"<|startoftext|>", "<|endoftext|>"}) vocabulary[special] = vocabulary.size();
  write_text(folder / "vocab.json", vocabulary.dump());
  write_text(folder / "merges.txt", "#version: 0.2\n");
  write_text(folder / "tokenizer_config.json",
             R"({"tokenizer_class": "CLIPTokenizer", "model_max_length": 8, "bos_token": "<|startoftext|>", )"
             R"("eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})");
}

inline const persona::CLIPTextConfig text_config{.vocab_size = 54,
                                                 .hidden_size = 8,
                                                 .intermediate_size = 16,
                                                 .num_hidden_layers = 2,
                                                 .num_attention_heads = 2,
                                                 .max_position_embeddings = 8};
inline const persona::UNet2DConditionConfig unet_config{.sample_size = 8,
                                                        .down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"},
                                                        .up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"},
                                                        .block_out_channels = {8, 12},
                                                        .layers_per_block = {1, 1},
                                                        .transformer_layers_per_block = {1, 1},
                                                        .num_attention_heads = {2, 2},
                                                        .cross_attention_dim = 8,
                                                        .norm_num_groups = 4};
inline const persona::AutoencoderKLConfig vae_config{
    .sample_size = 16, .block_out_channels = {8, 12}, .layers_per_block = 1, .norm_num_groups = 4};

inline persona::StableDiffusion model(const fs::path& tokenizer, std::uint64_t seed = 1) {
  const auto generator = persona::Random(seed).at(persona::Stream::initialization);
  persona::CLIPTextModel text(text_config);
  persona::UNet2DConditionModel unet(unet_config);
  persona::AutoencoderKL vae(vae_config);
  persona::initialize(text, generator);
  persona::initialize(unet, generator);
  persona::initialize(vae, generator);
  return {
      persona::CLIPTokenizer::from_folder(tokenizer), text, unet, vae, {.steps_offset = 1, .set_alpha_to_one = false}};
}

/// Writes a folder of the small model and returns the model.
inline persona::StableDiffusion write_folder(const fs::path& folder, const std::string& dtype = "fp32") {
  write_tokenizer(folder / "tokenizer");
  auto sd = model(folder / "tokenizer");
  persona::save_folder(sd, folder, {.dtype = dtype});
  return sd;
}

using Tensors = std::map<std::string, persona::Tensor>;

inline Tensors read_tensors(const fs::path& path) {
  const auto file = persona::SafeTensors::open(path);
  Tensors tensors;
  for (const auto& name : file.names()) tensors.emplace(name, file.load(name));
  return tensors;
}
/// Changes the tensors of a safetensors file.
inline void edit_tensors(const fs::path& path, const std::function<void(Tensors&)>& change) {
  auto tensors = read_tensors(path);
  change(tensors);
  persona::write_safetensors(path, tensors);
}

/// Splits a safetensors file into two shards and an index, and removes it. Returns the index.
inline fs::path shard(const fs::path& file, const std::string& variant = {}) {
  const auto stem = file.stem().string(), middle = variant.empty() ? "" : "." + variant;
  Tensors parts[2];
  Json map = Json::object();
  std::size_t bytes = 0;
  for (auto& [name, tensor] : read_tensors(file)) {
    const auto which = map.size() % 2;
    map[name] = stem + middle + "-0000" + std::to_string(which + 1) + "-of-00002.safetensors";
    bytes += tensor.nbytes();
    parts[which].emplace(name, tensor);
  }
  for (const int which : {0, 1})
    persona::write_safetensors(
        file.parent_path() / (stem + middle + "-0000" + std::to_string(which + 1) + "-of-00002.safetensors"),
        parts[which]);
  fs::remove(file);
  const auto index = file.parent_path() / (stem + ".safetensors.index" + middle + ".json");
  write_text(index, Json{{"metadata", {{"total_size", bytes}}}, {"weight_map", map}}.dump(2));
  return index;
}

/// Makes a folder what diffusers 0.2 to 0.14 wrote: fewer config keys, the VAE's attention under its old names (as 1x1
/// convolutions where `convolutions`), a table of positions, a PNDM scheduler, a safety checker in the index.
inline void make_old(const fs::path& folder, bool convolutions) {
  edit(folder / "model_index.json", [](Json& json) {
    json["_diffusers_version"] = "0.2.2";
    json["scheduler"] = {"diffusers", "PNDMScheduler"};
    json["safety_checker"] = {"stable_diffusion", "StableDiffusionSafetyChecker"};
    json["feature_extractor"] = {"transformers", "CLIPImageProcessor"};
    json.erase("requires_safety_checker");
    json.erase("image_encoder");
  });
  edit(folder / "unet/config.json", [](Json& json) {
    for (const char* key : {"mid_block_type", "transformer_layers_per_block", "use_linear_projection"}) json.erase(key);
  });
  edit(folder / "vae/config.json", [](Json& json) {
    for (const char* key :
         {"scaling_factor", "force_upcast", "mid_block_add_attention", "use_quant_conv", "use_post_quant_conv"})
      json.erase(key);
  });
  edit(folder / "text_encoder/config.json", [](Json& json) {
    json.update({{"_name_or_path", "openai/clip-vit-large-patch14"},
                 {"attention_dropout", 0.0},
                 {"dropout", 0.0},
                 {"initializer_factor", 1.0},
                 {"initializer_range", 0.02},
                 {"torch_dtype", "float32"},
                 {"transformers_version", "4.22.0.dev0"}});
  });
  write_text(
      folder / "scheduler/scheduler_config.json",
      R"({"_class_name": "PNDMScheduler", "_diffusers_version": "0.7.0.dev0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
                 "beta_start": 0.00085, "clip_sample": false, "num_train_timesteps": 1000, "set_alpha_to_one": false,
                 "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null})");
  edit_tensors(folder / "text_encoder/model.safetensors",
               [](Tensors& tensors) { tensors["text_model.embeddings.position_ids"] = at::arange(8).unsqueeze(0); });
  edit_tensors(folder / "vae/diffusion_pytorch_model.safetensors", [&](Tensors& tensors) {
    for (const auto& [now, before] : std::vector<std::pair<std::string, std::string>>{
             {"to_q", "query"}, {"to_k", "key"}, {"to_v", "value"}, {"to_out.0", "proj_attn"}})
      for (const std::string part : {"encoder", "decoder"})
        for (const std::string end : {".weight", ".bias"}) {
          auto node = tensors.extract(part + ".mid_block.attentions.0." + now + end);
          node.key() = part + ".mid_block.attentions.0." + before + end;
          if (convolutions && end == ".weight") node.mapped() = node.mapped().unsqueeze(-1).unsqueeze(-1);
          tensors.insert(std::move(node));
        }
  });
}

}  // namespace small
