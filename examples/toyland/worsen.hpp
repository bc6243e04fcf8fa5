#pragma once

#include "dice.hpp"

#include <persona/core/tensor.hpp>

namespace toyland {

/// Six in ten batches of pictures [B, 3, H, W] blurred a little and noisy, as drawn pictures are.
inline persona::Tensor worsen(const persona::Tensor& images, Dice& dice, at::Generator& generator) {
  if (dice.chance(0.4)) return images;
  auto blurred = images;
  if (dice.chance(0.7)) {
    const auto wide = at::pad(images, {1, 1, 1, 1}, "replicate");
    auto sum = at::zeros_like(images);
    for (std::int64_t y = 0; y < 3; ++y)
      for (std::int64_t x = 0; x < 3; ++x)
        sum = sum + wide.slice(2, y, y + images.size(2)).slice(3, x, x + images.size(3));
    blurred = images + (sum / 9 - images) * dice.uniform(0.2, 1);
  }
  return blurred + at::randn(images.sizes(), generator, images.options()) * dice.uniform(0, 0.15);
}

}  // namespace toyland
