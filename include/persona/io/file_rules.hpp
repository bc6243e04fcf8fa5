#pragma once
// How the names and shapes of a file's tensors tell what it is.

#include <persona/io/adapter_keys.hpp>
#include <persona/io/file_description.hpp>
#include <persona/io/safetensors.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace persona::detail {

/// Names and shapes of a file, as the questions below ask for them.
class FileNames {
 public:
  explicit FileNames(const SafeTensors& file) : infos_(file.infos()) {}

  std::size_t count() const { return infos_.size(); }
  bool has(const std::string& name) const { return infos_.contains(name); }
  bool any_starts(std::string_view front) const {
    const auto at = infos_.lower_bound(std::string(front));
    return at != infos_.end() && at->first.starts_with(front);
  }
  bool any_ends(std::string_view end) const {
    return std::ranges::any_of(infos_, [&](const auto& one) { return one.first.ends_with(end); });
  }
  bool any(std::string_view part) const {
    return std::ranges::any_of(infos_, [&](const auto& one) { return one.first.find(part) != one.first.npos; });
  }
  /// Every tensor's name ends in one of these.
  template <std::size_t n>
  bool all_end(const std::array<std::string_view, n>& ends) const {
    return !infos_.empty() && std::ranges::all_of(infos_, [&](const auto& one) {
      return std::ranges::any_of(ends, [&](std::string_view end) { return one.first.ends_with(end); });
    });
  }
  /// The last dimension of the widest tensor whose name has both; 0: there is none. Averages of training are left out,
  /// and what a LoRA leads out of its factors with.
  std::int64_t width(std::string_view part, std::string_view other) const {
    std::int64_t most = 0;
    for (const auto& [name, info] : infos_) {
      if (name.find(part) == name.npos || name.find(other) == name.npos || name.starts_with("model_ema.") ||
          info.shape.empty())
        continue;
      if (const auto key = split_lora_key(name); key && key->part != "down") continue;
      most = std::max(most, info.shape.size() == 4 ? info.shape[1] : info.shape.back());
    }
    return most;
  }
  /// The shape of a tensor; empty where there is none.
  std::vector<std::int64_t> shape(const std::string& name) const {
    const auto found = infos_.find(name);
    return found == infos_.end() ? std::vector<std::int64_t>{} : found->second.shape;
  }
  const std::map<std::string, SafeTensorInfo>& infos() const { return infos_; }

 private:
  const std::map<std::string, SafeTensorInfo>& infos_;
};

inline bool is_rows(const std::vector<std::int64_t>& shape) { return shape.size() == 1 || shape.size() == 2; }

/// A whole model in one file: which, and in words where it is none that is read.
inline FileKind single_file_kind(const FileNames& names, std::string& what) {
  if (names.any_starts("control_model.") || names.any_starts("controlnet_cond_embedding.")) {
    what = "a ControlNet";
    return FileKind::single_file_other;
  }
  if (!names.any_starts("model.diffusion_model.")) return FileKind::unknown;
  if (names.any_starts("conditioner.embedders.")) {
    what = "a single-file checkpoint of Stable Diffusion XL";
    return FileKind::single_file_sdxl;
  }
  if (!names.any_starts("model.diffusion_model.input_blocks.")) {
    what = "a single-file checkpoint of a model that is not Stable Diffusion 1 or 2 (no input_blocks)";
    return FileKind::single_file_other;
  }
  if (const auto first = names.shape("model.diffusion_model.input_blocks.0.0.weight"); first.size() == 4) {
    if (first[1] == 9) what = "an inpainting checkpoint: its UNet takes 9 channels, latents, masked latents and a mask";
    if (first[1] == 8) what = "an instruct-pix2pix checkpoint: its UNet takes 8 channels, latents and an image's";
    if (first[1] == 5) what = "a depth-to-image checkpoint: its UNet takes 5 channels, latents and a depth map";
    if (first[1] == 7) what = "an upscaling checkpoint: its UNet takes 7 channels, latents and a small image";
    if (!what.empty()) return FileKind::single_file_other;
  }
  const bool open_clip = names.any_starts("cond_stage_model.model.transformer.resblocks.");
  if (open_clip || names.width("attn2", "to_k") == 1024) {
    what = "a single-file checkpoint of Stable Diffusion 2.x";
    return FileKind::single_file_sd2;
  }
  what = "a single-file checkpoint of Stable Diffusion 1.x";
  return FileKind::single_file_sd1;
}

