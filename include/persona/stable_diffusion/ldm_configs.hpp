#pragma once
// The configs of a single-file checkpoint's parts, as far as the shapes of their tensors tell them. What they do not
// tell is what all Stable Diffusion 1 and 2 models share: 32 groups in every group norm, 8 heads on each level of SD 1,
// heads 64 wide in SD 2 and in the text encoders, quick_gelu in CLIP, gelu in OpenCLIP.

#include <persona/core/error.hpp>
#include <persona/io/utf8.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/unet_config.hpp>
#include <persona/stable_diffusion/vae.hpp>
#include <persona/stable_diffusion/weights_file.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace persona::detail {

/// Shapes by name, and how far the numbers in names go.
class LdmShapes {
 public:
  explicit LdmShapes(const WeightsFile& part) : part_(part) {}

  bool has(const std::string& name) const { return part_.places().contains(name); }
  bool any(const std::string& front) const {
    const auto at = part_.places().lower_bound(front);
    return at != part_.places().end() && at->first.starts_with(front);
  }
  /// How many of front + 0, 1, 2 ... + behind there are, without a gap; at most 256, which no model reaches.
  std::int64_t count(const std::string& front, const std::string& behind) const {
    std::int64_t n = 0;
    while (n < 256 && any(front + std::to_string(n) + behind)) ++n;
    return n;
  }
  /// The size of a tensor's axis; throws Error naming the tensor where there is none such.
  std::int64_t size(const std::string& name, std::size_t axis) const {
    if (!has(name))
      throw Error(part_.name(), "has no tensor '" + part_.prefix() + name + "'",
                  "is it whole, and a checkpoint of Stable Diffusion 1 or 2?");
    const auto& shape = part_.info(name).shape;
    if (axis >= shape.size() || shape[axis] < 1)
      throw Error(part_.name() + ": " + part_.prefix() + name,
                  "has no axis " + std::to_string(axis) + " of one entry and more", "is the file whole?");
    return shape[axis];
  }
  std::size_t rank(const std::string& name) const { return has(name) ? part_.info(name).shape.size() : 0; }

 private:
  const WeightsFile& part_;
};

