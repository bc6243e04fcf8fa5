#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/io/image.hpp>

#include <cstdint>
#include <cstring>
#include <vector>

namespace persona {

/// [3, H, W] fp32 in [-1, 1]: value / 127.5 - 1.
inline Tensor to_tensor(const Image& image) {
  image.check();
  const auto bytes = at::empty({image.height, image.width, 3}, at::TensorOptions().dtype(at::kByte));
  std::memcpy(bytes.mutable_data_ptr(), image.pixels.data(), image.pixels.size());
  return (bytes.permute({2, 0, 1}).to(at::kFloat) / 127.5 - 1.0).contiguous();
}

/// [N, 3, H, W] or [3, H, W] in [-1, 1] -> N images; values outside are clamped, and rounded to the nearest of 256
/// levels. Throws Error where a value is not a number: that would be a picture of nothing.
inline std::vector<Image> to_images(const Tensor& tensor) {
  const auto batch = tensor.defined() && tensor.dim() == 3 ? tensor.unsqueeze(0) : tensor;
  expect_shape(batch, {"N", {3, "channels"}, "H", "W"}, "to_images");
  const auto values = batch.detach().to(at::kCPU, at::kFloat);
  if (values.isnan().any().item<bool>())
    throw Error("to_images", "the pictures hold values that are not numbers",
                "what was learned or the model is not finite, or half precision overflowed: try dtype fp32");
  const auto levels = (values / 2 + 0.5).clamp(0, 1).mul(255).round();
  const auto bytes = levels.to(at::kByte).permute({0, 2, 3, 1}).contiguous();
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  const auto size = bytes.size(1) * bytes.size(2) * 3;
  std::vector<Image> images;
  for (std::int64_t i = 0; i < bytes.size(0); ++i)
    images.push_back(
        {.width = bytes.size(2), .height = bytes.size(1), .pixels = {data + i * size, data + (i + 1) * size}});
  return images;
}

}  // namespace persona
