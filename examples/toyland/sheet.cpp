#include "batches.hpp"

namespace toyland {

void write_sheet(const char* path, std::span<const Picture> pictures, int columns, int zoom) {
  const int rows = (static_cast<int>(pictures.size()) + columns - 1) / columns, cell = image_size * zoom;
  const int width = columns * cell, height = rows * cell;
  std::vector<std::uint8_t> sheet(static_cast<std::size_t>(width * height * 3), 255);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    for (int y = 0; y < cell; ++y)
      for (int x = 0; x < cell; ++x)
        for (int c = 0; c < 3; ++c) {
          const int row = static_cast<int>(i) / columns * cell + y, column = static_cast<int>(i) % columns * cell + x;
          sheet[static_cast<std::size_t>((row * width + column) * 3 + c)] =
              pictures[i][static_cast<std::size_t>(((y / zoom) * image_size + x / zoom) * 3 + c)];
        }
  write_png(path, sheet, width, height);
}

}  // namespace toyland
