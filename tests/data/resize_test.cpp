#include "support/catch.hpp"
#include "support/images.hpp"

#include <persona/data/prepare.hpp>
#include <persona/data/resize.hpp>
#include <persona/io/png.hpp>

#include <cstdio>
#include <map>
#include <string>

using namespace persona::test;
using Catch::Contains;
using persona::Resample;

TEST_CASE("Resizing gives Pillow's levels, every one") {
  const std::map<std::string, Resample> kernels{
      {"bilinear", Resample::bilinear}, {"bicubic", Resample::bicubic}, {"lanczos", Resample::lanczos}};
  int compared = 0;
  for (const auto& file : files_in(image_folder() / "resize")) {
    int from_width = 0, from_height = 0, width = 0, height = 0;
    char kernel[20] = "";
    if (std::sscanf(file.filename().c_str(), "%dx%d_%dx%d_%19[a-z]", &from_width, &from_height, &width, &height,
                    kernel) != 5)
      continue;
    INFO(file.filename());
    const auto source = persona::read_png(image_folder() / "resize" /
                                          (std::to_string(from_width) + "x" + std::to_string(from_height) + ".png"));
    CHECK(difference(persona::resize(source, width, height, kernels.at(kernel)), persona::read_png(file)) == 0);
    ++compared;
  }
  CHECK(compared == 45);
}

TEST_CASE("A photo is prepared as Textual Inversion does: the central square, then bicubic") {
  for (const char* name : {"37x23", "24x31"}) {
    const auto photo = persona::read_png(image_folder() / "crop" / (std::string(name) + ".png"));
    const auto expected = persona::read_png(image_folder() / "crop" / (std::string(name) + "_prepared.png"));
    const auto prepared = persona::prepare_photo(photo, 20, 20);
    CHECK(prepared.equal(persona::to_tensor(expected)));
    CHECK(persona::to_images(prepared).front() == expected);
  }
}

TEST_CASE("Resizing to the same size changes nothing, and a plain picture stays plain") {
  const auto image = noise(9, 7);
  const auto plain = persona::filled_image(13, 5, {3, 200, 255});
  for (const auto kernel : {Resample::bilinear, Resample::bicubic, Resample::lanczos}) {
    CHECK(persona::resize(image, 9, 7, kernel) == image);
    for (const auto& [width, height] : {std::pair{1, 1}, {40, 3}, {4, 60}, {100, 100}})
      CHECK(persona::resize(plain, width, height, kernel) == persona::filled_image(width, height, {3, 200, 255}));
  }
  CHECK_THROWS_WITH(persona::resize(image, 0, 5), Contains("0 x 5"));
  CHECK_THROWS_WITH(persona::resize({}, 5, 5), Contains("0 x 0 pixels"));
}
