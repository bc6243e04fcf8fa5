#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/model/autoencoder.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/stable_diffusion/attention.hpp>
#include <persona/stable_diffusion/layers.hpp>
#include <persona/stable_diffusion/resnet.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// diffusers' AutoencoderKL config, as far as it changes the arithmetic; the defaults are its own.
struct AutoencoderKLConfig {
  std::int64_t sample_size = 512;
  std::int64_t in_channels = 3, out_channels = 3, latent_channels = 4;
  std::vector<std::int64_t> block_out_channels{128, 256, 512, 512};
  std::int64_t layers_per_block = 2;
  std::int64_t norm_num_groups = 32;
  double scaling_factor = 0.18215;
  bool mid_block_add_attention = true;
  bool use_quant_conv = true, use_post_quant_conv = true;

  /// Throws Error naming the field and what it may be.
  void check() const {
    const auto fail = [](const std::string& field, const std::string& what) {
      throw Error("AutoencoderKLConfig: " + field, what);
    };
    if (block_out_channels.empty()) fail("block_out_channels", "is empty");
    for (const auto value : {in_channels, out_channels, latent_channels, layers_per_block, norm_num_groups})
      if (value < 1)
        fail("in_channels, out_channels, latent_channels, layers_per_block, norm_num_groups",
             "one is " + std::to_string(value));
    for (const auto width : block_out_channels)
      if (width < 1 || width % norm_num_groups != 0)
        fail("norm_num_groups",
             std::to_string(norm_num_groups) + " does not divide block_out_channels " + std::to_string(width));
    if (!(scaling_factor > 0)) fail("scaling_factor", "is " + std::to_string(scaling_factor));
  }
};

/// One head of self-attention over the pixels of x [B, C, H, W], with a residual.
struct VaeAttention {
  GroupNorm group_norm{};
  Attention attention{};

  VaeAttention() = default;
  VaeAttention(std::int64_t channels, std::int64_t groups)
      : group_norm(groups, channels, 1e-6), attention(channels, channels, 1, true) {}
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("group_norm", self.group_norm);
    Attention::visit(self.attention, f);
  }
  Tensor operator()(const Tensor& x) const {
    const auto tokens = group_norm(x).flatten(2).transpose(1, 2);
    return attention(tokens).transpose(1, 2).reshape(x.sizes()) + x;
  }
};

/// Residual blocks and the resampling behind them.
struct VaeLevel {
  std::vector<ResnetBlock2D> resnets{};
  std::optional<Conv2d> downsample{};
  std::optional<Upsample2D> upsample{};
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("resnets", self.resnets);
    f("downsamplers.0.conv", self.downsample);
    f("upsamplers.0", self.upsample);
  }
};

struct VaeMidBlock {
  std::vector<VaeAttention> attentions{};
  std::vector<ResnetBlock2D> resnets{};

  VaeMidBlock() = default;
  VaeMidBlock(std::int64_t channels, std::int64_t groups, bool attend) {
    for (int i = 0; i < 2; ++i) resnets.emplace_back(channels, channels, 0, groups, 1e-6);
    if (attend) attentions.emplace_back(channels, groups);
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("attentions", self.attentions);
    f("resnets", self.resnets);
  }
  Tensor operator()(const Tensor& x) const {
    auto h = resnets[0](x);
    if (!attentions.empty()) h = attentions[0](h);
    return resnets[1](h);
  }
};

struct VaeEncoder {
  Conv2d conv_in{}, conv_out{};
  std::vector<VaeLevel> down_blocks{};
  VaeMidBlock mid_block{};
  GroupNorm conv_norm_out{};

  VaeEncoder() = default;
  explicit VaeEncoder(const AutoencoderKLConfig& config) {
    const auto& channels = config.block_out_channels;
    conv_in = Conv2d(config.in_channels, channels.front(), 3, {.stride = 1, .padding = 1});
    auto width = channels.front();
    for (std::size_t i = 0; i < channels.size(); ++i) {
      VaeLevel level;
      for (std::int64_t k = 0; k < config.layers_per_block; ++k)
        level.resnets.emplace_back(std::exchange(width, channels[i]), channels[i], 0, config.norm_num_groups, 1e-6);
      if (i + 1 < channels.size()) level.downsample = Conv2d(width, width, 3, {.stride = 2, .padding = 0});
      down_blocks.push_back(std::move(level));
    }
    mid_block = VaeMidBlock(width, config.norm_num_groups, config.mid_block_add_attention);
    conv_norm_out = GroupNorm(config.norm_num_groups, width, 1e-6);
    conv_out = Conv2d(width, 2 * config.latent_channels, 3, {.stride = 1, .padding = 1});
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("conv_in", self.conv_in);
    f("down_blocks", self.down_blocks);
    f("mid_block", self.mid_block);
    f("conv_norm_out", self.conv_norm_out);
    f("conv_out", self.conv_out);
  }
  Tensor operator()(const Tensor& images) const {
    auto h = conv_in(images);
    for (const VaeLevel& level : down_blocks) {
      for (const auto& resnet : level.resnets) h = resnet(h);
      if (level.downsample) h = (*level.downsample)(at::pad(h, {0, 1, 0, 1}));  // padded right and below alone
    }
    return conv_out(at::silu(conv_norm_out(mid_block(h))));
  }
};

