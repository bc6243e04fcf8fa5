#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/io/image.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace persona {

/// The part of an image that begins at (left, top); throws Error where it reaches outside.
inline Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height) {
  image.check();
  if (left < 0 || top < 0 || width < 1 || height < 1 || left + width > image.width || top + height > image.height)
    throw Error("crop", std::to_string(width) + " x " + std::to_string(height) + " from (" + std::to_string(left) +
                            ", " + std::to_string(top) + ") does not lie in an image of " +
                            std::to_string(image.width) + " x " + std::to_string(image.height));
  Image part{.width = width, .height = height};
  part.pixels.reserve(static_cast<std::size_t>(width * height * 3));
  for (std::int64_t y = top; y < top + height; ++y) {
    const auto row = image.pixels.begin() + (y * image.width + left) * 3;
    part.pixels.insert(part.pixels.end(), row, row + width * 3);
  }
  return part;
}

/// The largest part in the middle that has the proportions width : height (1 : 1: the central square, as Textual
/// Inversion cuts it).
inline Image center_crop(const Image& image, std::int64_t width = 1, std::int64_t height = 1) {
  const auto w = std::min(image.width, std::max<std::int64_t>(image.height * width / height, 1));
  const auto h = std::min(image.height, std::max<std::int64_t>(image.width * height / width, 1));
  return crop(image, (image.width - w) / 2, (image.height - h) / 2, w, h);
}

/// A part of the size asked for, anywhere in the image with equal chances.
inline Image random_crop(const Image& image, std::int64_t width, std::int64_t height, at::Generator& generator) {
  const auto draw = [&](std::int64_t room) {
    return room > 0 ? at::randint(0, room + 1, {}, generator, at::kLong).item<std::int64_t>() : room;
  };
  return crop(image, draw(image.width - width), draw(image.height - height), width, height);
}

}  // namespace persona
