#include "support/catch.hpp"
#include "support/images.hpp"

#include <persona/core/random.hpp>
#include <persona/data/crop.hpp>

#include <map>
#include <utility>

using namespace persona::test;
using Catch::Contains;
using persona::Image;

namespace {
// The two colors that a pixel needs to name its place.
Image coordinates(int width, int height) {
  Image image{.width = width, .height = height};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      image.pixels.insert(image.pixels.end(), {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y), 0});
  return image;
}
}  // namespace

TEST_CASE("A crop is the part that was asked for") {
  const auto part = persona::crop(coordinates(9, 7), 2, 3, 4, 2);
  REQUIRE(part.width == 4);
  REQUIRE(part.height == 2);
  for (int y = 0; y < 2; ++y)
    for (int x = 0; x < 4; ++x) {
      CHECK(part.pixels[static_cast<std::size_t>((y * 4 + x) * 3)] == x + 2);
      CHECK(part.pixels[static_cast<std::size_t>((y * 4 + x) * 3 + 1)] == y + 3);
    }
  CHECK(persona::crop(coordinates(9, 7), 0, 0, 9, 7) == coordinates(9, 7));
  CHECK_THROWS_WITH(persona::crop(coordinates(9, 7), 6, 0, 4, 1), Contains("9 x 7"));
  CHECK_THROWS_WITH(persona::crop(coordinates(9, 7), -1, 0, 4, 1), Contains("(-1, 0)"));
  CHECK_THROWS_WITH(persona::crop(coordinates(9, 7), 0, 0, 0, 1), Contains("0 x 1"));
}

TEST_CASE("The central crop: the largest square, its corner rounded down as Textual Inversion's is") {
  const auto wide = persona::center_crop(coordinates(8, 5));
  CHECK(wide == persona::crop(coordinates(8, 5), 1, 0, 5, 5));
  CHECK(persona::center_crop(coordinates(5, 8)) == persona::crop(coordinates(5, 8), 0, 1, 5, 5));
  CHECK(persona::center_crop(coordinates(6, 6)) == coordinates(6, 6));
  CHECK(persona::center_crop(coordinates(8, 8), 2, 1) == persona::crop(coordinates(8, 8), 0, 2, 8, 4));
  CHECK(persona::center_crop(coordinates(1, 200)).height == 1);
}

TEST_CASE("A random crop reaches every place, equally often, and the same generator draws the same") {
  const auto image = coordinates(6, 5);
  auto generator = persona::Random(7).on_host(persona::Stream::augmentation);
  std::map<std::pair<int, int>, int> seen;
  constexpr int draws = 3000, places = 3 * 2;
  for (int i = 0; i < draws; ++i) {
    const auto part = persona::random_crop(image, 4, 4, generator);
    const std::pair corner{int(part.pixels[0]), int(part.pixels[1])};
    REQUIRE(part == persona::crop(image, corner.first, corner.second, 4, 4));
    ++seen[corner];
  }
  REQUIRE(seen.size() == places);
  double chi_square = 0;
  for (const auto& [corner, times] : seen)
    chi_square += (times - draws / places) * (times - draws / places) / double(draws / places);
  CHECK(chi_square < 20.5);  // 99.9 % of all seeds, 5 degrees of freedom

  auto first = persona::Random(3).on_host(persona::Stream::augmentation),
       second = persona::Random(3).on_host(persona::Stream::augmentation);
  for (int i = 0; i < 10; ++i)
    CHECK(persona::random_crop(image, 2, 2, first) == persona::random_crop(image, 2, 2, second));
  CHECK(persona::random_crop(image, 6, 5, first) == image);
  CHECK_THROWS_WITH(persona::random_crop(image, 7, 5, first), Contains("7 x 5"));
}
