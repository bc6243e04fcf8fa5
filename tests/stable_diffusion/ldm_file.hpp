#pragma once
// A small Stable Diffusion 1 or 2, and the single file that holds it: names written out by hand.

#include "stable_diffusion/small_folder.hpp"

#include <persona/core/random.hpp>
#include <persona/stable_diffusion.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace small {

/// 32 groups, heads and widths as shapes alone must tell them.
inline persona::StableDiffusion ldm_model(const fs::path& tokenizer, bool second, std::uint64_t seed = 2) {
  persona::CLIPTextConfig text{.vocab_size = 54,
                               .hidden_size = 64,
                               .intermediate_size = 80,
                               .num_hidden_layers = second ? 23 : 3,
                               .num_attention_heads = 1,
                               .max_position_embeddings = 8,
                               .hidden_act = second ? "gelu" : "quick_gelu"};
  persona::UNet2DConditionConfig unet{
      .sample_size = 64,
      .down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"},
      .up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"},
      .block_out_channels = {32, 64},
      .layers_per_block = {1, 1},
      .transformer_layers_per_block = {1, 1},
      .num_attention_heads = second ? std::vector<std::int64_t>{1, 1} : std::vector<std::int64_t>{8, 8},
      .cross_attention_dim = 64,
      .use_linear_projection = second};
  persona::AutoencoderKLConfig vae{.sample_size = 128, .block_out_channels = {32, 64}, .layers_per_block = 1};
  persona::CLIPTextModel text_model(text);
  persona::UNet2DConditionModel unet_model(unet);
  persona::AutoencoderKL vae_model(vae);
  const auto generator = persona::Random(seed).at(persona::Stream::initialization);
  const auto fill = [&](const std::string&, persona::Weight& weight) {
    weight.base = 0.1 * at::randn(weight.base.sizes(), generator);
  };
  persona::for_each_weight(text_model, fill);
  persona::for_each_weight(unet_model, fill);
  persona::for_each_weight(vae_model, fill);
  return {persona::CLIPTokenizer::from_folder(tokenizer),
          text_model,
          unet_model,
          vae_model,
          {.steps_offset = 1, .set_alpha_to_one = false}};
}

using Names = std::vector<std::pair<std::string, std::string>>;

/// Each front, then each inner name, by the first that fits.
inline std::string ldm_name(std::string name, const Names& fronts, const Names& inner) {
  for (const auto& [now, before] : fronts)
    if (name.starts_with(now)) {
      name.replace(0, now.size(), before);
      break;
    }
  for (const auto& [now, before] : inner)
    if (const auto at = name.find(now); at != name.npos) {
      name.replace(at, now.size(), before);
      break;
    }
  return name;
}

