#pragma once

#include <persona/io/image.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace persona {

/// The Orientation (1 to 8) of an EXIF block, which begins with its TIFF header; 1 where there is none, or none that
/// makes sense: a damaged block must not cost the picture.
inline int exif_orientation(std::span<const std::byte> tiff) {
  const auto byte = [&](std::size_t at) { return std::to_integer<std::uint32_t>(tiff[at]); };
  if (tiff.size() < 8) return 1;
  const bool little = byte(0) == 'I' && byte(1) == 'I';
  if (!little && !(byte(0) == 'M' && byte(1) == 'M')) return 1;
  const auto two = [&](std::size_t at) { return little ? byte(at) | byte(at + 1) << 8 : byte(at) << 8 | byte(at + 1); };
  const auto four = [&](std::size_t at) { return little ? two(at) | two(at + 2) << 16 : two(at) << 16 | two(at + 2); };
  if (two(2) != 42) return 1;
  const std::size_t directory = four(4);
  if (directory > tiff.size() - 2) return 1;
  const std::size_t entries = two(directory);
  for (std::size_t i = 0, at = directory + 2; i < entries && tiff.size() - at >= 12; ++i, at += 12) {
    constexpr std::uint32_t orientation_tag = 0x0112, short_type = 3;
    if (two(at) != orientation_tag) continue;
    const auto value = two(at + 8);
    return two(at + 2) == short_type && four(at + 4) == 1 && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// The picture as it is to be looked at, given the EXIF orientation that it was stored with.
inline Image apply_orientation(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  // 1 to 4 mirror or turn by 180 degrees; 5 to 8 also exchange rows and columns.
  const bool transposes = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned{.width = image.width, .height = image.height};
  if (transposes) std::swap(turned.width, turned.height);
  turned.pixels.reserve(image.pixels.size());
  for (std::int64_t y = 0; y < turned.height; ++y)
    for (std::int64_t x = 0; x < turned.width; ++x) {
      const auto column = transposes ? y : x, row = transposes ? x : y;
      const auto source_x = from_right ? image.width - 1 - column : column;
      const auto source_y = from_below ? image.height - 1 - row : row;
      const auto* pixel = image.pixels.data() + (source_y * image.width + source_x) * 3;
      turned.pixels.insert(turned.pixels.end(), pixel, pixel + 3);
    }
  return turned;
}

}  // namespace persona
