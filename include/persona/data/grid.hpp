#pragma once

#include <persona/core/error.hpp>
#include <persona/data/bitmap_font.hpp>
#include <persona/data/resize.hpp>
#include <persona/io/image.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// How make_grid lays pictures out.
struct GridOptions {
  std::int64_t columns = 0;             ///< 0: four, or fewer where there are fewer pictures
  std::vector<std::string> captions{};  ///< none, or one a picture, drawn below it in as many lines as it needs
  std::int64_t scale = 1;               ///< how many times larger the pictures are drawn
  std::optional<Resample> upscale{};    ///< a kernel for that; default: every pixel becomes a square
  std::int64_t padding = 8;             ///< pixels around every cell
  std::int64_t text_scale = 1;          ///< how many times larger the letters (9 pixels high) are drawn
  std::array<std::uint8_t, 3> background{255, 255, 255};
  std::array<std::uint8_t, 3> ink{40, 40, 40};
};

namespace detail {

inline Image enlarge(const Image& image, std::int64_t scale, std::optional<Resample> kernel) {
  if (scale == 1) return image;
  if (kernel) return resize(image, image.width * scale, image.height * scale, *kernel);
  Image large{.width = image.width * scale, .height = image.height * scale};
  large.pixels.reserve(static_cast<std::size_t>(large.width * large.height * 3));
  for (std::int64_t y = 0; y < large.height; ++y)
    for (std::int64_t x = 0; x < large.width; ++x) {
      const auto* pixel = image.pixels.data() + (y / scale * image.width + x / scale) * 3;
      large.pixels.insert(large.pixels.end(), pixel, pixel + 3);
    }
  return large;
}

inline void paste(Image& onto, const Image& image, std::int64_t left, std::int64_t top) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    const auto row = image.pixels.begin() + y * image.width * 3;
    std::copy(row, row + image.width * 3, onto.pixels.begin() + ((top + y) * onto.width + left) * 3);
  }
}

}  // namespace detail

/// All pictures on one sheet, row by row, each in the middle of a cell as large as the largest. Throws Error without
/// pictures, or where the captions are not as many.
inline Image make_grid(const std::vector<Image>& images, const GridOptions& options = {}) {
  if (images.empty()) throw Error("make_grid", "no pictures");
  if (!options.captions.empty() && options.captions.size() != images.size())
    throw Error(
        "make_grid",
        std::to_string(images.size()) + " pictures and " + std::to_string(options.captions.size()) + " captions",
        "give one caption a picture, or none");
  if (options.columns < 0 || options.scale < 1 || options.text_scale < 1 || options.padding < 0)
    throw Error("make_grid", "a scale is less than 1, or a size less than 0");

  const auto count = static_cast<std::int64_t>(images.size());
  const auto columns = std::min(options.columns > 0 ? options.columns : 4, count);
  const auto rows = (count + columns - 1) / columns;
  std::int64_t width = 0, height = 0;
  for (const Image& image : images) {
    image.check();
    width = std::max(width, image.width * options.scale);
    height = std::max(height, image.height * options.scale);
  }

  // A row of cells is as high as its longest caption asks for.
  const auto line = detail::line_height * options.text_scale;
  std::vector<std::vector<std::string>> captions(images.size());
  std::vector<std::int64_t> top(static_cast<std::size_t>(rows) + 1, options.padding);
  for (std::int64_t row = 0; row < rows; ++row) {
    std::size_t lines = 0;
    for (auto i = row * columns; i < std::min(count, (row + 1) * columns); ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!options.captions.empty()) captions[at] = wrap_text(options.captions[at], width, options.text_scale);
      lines = std::max(lines, captions[at].size());
    }
    const auto text = lines ? static_cast<std::int64_t>(lines) * line + line / 3 : 0;
    top[static_cast<std::size_t>(row) + 1] = top[static_cast<std::size_t>(row)] + height + text + options.padding;
  }

  auto sheet = filled_image(columns * (width + options.padding) + options.padding, top.back(), options.background);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto left = options.padding + i % columns * (width + options.padding);
    const auto cell_top = top[static_cast<std::size_t>(i / columns)];
    const auto image = detail::enlarge(images[at], options.scale, options.upscale);
    detail::paste(sheet, image, left + (width - image.width) / 2, cell_top + (height - image.height) / 2);
    auto y = cell_top + height + line / 3;
    for (const std::string& words : captions[at]) {
      draw_text(sheet, left + (width - text_width(words, options.text_scale)) / 2, y, words, options.ink,
                options.text_scale);
      y += line;
    }
  }
  return sheet;
}

}  // namespace persona
