#include "support/catch.hpp"
#include "support/images.hpp"

#include <persona/data/bitmap_font.hpp>
#include <persona/data/crop.hpp>
#include <persona/data/grid.hpp>

#include <set>
#include <string>
#include <vector>

using namespace persona::test;
using Catch::Contains;
using persona::Image;

TEST_CASE("Every cell of a grid holds its picture") {
  const std::vector<Image> images{noise(6, 4, 1), noise(6, 4, 2), noise(6, 4, 3), noise(6, 4, 4), noise(6, 4, 5)};
  const auto sheet = persona::make_grid(images, {.columns = 2, .padding = 3});
  CHECK(sheet.width == 2 * 9 + 3);
  CHECK(sheet.height == 3 * 7 + 3);
  for (std::int64_t i = 0; i < 5; ++i)
    CHECK(persona::crop(sheet, 3 + i % 2 * 9, 3 + i / 2 * 7, 6, 4) == images[static_cast<std::size_t>(i)]);
  CHECK(persona::crop(sheet, 12, 17, 6, 4) == persona::filled_image(6, 4, {255, 255, 255}));  // the sixth cell is empty
  CHECK(persona::make_grid(images).width == 4 * (6 + 8) + 8);
  CHECK(persona::make_grid({images[0]}).width == 6 + 2 * 8);
}

TEST_CASE("Pictures of different sizes stand in the middle of their cells, larger where asked for") {
  const auto small = noise(2, 2), large = noise(6, 4);
  const auto sheet = persona::make_grid({small, large}, {.padding = 0});
  CHECK(persona::crop(sheet, 2, 1, 2, 2) == small);
  CHECK(persona::crop(sheet, 6, 0, 6, 4) == large);
  const auto twice = persona::make_grid({small}, {.scale = 3, .padding = 0});
  REQUIRE(twice.width == 6);
  for (std::size_t y = 0; y < 6; ++y)
    for (std::size_t x = 0; x < 6; ++x) CHECK(twice.pixels[(y * 6 + x) * 3] == small.pixels[(y / 3 * 2 + x / 3) * 3]);
  CHECK(persona::make_grid({large}, {.scale = 4, .upscale = persona::Resample::lanczos, .padding = 0}) ==
        persona::resize(large, 24, 16, persona::Resample::lanczos));
}

TEST_CASE("Captions are drawn below their pictures, in as many lines as they need, and never over a picture") {
  const auto picture = persona::filled_image(60, 20, {0, 0, 255});
  const persona::GridOptions options{.columns = 2,
                                     .captions = {"short", "a photo of <ada> on the beach with a hat"},
                                     .padding = 4,
                                     .ink = {255, 0, 0}};
  const auto sheet = persona::make_grid({picture, picture}, options);
  CHECK(persona::crop(sheet, 4, 4, 60, 20) == picture);
  CHECK(persona::crop(sheet, 68, 4, 60, 20) == picture);
  const auto inked_rows = [&](std::int64_t left) {
    std::set<std::int64_t> rows;
    const auto below = persona::crop(sheet, left, 24, 60, sheet.height - 24);
    for (std::size_t i = 0; i < below.pixels.size(); i += 3)
      if (below.pixels[i] == 255 && below.pixels[i + 1] == 0) rows.insert(static_cast<std::int64_t>(i) / 3 / 60);
    return rows.size();
  };
  CHECK(inked_rows(4) == 7);    // one line without descenders
  CHECK(inked_rows(68) >= 21);  // at least three
  CHECK_THROWS_WITH(persona::make_grid({picture}, options), Contains("1 pictures and 2 captions"));
  CHECK_THROWS_WITH(persona::make_grid({}), Contains("no pictures"));
}

TEST_CASE("The small font: 95 different letters, known widths, '?' for what it lacks") {
  std::set<std::vector<std::uint8_t>> shapes;
  for (char letter = ' '; letter <= '~'; ++letter) {
    auto cell = persona::filled_image(6, 9, {255, 255, 255});
    persona::draw_text(cell, 0, 0, std::string(1, letter));
    shapes.insert(cell.pixels);
    CHECK(persona::text_width(std::string(1, letter)) >= 1);
    CHECK(persona::text_width(std::string(1, letter)) <= 5);
  }
  CHECK(shapes.size() == 95);
  CHECK(persona::ascii_text("caf\xc3\xa9 \xe6\x97\xa5") == "caf? ?");
  CHECK(persona::ascii_text("a\tb\nc") == "a b c");
  CHECK(persona::text_width("il", 2) == 2 * (1 + 1 + 2));
  CHECK(persona::text_width("") == 0);
}

TEST_CASE("Lines are broken between words, and within a word only where it alone is too long") {
  for (const std::int64_t width : {30, 60, 100, 500}) {
    const std::string text = "a photo of <ada> at the Eiffel tower, extraordinarilylongwordwithoutanyspace end";
    std::string joined;
    for (const auto& line : persona::wrap_text(text, width)) {
      CHECK(persona::text_width(line) <= width);
      joined += line;
    }
    std::string letters = text;
    std::erase(letters, ' ');
    std::erase(joined, ' ');
    CHECK(joined == letters);
  }
  CHECK(persona::wrap_text("one two", 500) == std::vector<std::string>{"one two"});
  CHECK(persona::wrap_text("one two", persona::text_width("one two") - 1) == std::vector<std::string>{"one", "two"});
  CHECK(persona::wrap_text("  ", 50).empty());
  CHECK(persona::wrap_text("ab", 1) == std::vector<std::string>{"a", "b"});  // one letter always fits
}

TEST_CASE("Text that leaves the picture is left out") {
  auto picture = persona::filled_image(10, 6, {255, 255, 255});
  CHECK_NOTHROW(persona::draw_text(picture, -3, -2, "WWWWW", {0, 0, 0}, 2));
  CHECK_NOTHROW(persona::draw_text(picture, 100, 100, "W"));
  CHECK(picture.pixels.size() == 180);
}
