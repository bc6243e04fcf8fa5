#pragma once

#include "captions.hpp"
#include "example.hpp"

#include <persona/core/tensor.hpp>

#include <cstring>
#include <span>
#include <vector>

namespace toyland {

/// Pictures as the models see them: [B, 3, 64, 64] fp32 in [-1, 1].
inline persona::Tensor to_tensor(std::span<const Picture> pictures, at::Device device = at::kCPU) {
  const auto n = static_cast<std::int64_t>(pictures.size());
  auto bytes = at::empty({n, image_size, image_size, 3}, at::TensorOptions().dtype(at::kByte));
  std::memcpy(bytes.mutable_data_ptr(), pictures.data(), pictures.size() * sizeof(Picture));
  return bytes.to(device).permute({0, 3, 1, 2}).to(at::kFloat).div(127.5).sub(1).contiguous();
}

/// [B, 3, 64, 64] in [-1, 1] -> pictures.
inline std::vector<Picture> to_pictures(const persona::Tensor& images) {
  const auto bytes =
      images.add(1).mul(127.5).clamp(0, 255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous().cpu();
  std::vector<Picture> pictures(static_cast<std::size_t>(bytes.size(0)));
  std::memcpy(pictures.data(), bytes.const_data_ptr(), pictures.size() * sizeof(Picture));
  return pictures;
}

/// Writes pictures as one sheet of `columns`, each pixel `zoom` wide, `gap` between.
void write_sheet(const char* path, std::span<const Picture> pictures, int columns, int zoom = 1);

}  // namespace toyland
