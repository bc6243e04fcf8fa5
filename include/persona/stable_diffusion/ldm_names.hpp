#pragma once
// The names of tensors in single-file checkpoints (Rombach et al. 2022: CompVis' latent-diffusion and StabilityAI's
// stablediffusion) and in this library, which has diffusers' names.

#include <persona/stable_diffusion/load_weights.hpp>
#include <persona/stable_diffusion/unet_config.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona::detail {

using Replacements = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// The first of these that `name` begins with, replaced; true where one was.
inline bool replace_front(std::string& name, Replacements list) {
  for (const auto& [before, now] : list)
    if (name.starts_with(before)) {
      name.replace(0, before.size(), now);
      return true;
    }
  return false;
}

/// The names of one residual block: "in_layers.0" is its first norm.
inline bool rename_ldm_resnet(std::string& inner) {
  return replace_front(inner, {{"in_layers.0.", "norm1."},
                               {"in_layers.2.", "conv1."},
                               {"emb_layers.1.", "time_emb_proj."},
                               {"out_layers.0.", "norm2."},
                               {"out_layers.3.", "conv2."},
                               {"skip_connection.", "conv_shortcut."}});
}

/// Names below "model.diffusion_model.". One list of blocks on the way down (input_blocks: conv_in, then each level's
/// layers and its downsampling) and one on the way up, counted through; a layer's parts are numbered in each.
inline RenameTensor ldm_unet_names(const UNet2DConditionConfig& config) {
  enum class Part { resnet, transformer, convolution };
  std::map<std::string, std::pair<std::string, Part>, std::less<>> blocks;
  const auto add = [&](const std::string& before, const std::string& now, Part part) {
    blocks.emplace(before + ".", std::pair(now + ".", part));
  };
  const auto number = [](auto value) { return std::to_string(value); };
  add("input_blocks.0.0", "conv_in", Part::convolution);
  const auto levels = config.block_out_channels.size();
  std::int64_t block = 1;
  for (std::size_t i = 0; i < levels; ++i) {
    const auto level = "down_blocks." + number(i);
    for (std::int64_t k = 0; k < config.layers_per_block[i]; ++k, ++block) {
      add("input_blocks." + number(block) + ".0", level + ".resnets." + number(k), Part::resnet);
      if (config.down_block_types[i] == "CrossAttnDownBlock2D")
        add("input_blocks." + number(block) + ".1", level + ".attentions." + number(k), Part::transformer);
    }
    if (i + 1 < levels)
      add("input_blocks." + number(block++) + ".0.op", level + ".downsamplers.0.conv", Part::convolution);
  }
  for (const int k : {0, 1}) add("middle_block." + number(2 * k), "mid_block.resnets." + number(k), Part::resnet);
  add("middle_block.1", "mid_block.attentions.0", Part::transformer);
  block = 0;
  for (std::size_t up = 0; up < levels; ++up) {
    const auto level = "up_blocks." + number(up);
    const bool attends = config.up_block_types[up] == "CrossAttnUpBlock2D";
    const auto layers = config.layers_per_block[levels - 1 - up] + 1;
    for (std::int64_t k = 0; k < layers; ++k, ++block) {
      const auto before = "output_blocks." + number(block);
      add(before + ".0", level + ".resnets." + number(k), Part::resnet);
      if (attends) add(before + ".1", level + ".attentions." + number(k), Part::transformer);
      if (k + 1 == layers && up + 1 < levels)
        add(before + (attends ? ".2" : ".1") + ".conv", level + ".upsamplers.0.conv", Part::convolution);
    }
  }
  return [blocks = std::move(blocks)](const std::string& stored) -> std::vector<TensorName> {
    auto name = stored;
    if (replace_front(name, {{"time_embed.0.", "time_embedding.linear_1."},
                             {"time_embed.2.", "time_embedding.linear_2."},
                             {"out.0.", "conv_norm_out."},
                             {"out.2.", "conv_out."}}))
      return {{.name = name}};
    auto found = blocks.upper_bound(stored);  // no block's name begins another's: the one before it, or none
    if (found == blocks.begin() || !stored.starts_with((--found)->first)) return {{.name = stored}};
    const auto& [now, part] = found->second;
    name = stored.substr(found->first.size());
    if (part == Part::resnet && !rename_ldm_resnet(name)) return {{.name = stored}};
    return {{.name = now + name}};
  };
}

