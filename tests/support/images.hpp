#pragma once

#include <persona/io/image.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <vector>

namespace persona::test {

/// The folder that tests/data/make_images.py fills.
inline std::filesystem::path image_folder() { return std::filesystem::path(PERSONA_TEST_DATA) / "images"; }

inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// The largest difference of two pictures in levels; 999 where their sizes differ.
inline int difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.pixels.size() != b.pixels.size()) return 999;
  int worst = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i)
    worst = std::max(worst, std::abs(int(a.pixels[i]) - int(b.pixels[i])));
  return worst;
}

inline Image noise(std::int64_t width, std::int64_t height, unsigned seed = 1) {
  std::mt19937 random(seed);
  Image image{.width = width, .height = height};
  for (std::int64_t i = 0; i < width * height * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>(random()));
  return image;
}

}  // namespace persona::test
