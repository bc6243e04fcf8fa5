#pragma once

#include <persona/core/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// A picture: 8-bit RGB, interleaved, rows from the top.
struct Image {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> pixels{};  ///< width * height * 3

  /// Throws Error unless there are as many values as the size says.
  void check() const {
    if (width < 1 || height < 1 || static_cast<std::int64_t>(pixels.size()) != width * height * 3)
      throw Error("Image", std::to_string(width) + " x " + std::to_string(height) + " pixels need " + std::to_string(width * height * 3) + " values, got " + std::to_string(pixels.size()));
  }
  friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace persona