/// Names below "first_stage_model."; the decoder's levels are numbered from the image on, diffusers' from the latents.
inline RenameTensor ldm_vae_names(std::size_t levels) {
  return [levels](const std::string& stored) -> std::vector<TensorName> {
    if (stored.starts_with("loss.") || stored.starts_with("model_ema.")) return {};  // of its own training
    auto name = stored;
    const bool decoder = name.starts_with("decoder.");
    if (!decoder && !name.starts_with("encoder.")) return {{.name = stored}};
    auto inner = name.substr(8);
    name.resize(8);
    if (inner.starts_with(decoder ? "up." : "down.")) {
      inner.erase(0, decoder ? 3 : 5);
      const auto dot = inner.find('.');
      if (dot == 0 || dot > 2 || inner.find_first_not_of("0123456789") != dot) return {{.name = stored}};
      const auto level = static_cast<std::size_t>(std::stoi(inner.substr(0, dot)));
      if (level >= levels) return {{.name = stored}};
      inner.erase(0, dot + 1);
      replace_front(inner, {{"block.", "resnets."},
                            {"downsample.conv.", "downsamplers.0.conv."},
                            {"upsample.conv.", "upsamplers.0.conv."}});
      if (const auto at = inner.find("nin_shortcut."); at != inner.npos) inner.replace(at, 13, "conv_shortcut.");
      name += decoder ? "up_blocks." + std::to_string(levels - 1 - level) : "down_blocks." + std::to_string(level);
      return {{.name = name + "." + inner}};
    }
    if (inner.starts_with("mid.attn_1.")) {
      inner.erase(0, 11);
      replace_front(
          inner,
          {{"norm.", "group_norm."}, {"q.", "to_q."}, {"k.", "to_k."}, {"v.", "to_v."}, {"proj_out.", "to_out.0."}});
      return {{.name = name + "mid_block.attentions.0." + inner}};
    }
    replace_front(inner, {{"mid.block_1.", "mid_block.resnets.0."},
                          {"mid.block_2.", "mid_block.resnets.1."},
                          {"norm_out.", "conv_norm_out."}});
    return {{.name = name + inner}};
  };
}

/// Names below "cond_stage_model.model." (OpenCLIP, Cherti et al. 2023): Q, K and V are one matrix there; the layers
/// from `layers` on, the projection and the temperature are of no use to Stable Diffusion 2.
inline RenameTensor open_clip_names(std::int64_t layers) {
  return [layers](const std::string& stored) -> std::vector<TensorName> {
    auto name = stored;
    for (const char* unused : {"text_projection", "logit_scale", "attn_mask"})
      if (stored == unused) return {};
    if (stored.ends_with("embeddings.position_ids")) return {};
    if (stored == "positional_embedding") return {{.name = "text_model.embeddings.position_embedding.weight"}};
    if (replace_front(name, {{"token_embedding.", "text_model.embeddings.token_embedding."},
                             {"ln_final.", "text_model.final_layer_norm."}}))
      return {{.name = name}};
    static constexpr std::string_view front = "transformer.resblocks.";
    if (!stored.starts_with(front)) return {{.name = stored}};
    auto inner = stored.substr(front.size());
    const auto dot = inner.find('.');
    if (dot == 0 || dot > 3 || inner.find_first_not_of("0123456789") != dot) return {{.name = stored}};
    const auto layer = inner.substr(0, dot);
    if (std::stoi(layer) >= layers) return {};
    inner.erase(0, dot + 1);
    const auto at = "text_model.encoder.layers." + layer + ".";
    for (const std::string end : {"weight", "bias"})
      if (inner == "attn.in_proj_" + end)
        return {{.name = at + "self_attn.q_proj." + end, .part = 0, .parts = 3},
                {.name = at + "self_attn.k_proj." + end, .part = 1, .parts = 3},
                {.name = at + "self_attn.v_proj." + end, .part = 2, .parts = 3}};
    if (!replace_front(inner, {{"ln_1.", "layer_norm1."},
                               {"ln_2.", "layer_norm2."},
                               {"attn.out_proj.", "self_attn.out_proj."},
                               {"mlp.c_fc.", "mlp.fc1."},
                               {"mlp.c_proj.", "mlp.fc2."}}))
      return {{.name = stored}};
    return {{.name = at + inner}};
  };
}

}  // namespace persona::detail
