#pragma once

#include <persona/core/error.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace persona {

/// A picture: 8-bit RGB, interleaved, rows from the top.
struct Image {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels{};  ///< width * height * 3

  /// Throws Error unless there are as many values as the size says.
  void check() const {
    if (width >= 1 && height >= 1 && static_cast<std::int64_t>(pixels.size()) == width * height * 3) return;
    throw Error("Image", std::to_string(width) + " x " + std::to_string(height) + " pixels need " +
                             std::to_string(width * height * 3) + " values, got " + std::to_string(pixels.size()));
  }
  friend bool operator==(const Image&, const Image&) = default;
};

/// A picture of one color.
inline Image filled_image(std::int64_t width, std::int64_t height, std::array<std::uint8_t, 3> color) {
  Image image{.width = width, .height = height};
  for (std::int64_t i = 0; i < width * height; ++i) image.pixels.insert(image.pixels.end(), color.begin(), color.end());
  return image;
}

/// What a reader of pictures accepts, and what it does with what RGB cannot hold.
struct DecodeOptions {
  std::int64_t max_pixels = 64'000'000;  ///< a file that declares more is refused before anything is allocated
  std::optional<std::array<std::uint8_t, 3>> background{};  ///< laid under transparency; without it alpha is dropped,
                                                            ///< as PIL's convert("RGB") and so diffusers' scripts do
  bool apply_orientation = true;                            ///< turn the picture as its EXIF orientation says
};

namespace detail {
inline void refuse_large(const std::string& name, std::int64_t width, std::int64_t height,
                         const DecodeOptions& options) {
  if (width >= 1 && height >= 1 && width <= options.max_pixels / height) return;
  throw Error(name,
              "declares " + std::to_string(width) + " x " + std::to_string(height) + " pixels, the limit is " +
                  std::to_string(options.max_pixels) + " in all",
              "make it smaller, or raise .max_pixels");
}
}  // namespace detail

}  // namespace persona
