#pragma once

#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/model/conditioning.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/stable_diffusion/attention.hpp>
#include <persona/stable_diffusion/layers.hpp>
#include <persona/stable_diffusion/resnet.hpp>
#include <persona/stable_diffusion/unet_config.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// [B] timesteps -> [B, dim] fp32: sines and cosines of geometrically falling frequencies (Ho et al. 2020, after
/// Vaswani et al. 2017).
inline Tensor timestep_embedding(const Tensor& t, std::int64_t dim, bool flip_sin_to_cos, std::int64_t freq_shift) {
  const auto half = dim / 2;
  const auto exponent = at::arange(half, at::TensorOptions().dtype(at::kFloat).device(t.device())) *
                        (-std::log(10000.0) / static_cast<double>(half - freq_shift));
  const auto angles = t.to(at::kFloat).unsqueeze(1) * exponent.exp().unsqueeze(0);
  auto embedding =
      flip_sin_to_cos ? at::cat({angles.cos(), angles.sin()}, -1) : at::cat({angles.sin(), angles.cos()}, -1);
  return dim % 2 == 1 ? at::pad(embedding, {0, 1}) : embedding;
}

/// One level of the way down or up: residual blocks, each with a transformer where the level attends.
struct UNetLevel {
  std::vector<ResnetBlock2D> resnets{};
  std::vector<Transformer2DModel> attentions{};
  std::optional<Conv2d> downsample{};
  std::optional<Upsample2D> upsample{};

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("attentions", self.attentions);
    f("resnets", self.resnets);
    f("downsamplers.0.conv", self.downsample);
    f("upsamplers.0", self.upsample);
  }

  Tensor layer(std::size_t i, const Tensor& x, const Tensor& temb, CrossAttentionWalk& walk) const {
    const auto h = resnets[i](x, temb);
    return attentions.empty() ? h : attentions[i](h, walk);
  }
};

/// Residual block, transformer, residual block at the lowest resolution.
struct UNetMidBlock2DCrossAttn {
  std::vector<ResnetBlock2D> resnets{};
  std::vector<Transformer2DModel> attentions{};

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("attentions", self.attentions);
    f("resnets", self.resnets);
  }
  Tensor operator()(const Tensor& x, const Tensor& temb, CrossAttentionWalk& walk) const {
    auto h = resnets.front()(x, temb);
    for (std::size_t i = 0; i < attentions.size(); ++i) h = resnets[i + 1](attentions[i](h, walk), temb);
    return h;
  }
};

/// Stable Diffusion's denoiser (Rombach et al. 2022; diffusers' UNet2DConditionModel of SD 1.x and 2.x).
class UNet2DConditionModel {
 public:
  UNet2DConditionModel() = default;

