#include "support/catch.hpp"
#include "support/images.hpp"

#include <persona/data/image.hpp>

#include <limits>

using namespace persona::test;
using Catch::Contains;

TEST_CASE("A picture as a tensor is value / 127.5 - 1, channels first, and comes back the same") {
  const auto image = noise(5, 3);
  const auto tensor = persona::to_tensor(image);
  REQUIRE(tensor.sizes() == at::IntArrayRef({3, 3, 5}));
  CHECK(tensor.scalar_type() == at::kFloat);
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 5; ++x)
        CHECK(tensor[c][y][x].item<float>() ==
              Approx(image.pixels[static_cast<std::size_t>((y * 5 + x) * 3 + c)] / 127.5 - 1).margin(1e-6));
  CHECK(persona::to_images(tensor).front() == image);
  CHECK(persona::to_images(at::stack({tensor, tensor})).size() == 2);

  auto levels = persona::filled_image(256, 1, {0, 0, 0});
  for (int i = 0; i < 256; ++i) levels.pixels[static_cast<std::size_t>(i) * 3] = static_cast<std::uint8_t>(i);
  CHECK(persona::to_images(persona::to_tensor(levels)).front() == levels);
}

TEST_CASE("Tensors are clamped and rounded as diffusers does; what is no picture is refused") {
  const auto value = [](double x) { return int(persona::to_images(at::full({3, 1, 1}, x)).front().pixels[0]); };
  CHECK(value(-7) == 0);
  CHECK(value(7) == 255);
  CHECK(value(std::numeric_limits<double>::infinity()) == 255);
  CHECK(value(0) == 128);  // 127.5 goes to the even neighbour
  CHECK(value(-1 + 2 * 10.4 / 255) == 10);
  CHECK(value(-1 + 2 * 10.6 / 255) == 11);
  CHECK_THROWS_WITH(value(std::numeric_limits<double>::quiet_NaN()), Contains("not numbers"));
  CHECK_THROWS_WITH(persona::to_images(at::zeros({2, 1, 4, 4})), Contains("channels = 3") && Contains("[2, 1, 4, 4]"));
  CHECK_THROWS_AS(persona::to_images({}), persona::Error);
}
