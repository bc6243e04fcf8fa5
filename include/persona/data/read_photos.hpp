#pragma once

#include <persona/core/error.hpp>
#include <persona/data/photos.hpp>
#include <persona/io/image_format.hpp>
#include <persona/io/read_file.hpp>
#include <persona/io/read_image.hpp>
#include <persona/text/captions.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace persona {

namespace detail {

// A picture by its name or by its first bytes: only these are worth a word when they cannot be read.
inline bool claims_to_be_image(const std::filesystem::path& path) {
  auto ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::string_view endings[] = {".png", ".jpg", ".jpeg", ".jpe",  ".jfif", ".webp", ".gif",
                                          ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl"};
  if (std::ranges::find(endings, ending) != std::end(endings)) return true;
  std::array<std::byte, 32> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(start.data()), start.size());
  const auto format =
      image_format(std::span(start).first(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0))));
  return format == "PNG" || format == "JPEG";
}

inline Photo read_photo(const std::filesystem::path& path, const DecodeOptions& options) {
  Photo photo{.image = decode_image(read_file(path), path.filename().string(), options),
              .name = path.filename().string()};
  auto caption = path;
  if (std::filesystem::exists(caption.replace_extension(".txt"))) photo.caption = read_caption(path);
  return photo;
}

}  // namespace detail

/// The photos of a folder (or one photo, by its path), sorted by name; `name.txt` beside `name.png` is its caption.
/// Hidden files, folders and what is no picture are passed over in silence; a picture that cannot be read is named in
/// `skipped` with the reason. Throws Error where not one is left.
inline Photos photos(const std::filesystem::path& folder, const DecodeOptions& options = {}) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto status = fs::status(folder, error);
  if (!fs::exists(status))
    throw Error(folder.string(), "is not there", "a folder of PNG or JPEG files, or one such file");
  Photos found;
  if (!fs::is_directory(status)) {
    found.push_back(detail::read_photo(folder, options));
    return found;
  }
  std::vector<fs::path> files, others;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code unreadable;
    if (entry.path().filename().string().starts_with(".")) continue;
    const bool file = entry.is_regular_file(unreadable);
    (file && detail::claims_to_be_image(entry.path()) ? files : others).push_back(entry.path().filename());
  }
  if (error) throw Error(folder.string(), "cannot be listed: " + error.message());
  std::ranges::sort(files);
  std::ranges::sort(others);
  for (const auto& file : files) {
    try {
      found.push_back(detail::read_photo(folder / file, options));
    } catch (const Error& reason) {
      found.skipped.emplace_back(reason.what());
    }
  }
  if (!found.empty()) return found;

  std::string there;
  for (const auto& reason : found.skipped) there += "\n  " + reason;
  for (std::size_t i = 0; i < others.size() && i < 10; ++i) there += "\n  " + others[i].string() + ": no picture";
  if (others.size() > 10) there += "\n  and " + std::to_string(others.size() - 10) + " more";
  throw Error(folder.string(),
              there.empty() ? "holds no photo: it is empty" : "holds no photo that can be read:" + there,
              "PNG and JPEG are read; photos in folders further down are not");
}

}  // namespace persona
