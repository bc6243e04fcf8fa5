#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/images.hpp"

#include <persona/core/error.hpp>
#include <persona/io/png.hpp>
#include <persona/io/read_image.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace fs = std::filesystem;
using namespace persona::test;
using Catch::Contains;
using persona::Error;
using persona::Image;

TEST_CASE("Every kind of PNG reads as Pillow's convert('RGB') gives it") {
  int read = 0;
  for (const auto& file : files_in(image_folder() / "good")) {
    if (file.extension() != ".png") continue;
    INFO(file.filename());
    auto expected = image_folder() / "expected" / file.filename();
    expected += ".png";
    CHECK(difference(persona::read_png(file), persona::read_png(expected)) == 0);
    ++read;
  }
  CHECK(read >= 17);
}

TEST_CASE("The pixels themselves, against the formula that made them") {
  const auto image = persona::read_png(image_folder() / "good" / "rgb.png");
  REQUIRE(image.width == 24);
  REQUIRE(image.height == 16);
  const auto pixel = [&](int x, int y, int c) {
    return int(image.pixels[static_cast<std::size_t>((y * 24 + x) * 3 + c)]);
  };
  for (int x = 6; x < 12; ++x)
    for (int y = 0; y < 16; ++y) {
      CHECK(pixel(x, y, 0) == x * 255 / 23);
      CHECK(pixel(x, y, 1) == y * 255 / 15);
      CHECK(pixel(x, y, 2) == (x * 7 + y * 13) % 256);
    }
}

TEST_CASE("Transparency: dropped, or laid over a background") {
  const auto dropped = persona::read_png(image_folder() / "good" / "rgba.png");
  CHECK(dropped == persona::read_png(image_folder() / "good" / "rgb.png"));

  const auto white = persona::read_png(image_folder() / "good" / "rgba.png", {.background = {{255, 255, 255}}});
  for (int x = 0; x < 24; ++x) {
    const int alpha = static_cast<int>(255.0 * x / 23);  // as make_images.py: linspace, cut to whole levels
    for (std::size_t c = 0; c < 3; ++c) {
      const auto at = static_cast<std::size_t>(x) * 3 + c;
      const double expected = (dropped.pixels[at] * alpha + 255.0 * (255 - alpha)) / 255;
      CHECK(std::abs(white.pixels[at] - expected) <= 0.5);
    }
  }
  // A picture without transparency is the same over any background; a transparent color or palette entry is not.
  CHECK(persona::read_png(image_folder() / "good" / "interlaced.png", {.background = {{9, 9, 9}}}) == dropped);
  for (const char* name : {"palette_trns.png", "rgb_trns.png", "grey_alpha.png"}) {
    INFO(name);
    const auto file = image_folder() / "good" / name;
    CHECK(difference(persona::read_png(file), persona::read_png(file, {.background = {{9, 9, 9}}})) > 0);
  }
  const auto keyed = persona::read_png(image_folder() / "good" / "rgb_trns.png", {.background = {{9, 8, 7}}});
  CHECK(keyed.pixels[0] == 9);
  CHECK(keyed.pixels[1] == 8);
  CHECK(keyed.pixels[2] == 7);
}

TEST_CASE("What is damaged, cut off or too large is refused with the file's name") {
  const auto refused = [](const char* name, const char* reason) {
    INFO(name);
    CHECK_THROWS_WITH(persona::read_png(image_folder() / "bad" / name), Contains(name) && Contains(reason));
  };
  refused("empty.png", "is empty");
  refused("truncated.png", "ends too early");
  refused("no_end.png", "ends too early");
  refused("wrong_crc.png", "CRC error");
  refused("bomb.png", "30000 x 30000 pixels, the limit is 64000000");
  refused("hollow.png", "which 74 bytes cannot hold");
  refused("zero_wide.png", "damaged PNG");
  refused("no_pixels.png", "Not enough image data");
  refused("no_palette.png", "PLTE");
  refused("bomb.jpg", "is not a PNG");
  CHECK_THROWS_WITH(persona::read_png(image_folder() / "none.png"), Contains("none.png") && Contains("is not there"));
  CHECK_THROWS_WITH(persona::read_png(image_folder()), Contains("is not a file"));
  CHECK_THROWS_WITH(persona::read_png(image_folder() / "good" / "rgb.png", {.max_pixels = 24 * 16 - 1}),
                    Contains("24 x 16"));
  CHECK_NOTHROW(persona::read_png(image_folder() / "good" / "rgb.png", {.max_pixels = 24 * 16}));
}

TEST_CASE("A picture is read by its first bytes, whatever its name ends with") {
  CHECK(persona::read_image(image_folder() / "good" / "png_inside.jpg") ==
        persona::read_image(image_folder() / "good" / "rgb.png"));
  CHECK_THROWS_WITH(persona::read_image(image_folder() / "bad" / "picture.gif"), Contains("is a GIF"));
  CHECK_THROWS_WITH(persona::read_image(image_folder() / "bad" / "picture.heic"), Contains("is a HEIC"));
  CHECK_THROWS_WITH(persona::read_image(image_folder() / "bad" / "picture.webp"),
                    Contains("is a WebP") && Contains("save it as PNG"));
  CHECK_THROWS_WITH(persona::read_image(image_folder() / "bad" / "page.jpg"), Contains("no picture"));
}

TEST_CASE("Written pictures read back bit for bit") {
  const Folder folder;
  for (const auto& [width, height] : {std::pair{1, 1}, {37, 23}, {1, 200}, {300, 2}}) {
    const auto image = noise(width, height);
    CHECK(persona::decode_png(persona::encode_png(image)) == image);
    persona::write_png(image, folder / "picture.png");
    CHECK(persona::read_png(folder / "picture.png") == image);
  }
  CHECK(files_in(folder.path()).size() == 1);  // no temporary file is left
  CHECK_THROWS_WITH(persona::write_png(noise(2, 2), folder / "missing" / "picture.png"), Contains("picture.png"));
  CHECK_THROWS_WITH(persona::encode_png({.width = 3, .height = 3, .pixels = {1, 2, 3}}),
                    Contains("need 27 values, got 3"));
}
