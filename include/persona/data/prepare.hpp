#pragma once

#include <persona/core/tensor.hpp>
#include <persona/data/crop.hpp>
#include <persona/data/image.hpp>
#include <persona/data/resize.hpp>

#include <cstdint>

namespace persona {

/// A photo as a model is trained with it: the central part of the right proportions (or all of it, squashed), resized
/// by Pillow's bicubic kernel: [3, height, width] in [-1, 1].
inline Tensor prepare_photo(const Image& photo, std::int64_t height, std::int64_t width, bool cut_center = true) {
  return to_tensor(resize(cut_center ? center_crop(photo, width, height) : photo, width, height, Resample::bicubic));
}

}  // namespace persona
