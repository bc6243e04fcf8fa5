#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace persona {

/// What the first bytes of a file say that it is: "PNG", "JPEG", the name of another picture format, or nothing. The
/// name that a file bears is not asked.
inline std::string_view image_format(std::span<const std::byte> start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return "PNG";
  if (text.starts_with("\xff\xd8\xff")) return "JPEG";
  if (text.starts_with("GIF8")) return "GIF";
  if (text.starts_with("RIFF") && text.substr(0, 12).ends_with("WEBP")) return "WebP";
  if (text.starts_with("BM") && text.size() >= 26 && text.substr(6, 4) == std::string_view("\0\0\0\0", 4)) return "BMP";
  if (text.starts_with(std::string_view("II*\0", 4)) || text.starts_with(std::string_view("MM\0*", 4))) return "TIFF";
  if (text.starts_with("\xff\x0a") || text.starts_with(std::string_view("\0\0\0\x0cJXL ", 8))) return "JPEG XL";
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp") {
    const auto brand = text.substr(8, 4);
    if (brand == "avif" || brand == "avis") return "AVIF";
    if (brand.starts_with("hei") || brand.starts_with("hev") || brand == "mif1" || brand == "msf1") return "HEIC";
  }
  return {};
}

}  // namespace persona