/// Whether there are low-rank factors, and in whose form.
inline std::string lora_dialect(const FileNames& names) {
  for (const auto& [name, info] : names.infos())
    if (const auto key = split_lora_key(name); key && key->part == "down") return std::string(key->dialect);
  return {};
}

/// The kind of a file, by its names, shapes and metadata.
inline FileKind kind_of(const FileNames& names, const std::map<std::string, std::string>& metadata, std::string& what) {
  const auto told = metadata.find("persona.kind");
  const std::string kind = told == metadata.end() ? "" : told->second;
  if (kind == "learned") return what = "what a run of persona learned", FileKind::learned;
  if (kind == "checkpoint") return what = "a run of persona, to be resumed", FileKind::run;
  if (kind == "svd") return what = "persona's cache of a model's singular values", FileKind::decompositions;
  if (const auto whole = single_file_kind(names, what); whole != FileKind::unknown) return whole;
  if (const auto dialect = lora_dialect(names); !dialect.empty())
    return what = "a LoRA in " + dialect + (dialect.ends_with("s") ? "' form" : "'s form"), FileKind::lora;
  if (names.any("_custom_diffusion"))
    return what = "weights of Custom Diffusion, as attention processors of diffusers", FileKind::custom_diffusion;
  if (names.all_end(std::array<std::string_view, 1>{".delta"}))
    return what = "shifts of singular values, as svdiff-pytorch writes them", FileKind::spectral_shifts;
  if (names.all_end(std::array<std::string_view, 2>{".diff", ".diff_b"}))
    return what = "whole differences of weights, as kohya writes them", FileKind::differences;
  if (std::ranges::all_of(xti_layer_names, [&](const char* name) { return names.has(name); }) && names.count() == 16)
    return what = "an embedding with rows for each of 16 layers, as kohya's XTI writes it", FileKind::embedding_layers;
  if (names.has("clip_l") && names.has("clip_g") && names.count() == 2)
    return what = "an embedding for the two text encoders of Stable Diffusion XL", FileKind::embedding_sdxl;
  if (names.count() == 1 && is_rows(names.infos().begin()->second.shape) && !names.any_ends(".weight") &&
      !names.any_ends(".bias")) {
    if (names.has("emb_params") || names.has("emp_params"))  // OneTrainer's spelling
      return what = "an embedding as AUTOMATIC1111 and kohya write it", FileKind::embedding_emb_params;
    return what = "an embedding as diffusers writes it", FileKind::embedding_diffusers;
  }
  if (names.any_starts("down_blocks.") && names.has("conv_in.weight") && names.any("attn2.to_k"))
    return what = "the UNet of a diffusers folder", FileKind::part_unet;
  if (names.has("decoder.conv_in.weight") && names.any_starts("encoder.down_blocks."))
    return what = "the VAE of a diffusers folder", FileKind::part_vae;
  if ((names.has("text_model.embeddings.token_embedding.weight") || names.has("embeddings.token_embedding.weight")) &&
      !names.any_starts("vision_model."))
    return what = "the text encoder of a diffusers folder", FileKind::part_text_encoder;
  for (const char* part : {".hada_w1_a", ".lokr_w1", ".oft_blocks", ".oft_diag"})
    if (names.any(part)) what = "a LyCORIS adapter (LoHa, LoKr or OFT), which is not read";
  if (names.has("emp_params")) what = "an embedding of OneTrainer with rows for the encoder's output too";
  if (what.empty()) what = "none of the forms that are known";
  return FileKind::unknown;
}

}  // namespace persona::detail
