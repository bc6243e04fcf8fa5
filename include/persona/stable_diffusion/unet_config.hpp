#pragma once

#include <persona/core/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// diffusers' UNet2DConditionModel config, as far as it changes the arithmetic; the defaults are its own.
struct UNet2DConditionConfig {
  std::int64_t sample_size = 64;
  std::int64_t in_channels = 4, out_channels = 4;
  bool center_input_sample = false;
  bool flip_sin_to_cos = true;
  std::int64_t freq_shift = 0;
  std::vector<std::string> down_block_types{"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                                            "DownBlock2D"};
  std::string mid_block_type = "UNetMidBlock2DCrossAttn";  ///< or empty: none
  std::vector<std::string> up_block_types{"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                                          "CrossAttnUpBlock2D"};
  std::vector<std::int64_t> block_out_channels{320, 640, 1280, 1280};
  std::vector<std::int64_t> layers_per_block{2, 2, 2, 2};
  std::vector<std::int64_t> transformer_layers_per_block{1, 1, 1, 1};
  std::vector<std::int64_t> num_attention_heads{8, 8, 8,
                                                8};  ///< config.json calls it attention_head_dim, by an old mistake
  std::int64_t cross_attention_dim = 768;
  std::int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  bool use_linear_projection = false;

  /// Throws Error naming the field and what it may be.
  void check() const {
    const auto fail = [](const std::string& field, const std::string& what, const std::string& hint = {}) {
      throw Error("UNet2DConditionConfig: " + field, what, hint);
    };
    const auto levels = block_out_channels.size();
    if (levels == 0) fail("block_out_channels", "is empty", "one width a level");
    const auto same_length = [&](const auto& list, const char* field) {
      if (list.size() != levels)
        fail(field,
             "has " + std::to_string(list.size()) + " entries, block_out_channels has " + std::to_string(levels));
    };
    same_length(down_block_types, "down_block_types");
    same_length(up_block_types, "up_block_types");
    same_length(layers_per_block, "layers_per_block");
    same_length(transformer_layers_per_block, "transformer_layers_per_block");
    same_length(num_attention_heads, "attention_head_dim");
    const auto positive = [&](std::int64_t value, const char* field) {
      if (value < 1) fail(field, "is " + std::to_string(value), "1 and more");
    };
    positive(in_channels, "in_channels");
    positive(out_channels, "out_channels");
    positive(cross_attention_dim, "cross_attention_dim");
    positive(norm_num_groups, "norm_num_groups");
    const auto one_of = [&](const std::string& value, const char* field, const std::string& a, const std::string& b) {
      if (value != a && value != b) fail(field, "is '" + value + "'", "supported: " + a + ", " + b);
    };
    for (const auto& type : down_block_types) one_of(type, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D");
    for (const auto& type : up_block_types) one_of(type, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D");
    if (!mid_block_type.empty()) one_of(mid_block_type, "mid_block_type", "UNetMidBlock2DCrossAttn", "null");
    for (std::size_t i = 0; i < levels; ++i) {
      positive(layers_per_block[i], "layers_per_block");
      positive(transformer_layers_per_block[i], "transformer_layers_per_block");
      positive(num_attention_heads[i], "attention_head_dim");
      const auto divides = [&](std::int64_t divisor, const char* field) {
        if (block_out_channels[i] < 1 || block_out_channels[i] % divisor != 0)
          fail(field, std::to_string(divisor) + " does not divide block_out_channels " +
                          std::to_string(block_out_channels[i]));
      };
      divides(norm_num_groups, "norm_num_groups");
      divides(num_attention_heads[i], "attention_head_dim");
    }
  }
};

}  // namespace persona