  /// Weights have their shapes and no storage yet: a loader or an initializer fills them.
  explicit UNet2DConditionModel(UNet2DConditionConfig config) : config_(std::move(config)) {
    config_.check();
    const auto& channels = config_.block_out_channels;
    const auto levels = channels.size();
    const auto time_channels = 4 * channels.front();
    conv_in_ = Conv2d(config_.in_channels, channels.front(), 3, {.stride = 1, .padding = 1});
    time_linear_1_ = Linear(channels.front(), time_channels);
    time_linear_2_ = Linear(time_channels, time_channels);
    const auto resnet = [&](std::int64_t in, std::int64_t out) {
      return ResnetBlock2D(in, out, time_channels, config_.norm_num_groups, config_.norm_eps);
    };
    const auto transformer = [&](std::size_t level) {
      conditioned_layers_ += config_.transformer_layers_per_block[level];
      return Transformer2DModel(channels[level], config_.cross_attention_dim, config_.num_attention_heads[level],
                                config_.transformer_layers_per_block[level], config_.norm_num_groups,
                                config_.use_linear_projection);
    };

    std::vector<std::int64_t> skips{channels.front()};
    std::int64_t width = channels.front();
    for (std::size_t i = 0; i < levels; ++i) {
      UNetLevel level;
      for (std::int64_t k = 0; k < config_.layers_per_block[i]; ++k) {
        level.resnets.push_back(resnet(width, channels[i]));
        width = channels[i];
        if (config_.down_block_types[i] == "CrossAttnDownBlock2D") level.attentions.push_back(transformer(i));
        skips.push_back(width);
      }
      if (i + 1 < levels) {
        level.downsample = Conv2d(width, width, 3, {.stride = 2, .padding = 1});
        skips.push_back(width);
      }
      down_blocks_.push_back(std::move(level));
    }
    if (!config_.mid_block_type.empty()) {
      mid_block_.emplace();
      mid_block_->resnets.push_back(resnet(width, width));
      mid_block_->attentions.push_back(transformer(levels - 1));
      mid_block_->resnets.push_back(resnet(width, width));
    }
    for (std::size_t up = 0; up < levels; ++up) {
      const auto i = levels - 1 - up;
      UNetLevel level;
      for (std::int64_t k = 0; k < config_.layers_per_block[i] + 1; ++k) {
        level.resnets.push_back(resnet(width + skips.back(), channels[i]));
        skips.pop_back();
        width = channels[i];
        if (config_.up_block_types[up] == "CrossAttnUpBlock2D") level.attentions.push_back(transformer(i));
      }
      if (up + 1 < levels) level.upsample = Upsample2D(width);
      up_blocks_.push_back(std::move(level));
    }
    conv_norm_out_ = GroupNorm(config_.norm_num_groups, width, config_.norm_eps);
    conv_out_ = Conv2d(width, config_.out_channels, 3, {.stride = 1, .padding = 1});
  }

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("conv_in", self.conv_in_);
    f("time_embedding.linear_1", self.time_linear_1_);
    f("time_embedding.linear_2", self.time_linear_2_);
    f("down_blocks", self.down_blocks_);
    f("mid_block", self.mid_block_);
    f("up_blocks", self.up_blocks_);
    f("conv_norm_out", self.conv_norm_out_);
    f("conv_out", self.conv_out_);
  }

  const UNet2DConditionConfig& config() const { return config_; }
  std::vector<WeightRef> weights() { return weight_refs(*this); }
  /// Cross-attention layers, in the order of Conditioning::layers: down, middle, up (16 on Stable Diffusion).
  std::int64_t num_conditioned_layers() const { return conditioned_layers_; }

  /// x_t [B, C, h, w], t [B] -> [B, C, h, w] in the weights' dtype; throws Error on a wrong number of channels or of
  /// layers.
  Tensor predict(const Tensor& x_t, const Tensor& t, const Conditioning& conditioning) const {
    return run(x_t, t, conditioning, nullptr);
  }
  /// The same, handing out the cross-attention maps that the tap asks for.
  Tensor predict(const Tensor& x_t, const Tensor& t, const Conditioning& conditioning, AttentionTap& tap) const {
    return run(x_t, t, conditioning, &tap);
  }

 private:
  Tensor run(const Tensor& x_t, const Tensor& t, const Conditioning& conditioning, AttentionTap* tap) const {
    expect_shape(x_t, {"B", {config_.in_channels, "C"}, "h", "w"}, "UNet2DConditionModel: x_t");
    expect_shape(t, {{x_t.size(0), "B"}}, "UNet2DConditionModel: t", "one timestep a sample");
    check(conditioning, x_t.size(0));
    const auto dtype = conv_in_.weight.base.scalar_type();
    CrossAttentionWalk walk(conditioning, tap);
    auto time = timestep_embedding(t, config_.block_out_channels.front(), config_.flip_sin_to_cos, config_.freq_shift)
                    .to(dtype);
    const auto temb = at::silu(time_linear_2_(at::silu(time_linear_1_(time))));

    auto h = x_t.to(dtype);
    if (config_.center_input_sample) h = 2 * h - 1;
    h = conv_in_(h);
    std::vector<Tensor> skips{h};
    for (const UNetLevel& level : down_blocks_) {
      for (std::size_t i = 0; i < level.resnets.size(); ++i) skips.push_back(h = level.layer(i, h, temb, walk));
      if (level.downsample) skips.push_back(h = (*level.downsample)(h));
    }
    if (mid_block_) h = (*mid_block_)(h, temb, walk);
    for (const UNetLevel& level : up_blocks_) {
      for (std::size_t i = 0; i < level.resnets.size(); ++i) {
        h = level.layer(i, at::cat({h, skips.back()}, 1), temb, walk);
        skips.pop_back();
      }
      // The skip that comes next says the size: odd sizes are halved rounding up on the way down.
      if (level.upsample) h = (*level.upsample)(h, skips.back().size(2), skips.back().size(3));
    }
    return conv_out_(at::silu(conv_norm_out_(h)));
  }

  void check(const Conditioning& conditioning, std::int64_t batch) const {
    const auto expect = [&](const Tensor& states, const std::string& name) {
      expect_shape(states, {{batch, "B"}, "L", {config_.cross_attention_dim, "cross_attention_dim"}},
                   "UNet2DConditionModel: " + name, "is this the text encoder of this UNet?");
    };
    const auto& layers = conditioning.layers;
    if (layers.empty()) return expect(conditioning.states, "states");
    if (static_cast<std::int64_t>(layers.size()) != conditioned_layers_)
      throw Error("UNet2DConditionModel: layers", "expected one entry for each of " +
                                                      std::to_string(conditioned_layers_) +
                                                      " cross-attention layers, got " + std::to_string(layers.size()));
    for (std::size_t i = 0; i < layers.size(); ++i) {
      expect(layers[i].key_states, "layers[" + std::to_string(i) + "].key_states");
      expect(layers[i].value_states, "layers[" + std::to_string(i) + "].value_states");
    }
  }

  UNet2DConditionConfig config_{};
  std::int64_t conditioned_layers_ = 0;
  Conv2d conv_in_{}, conv_out_{};
  Linear time_linear_1_{}, time_linear_2_{};
  std::vector<UNetLevel> down_blocks_{}, up_blocks_{};
  std::optional<UNetMidBlock2DCrossAttn> mid_block_{};
  GroupNorm conv_norm_out_{};
};

}  // namespace persona
