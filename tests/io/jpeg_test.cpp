#include "support/catch.hpp"
#include "support/images.hpp"

#include <persona/io/jpeg.hpp>
#include <persona/io/orientation.hpp>
#include <persona/io/png.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace persona::test;
using Catch::Contains;

TEST_CASE("Baseline, progressive, grey, four inks and every EXIF orientation read as Pillow gives them") {
  int read = 0;
  for (const auto& file : files_in(image_folder() / "good")) {
    if (file.extension() != ".jpg" || file.filename() == "png_inside.jpg") continue;
    INFO(file.filename());
    auto expected = image_folder() / "expected" / file.filename();
    expected += ".png";
    CHECK(difference(persona::read_jpeg(file), persona::read_png(expected)) <=
          2);  // Pillow brings a libjpeg of its own
    ++read;
  }
  CHECK(read == 14);
}

TEST_CASE("Orientations: all eight turn to what they show, and can be left alone") {
  const auto upright = persona::read_jpeg(image_folder() / "good" / "exif1.jpg");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const auto file = image_folder() / "good" / ("exif" + std::to_string(orientation) + ".jpg");
    INFO(file.filename());
    CHECK(persona::read_jpeg(file, {.apply_orientation = false}) == upright);
    CHECK(persona::read_jpeg(file) == persona::apply_orientation(upright, orientation));
    CHECK(persona::read_jpeg(file).width == (orientation < 5 ? 24 : 16));
  }
  // 6 and 8 undo each other, the others undo themselves.
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const int back = orientation == 6 ? 8 : orientation == 8 ? 6 : orientation;
    CHECK(persona::apply_orientation(persona::apply_orientation(upright, orientation), back) == upright);
  }
  CHECK(persona::apply_orientation(upright, 9) == upright);
  CHECK(persona::apply_orientation(upright, -1) == upright);
}

TEST_CASE("An EXIF block that makes no sense means upright, and nothing is read beyond its end") {
  using Bytes = std::vector<std::byte>;
  const auto bytes = [](const std::string& text) {
    Bytes list;
    for (const char c : text) list.push_back(static_cast<std::byte>(c));
    return list;
  };
  const std::string entry("\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", 12);
  const std::string head("II*\0\x08\0\0\0", 8);
  CHECK(persona::exif_orientation(bytes(head + std::string("\x01\0", 2) + entry)) == 6);
  CHECK(persona::exif_orientation(bytes(head + std::string("\xff\xff", 2) + entry)) == 6);  // more entries than bytes
  CHECK(persona::exif_orientation({}) == 1);
  CHECK(persona::exif_orientation(bytes("II*")) == 1);
  CHECK(persona::exif_orientation(bytes(head)) == 1);
  CHECK(persona::exif_orientation(bytes(std::string("II*\0\xff\xff\xff\xff\x01\0", 10))) == 1);
  CHECK(persona::exif_orientation(bytes(std::string("XX*\0\x08\0\0\0\x01\0", 10) + entry)) == 1);
  for (std::size_t length = 0; length < 22; ++length) {
    const Bytes whole = bytes(head + std::string("\x01\0", 2) + entry);
    const Bytes cut(whole.begin(),
                    whole.begin() + static_cast<std::ptrdiff_t>(length));  // its own allocation: ASan sees the end
    CHECK(persona::exif_orientation(cut) == 1);
  }
}

TEST_CASE("What is damaged, cut off or too large is refused") {
  const auto refused = [](const char* name, const char* reason) {
    INFO(name);
    CHECK_THROWS_WITH(persona::read_jpeg(image_folder() / "bad" / name), Contains(name) && Contains(reason));
  };
  refused("truncated.jpg", "Premature end");
  refused("truncated_progressive.jpg", "Premature end");
  refused("start_only.jpg", "damaged JPEG");
  refused("bomb.jpg", "30000 x 30000 pixels, the limit is 64000000");
  refused("empty.png", "is empty");
  refused("picture.gif", "is not a JPEG");
}