inline Tensors ldm_tensors(const persona::StableDiffusion& model, bool second) {
  Tensors tensors;
  const Names unet_fronts{{"time_embedding.linear_1", "time_embed.0"},
                          {"time_embedding.linear_2", "time_embed.2"},
                          {"conv_in", "input_blocks.0.0"},
                          {"down_blocks.0.resnets.0", "input_blocks.1.0"},
                          {"down_blocks.0.attentions.0", "input_blocks.1.1"},
                          {"down_blocks.0.downsamplers.0.conv", "input_blocks.2.0.op"},
                          {"down_blocks.1.resnets.0", "input_blocks.3.0"},
                          {"mid_block.resnets.0", "middle_block.0"},
                          {"mid_block.attentions.0", "middle_block.1"},
                          {"mid_block.resnets.1", "middle_block.2"},
                          {"up_blocks.0.resnets.0", "output_blocks.0.0"},
                          {"up_blocks.0.resnets.1", "output_blocks.1.0"},
                          {"up_blocks.0.upsamplers.0.conv", "output_blocks.1.1.conv"},
                          {"up_blocks.1.resnets.0", "output_blocks.2.0"},
                          {"up_blocks.1.attentions.0", "output_blocks.2.1"},
                          {"up_blocks.1.resnets.1", "output_blocks.3.0"},
                          {"up_blocks.1.attentions.1", "output_blocks.3.1"},
                          {"conv_norm_out", "out.0"},
                          {"conv_out", "out.2"}};
  const Names resnet{{".norm1.", ".in_layers.0."},          {".conv1.", ".in_layers.2."},
                     {".norm2.", ".out_layers.0."},         {".conv2.", ".out_layers.3."},
                     {".time_emb_proj.", ".emb_layers.1."}, {".conv_shortcut.", ".skip_connection."}};
  persona::for_each_weight(model.denoiser(), [&](const std::string& name, const persona::Weight& weight) {
    const bool in_resnet = name.find("resnets.") != name.npos;
    tensors["model.diffusion_model." + ldm_name(name, unet_fronts, in_resnet ? resnet : Names{})] = weight.base;
  });
  Names vae_fronts;
  for (const std::string half : {"encoder", "decoder"}) {
    for (const std::string level : {"0", "1"}) {
      const auto now = half == "encoder" ? "encoder.down_blocks." + level : "decoder.up_blocks." + level;
      const auto before =
          half == "encoder" ? "encoder.down." + level : "decoder.up." + std::string(level == "0" ? "1" : "0");
      vae_fronts.push_back({now + ".resnets.", before + ".block."});
      vae_fronts.push_back({now + ".downsamplers.0.", before + ".downsample."});
      vae_fronts.push_back({now + ".upsamplers.0.", before + ".upsample."});
    }
    vae_fronts.push_back({half + ".mid_block.resnets.0.", half + ".mid.block_1."});
    vae_fronts.push_back({half + ".mid_block.resnets.1.", half + ".mid.block_2."});
    vae_fronts.push_back({half + ".mid_block.attentions.0.", half + ".mid.attn_1."});
    vae_fronts.push_back({half + ".conv_norm_out.", half + ".norm_out."});
  }
  const Names vae_inner{{".group_norm.", ".norm."},
                        {".to_q.", ".q."},
                        {".to_k.", ".k."},
                        {".to_v.", ".v."},
                        {".to_out.0.", ".proj_out."},
                        {".conv_shortcut.", ".nin_shortcut."}};
  persona::for_each_weight(model.autoencoder(), [&](const std::string& name, const persona::Weight& weight) {
    auto value = weight.base;
    if (name.find("attentions.0.to_") != name.npos && value.dim() == 2) value = value.unsqueeze(-1).unsqueeze(-1);
    tensors["first_stage_model." + ldm_name(name, vae_fronts, vae_inner)] = value;
  });
  if (!second) {
    persona::for_each_weight(model.text_encoder(), [&](const std::string& name, const persona::Weight& weight) {
      tensors["cond_stage_model.transformer." + name] = weight.base;
    });
    tensors["cond_stage_model.transformer.text_model.embeddings.position_ids"] = at::arange(8).unsqueeze(0);
    return tensors;
  }
  const Names text_fronts{{"text_model.embeddings.token_embedding.", "token_embedding."},
                          {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
                          {"text_model.final_layer_norm.", "ln_final."},
                          {"text_model.encoder.layers.", "transformer.resblocks."}};
  const Names text_inner{{".layer_norm1.", ".ln_1."},
                         {".layer_norm2.", ".ln_2."},
                         {".mlp.fc1.", ".mlp.c_fc."},
                         {".mlp.fc2.", ".mlp.c_proj."},
                         {".self_attn.out_proj.", ".attn.out_proj."}};
  std::map<std::string, std::map<char, persona::Tensor>> fused;
  const std::string front = "cond_stage_model.model.";
  persona::for_each_weight(model.text_encoder(), [&](const std::string& name, const persona::Weight& weight) {
    const auto stored = front + ldm_name(name, text_fronts, text_inner);
    if (const auto at = stored.find(".self_attn."); at != stored.npos)  // "...0.self_attn.q_proj.weight"
      fused[stored.substr(0, at) + ".attn.in_proj_" + stored.substr(at + 18)][stored[at + 11]] = weight.base;
    else
      tensors[stored] = weight.base;
  });
  for (const auto& [name, parts] : fused) tensors[name] = at::cat({parts.at('q'), parts.at('k'), parts.at('v')});
  Tensors last;  // the layer that Stable Diffusion 2 does not read
  for (const auto& [name, tensor] : tensors)
    if (const auto at = name.find("resblocks.22."); at != name.npos)
      last[std::string(name).replace(at, 13, "resblocks.23.")] = at::full_like(tensor, 7);
  tensors.merge(last);
  tensors[front + "text_projection"] = at::ones({64, 64});
  tensors[front + "logit_scale"] = at::ones({});
  return tensors;
}

}  // namespace small
