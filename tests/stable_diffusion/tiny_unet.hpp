#pragma once
// A UNet of two levels, one of them attending, with random weights.

#include "support/catch.hpp"

#include <persona/core/placement.hpp>
#include <persona/core/random.hpp>
#include <persona/stable_diffusion/init_weights.hpp>
#include <persona/stable_diffusion/unet.hpp>

#include <cstdint>

namespace tiny {

inline persona::UNet2DConditionConfig unet_config() {
  return {.sample_size = 4,
          .in_channels = 2,
          .out_channels = 2,
          .down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D"},
          .up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D"},
          .block_out_channels = {4, 8},
          .layers_per_block = {1, 1},
          .transformer_layers_per_block = {1, 1},
          .num_attention_heads = {1, 2},
          .cross_attention_dim = 6,
          .norm_num_groups = 2};
}

inline at::Generator generator(std::uint64_t seed = 1) {
  return persona::Random(seed).at(persona::Stream::initialization);
}

inline persona::UNet2DConditionModel unet(const persona::UNet2DConditionConfig& config = unet_config(),
                                          at::ScalarType dtype = at::kFloat) {
  persona::UNet2DConditionModel model(config);
  persona::initialize(model, generator());
  persona::to(model, at::kCPU, dtype);
  return model;
}

/// Reproducible values of no pattern.
inline persona::Tensor values(at::IntArrayRef shape, std::uint64_t seed, at::ScalarType dtype = at::kFloat) {
  return at::randn(shape, generator(seed), at::TensorOptions().dtype(dtype));
}

inline double distance(const persona::Tensor& a, const persona::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace tiny
