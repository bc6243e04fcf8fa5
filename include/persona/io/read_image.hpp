#pragma once

#include <persona/core/error.hpp>
#include <persona/io/image.hpp>
#include <persona/io/image_format.hpp>
#include <persona/io/jpeg.hpp>
#include <persona/io/png.hpp>
#include <persona/io/read_file.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace persona {

/// A PNG or JPEG in memory, told apart by its first bytes; Error naming what it is instead.
inline Image decode_image(std::span<const std::byte> bytes, const std::string& name = "image",
                          const DecodeOptions& options = {}) {
  const auto format = image_format(bytes);
  if (format == "PNG") return decode_png(bytes, name, options);
  if (format == "JPEG") return decode_jpeg(bytes, name, options);
  if (bytes.empty()) throw Error(name, "is empty");
  throw Error(name, format.empty() ? "is no picture that is known here" : "is a " + std::string(format),
              "save it as PNG or JPEG");
}

/// decode_image of a file, whatever its name ends with.
inline Image read_image(const std::filesystem::path& path, const DecodeOptions& options = {}) {
  return decode_image(read_file(path), path.string(), options);
}

}  // namespace persona