struct VaeDecoder {
  Conv2d conv_in{}, conv_out{};
  std::vector<VaeLevel> up_blocks{};
  VaeMidBlock mid_block{};
  GroupNorm conv_norm_out{};

  VaeDecoder() = default;
  explicit VaeDecoder(const AutoencoderKLConfig& config) {
    const auto& channels = config.block_out_channels;
    auto width = channels.back();
    conv_in = Conv2d(config.latent_channels, width, 3, {.stride = 1, .padding = 1});
    mid_block = VaeMidBlock(width, config.norm_num_groups, config.mid_block_add_attention);
    for (std::size_t i = channels.size(); i-- > 0;) {
      VaeLevel level;
      for (std::int64_t k = 0; k < config.layers_per_block + 1; ++k)
        level.resnets.emplace_back(std::exchange(width, channels[i]), channels[i], 0, config.norm_num_groups, 1e-6);
      if (i > 0) level.upsample = Upsample2D(width);
      up_blocks.push_back(std::move(level));
    }
    conv_norm_out = GroupNorm(config.norm_num_groups, width, 1e-6);
    conv_out = Conv2d(width, config.out_channels, 3, {.stride = 1, .padding = 1});
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("conv_in", self.conv_in);
    f("up_blocks", self.up_blocks);
    f("mid_block", self.mid_block);
    f("conv_norm_out", self.conv_norm_out);
    f("conv_out", self.conv_out);
  }
  Tensor operator()(const Tensor& latents) const {
    auto h = mid_block(conv_in(latents));
    for (const VaeLevel& level : up_blocks) {
      for (const auto& resnet : level.resnets) h = resnet(h);
      if (level.upsample) h = (*level.upsample)(h);
    }
    return conv_out(at::silu(conv_norm_out(h)));
  }
};

/// Stable Diffusion's autoencoder (Rombach et al. 2022; diffusers' AutoencoderKL).
class AutoencoderKL {
 public:
  AutoencoderKL() = default;
  /// Weights have their shapes and no storage yet: a loader or an initializer fills them.
  explicit AutoencoderKL(AutoencoderKLConfig config) : config_(std::move(config)) {
    config_.check();
    encoder_ = VaeEncoder(config_);
    decoder_ = VaeDecoder(config_);
    const auto c = config_.latent_channels;
    if (config_.use_quant_conv) quant_conv_ = Conv2d(2 * c, 2 * c, 1);
    if (config_.use_post_quant_conv) post_quant_conv_ = Conv2d(c, c, 1);
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("encoder", self.encoder_);
    f("decoder", self.decoder_);
    f("quant_conv", self.quant_conv_);
    f("post_quant_conv", self.post_quant_conv_);
  }

  const AutoencoderKLConfig& config() const { return config_; }
  std::vector<WeightRef> weights() { return weight_refs(*this); }
  double scaling_factor() const { return config_.scaling_factor; }
  /// Pixels a latent is wide: 8 on Stable Diffusion.
  std::int64_t vae_scale_factor() const { return std::int64_t{1} << (config_.block_out_channels.size() - 1); }

  /// images [B, 3, H, W] in [-1, 1] -> the posterior's mean and standard deviation [B, C, H/f, W/f] in fp32, unscaled.
  Moments encode(const Tensor& images) const {
    expect_shape(images, {"B", {config_.in_channels, "C"}, "H", "W"}, "AutoencoderKL: images");
    if (images.size(2) % vae_scale_factor() != 0 || images.size(3) % vae_scale_factor() != 0)
      throw Error("AutoencoderKL: images", "height and width must be multiples of " +
                                               std::to_string(vae_scale_factor()) + ", got " +
                                               shape_string(images.sizes()));
    auto moments = encoder_(images.to(encoder_.conv_in.weight.base.scalar_type()));
    if (quant_conv_) moments = (*quant_conv_)(moments);
    const auto halves = moments.to(at::kFloat).chunk(2, 1);
    return {.mean = halves[0], .std = (0.5 * halves[1].clamp(-30.0, 20.0)).exp()};
  }
  /// Unscaled latents [B, C, h, w] -> images [B, 3, f h, f w], about [-1, 1], in fp32.
  Tensor decode(const Tensor& latents) const {
    expect_shape(latents, {"B", {config_.latent_channels, "C"}, "h", "w"}, "AutoencoderKL: latents");
    auto h = latents.to(decoder_.conv_in.weight.base.scalar_type());
    if (post_quant_conv_) h = (*post_quant_conv_)(h);
    return decoder_(h).to(at::kFloat);
  }

 private:
  AutoencoderKLConfig config_{};
  VaeEncoder encoder_{};
  VaeDecoder decoder_{};
  std::optional<Conv2d> quant_conv_{}, post_quant_conv_{};
};

}  // namespace persona