/// Of the tensors below "model.diffusion_model."; `open_clip`: heads as in SD 2. `sample_size` is the caller's.
inline UNet2DConditionConfig ldm_unet_config(const WeightsFile& part, bool open_clip, std::int64_t sample_size) {
  const LdmShapes shapes(part);
  UNet2DConditionConfig c;
  c.sample_size = sample_size;
  c.in_channels = shapes.size("input_blocks.0.0.weight", 1);
  c.out_channels = shapes.size("out.2.weight", 0);
  c.block_out_channels.clear(), c.layers_per_block.clear(), c.transformer_layers_per_block.clear();
  c.down_block_types.clear(), c.up_block_types.clear(), c.num_attention_heads.clear();

  const auto input = [](std::int64_t block) { return "input_blocks." + std::to_string(block); };
  std::string attention;  // any transformer block of the UNet
  std::int64_t layers = 0;
  for (std::int64_t block = 1; block < shapes.count("input_blocks.", "."); ++block) {
    if (shapes.any(input(block) + ".0.op.")) {
      layers = 0;
      continue;
    }
    if (layers++ == 0) {
      c.block_out_channels.push_back(shapes.size(input(block) + ".0.out_layers.3.weight", 0));
      const auto depth = shapes.count(input(block) + ".1.transformer_blocks.", ".");
      c.down_block_types.push_back(depth > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D");
      c.transformer_layers_per_block.push_back(std::max<std::int64_t>(depth, 1));
      c.layers_per_block.push_back(0);
      if (depth > 0) attention = input(block) + ".1.";
    }
    c.layers_per_block.back() = layers;
  }
  std::int64_t up = 0;  // each level has a layer more on the way up
  for (auto level = c.layers_per_block.rbegin(); level != c.layers_per_block.rend(); ++level) {
    const bool attends = shapes.any("output_blocks." + std::to_string(up) + ".1.transformer_blocks.");
    c.up_block_types.push_back(attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
    up += *level + 1;
  }
  if (shapes.any("middle_block.1.transformer_blocks."))
    attention = "middle_block.1.";
  else
    c.mid_block_type.clear();
  c.cross_attention_dim = shapes.size(attention + "transformer_blocks.0.attn2.to_k.weight", 1);
  c.use_linear_projection = shapes.rank(attention + "proj_in.weight") == 2;
  for (const auto width : c.block_out_channels)
    c.num_attention_heads.push_back(open_clip ? std::max<std::int64_t>(width / 64, 1) : 8);
  return c;
}

/// Of the tensors below "first_stage_model.".
inline AutoencoderKLConfig ldm_vae_config(const WeightsFile& part, double scaling_factor) {
  const LdmShapes shapes(part);
  AutoencoderKLConfig c;
  c.in_channels = shapes.size("encoder.conv_in.weight", 1);
  c.out_channels = shapes.size("decoder.conv_out.weight", 0);
  c.latent_channels = shapes.size("decoder.conv_in.weight", 1);
  c.block_out_channels.clear();
  for (std::int64_t level = 0; level < shapes.count("encoder.down.", "."); ++level)
    c.block_out_channels.push_back(shapes.size("encoder.down." + std::to_string(level) + ".block.0.conv1.weight", 0));
  if (c.block_out_channels.empty() || c.block_out_channels.size() > 16)
    throw Error(part.name(), "its autoencoder has " + std::to_string(c.block_out_channels.size()) + " levels",
                "Stable Diffusion's has four");
  c.layers_per_block = shapes.count("encoder.down.0.block.", ".");
  c.mid_block_add_attention = shapes.any("encoder.mid.attn_1.");
  c.use_quant_conv = shapes.any("quant_conv.");
  c.use_post_quant_conv = shapes.any("post_quant_conv.");
  c.scaling_factor = scaling_factor;
  return c;
}

/// Of CLIP below "cond_stage_model.transformer.", whose names are those of transformers.
inline CLIPTextConfig ldm_clip_config(const WeightsFile& part) {
  const LdmShapes shapes(part);
  const std::string front = shapes.any("text_model.") ? "text_model." : "";  // older files leave it out
  CLIPTextConfig c;
  c.vocab_size = shapes.size(front + "embeddings.token_embedding.weight", 0);
  c.hidden_size = shapes.size(front + "embeddings.token_embedding.weight", 1);
  c.max_position_embeddings = shapes.size(front + "embeddings.position_embedding.weight", 0);
  c.intermediate_size = shapes.size(front + "encoder.layers.0.mlp.fc1.weight", 0);
  c.num_hidden_layers = shapes.count(front + "encoder.layers.", ".");
  c.num_attention_heads = std::max<std::int64_t>(c.hidden_size / 64, 1);
  return c;
}

/// Of OpenCLIP below "cond_stage_model.model.". Stable Diffusion 2 reads the last but one of its 24 layers, through the
/// final norm: the last layer is left out, as diffusers leaves it out; files that were written back without it have 23.
inline CLIPTextConfig ldm_open_clip_config(const WeightsFile& part) {
  const LdmShapes shapes(part);
  CLIPTextConfig c;
  c.vocab_size = shapes.size("token_embedding.weight", 0);
  c.hidden_size = shapes.size("token_embedding.weight", 1);
  c.max_position_embeddings = shapes.size("positional_embedding", 0);
  c.intermediate_size = shapes.size("transformer.resblocks.0.mlp.c_fc.weight", 0);
  const auto layers = shapes.count("transformer.resblocks.", ".");
  if (layers != 23 && layers != 24)
    throw Error(part.name(), "its text encoder has " + std::to_string(layers) + " layers",
                "Stable Diffusion 2 has OpenCLIP's ViT-H, with 24 of them, of which it reads 23");
  c.num_hidden_layers = 23;
  c.num_attention_heads = std::max<std::int64_t>(c.hidden_size / 64, 1);
  c.hidden_act = "gelu";
  return c;
}

}  // namespace persona::detail
