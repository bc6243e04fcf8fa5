// Random: streams keyed by (seed, purpose, step), the same on every machine and in every later version.

#include "support/catch.hpp"

#include <persona/core/random.hpp>

#include <cmath>
#include <cstdint>
#include <set>

namespace {
using persona::Random;
using persona::Stream;
std::int64_t draw(at::Generator generator) {
  return at::randint(0, std::int64_t{1} << 31, {}, generator, at::kLong).item<std::int64_t>();
}
}  // namespace

TEST_CASE("a key gives the same stream whenever it is asked for") {
  const Random random(7);
  CHECK(draw(random.at(Stream::noise, 3)) == draw(random.at(Stream::noise, 3)));
  CHECK(draw(random.at(Stream::noise, 3)) == draw(Random(7).on_host(Stream::noise, 3)));
  auto first = random.at(Stream::noise, 3);
  const auto one = draw(first), two = draw(first);
  CHECK(one != two);
  draw(random.at(Stream::timesteps, 3));  // drawing elsewhere moves nothing here
  auto again = random.at(Stream::noise, 3);
  CHECK(draw(again) == one);
  CHECK(draw(again) == two);
}

TEST_CASE("the streams of a published run stay what they were") {
  CHECK(draw(Random(0).at(Stream::data, 0)) == 359167892);
  CHECK(draw(Random(1).at(Stream::noise, 17)) == 73674570);
  CHECK(draw(Random(std::uint64_t{1} << 40).at(Stream::sampling, -3)) == 1201703856);
}

TEST_CASE("seeds, purposes and steps all tell streams apart") {
  std::set<std::int64_t> drawn;
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (int purpose = 1; purpose <= 8; ++purpose)
      for (std::int64_t step = -2; step < 6; ++step)
        drawn.insert(draw(Random(seed).at(static_cast<Stream>(purpose), step)));
  CHECK(drawn.size() == 8 * 8 * 8);
}

TEST_CASE("neighbouring streams are uncorrelated") {
  const Random random(0);
  const std::int64_t n = 20000;
  const auto series = [&](Stream purpose, std::int64_t step) {
    return at::randn({n}, random.at(purpose, step), at::TensorOptions());
  };
  const auto a = series(Stream::noise, 0);
  CHECK(std::abs(a.mean().item<double>()) < 0.03);
  CHECK(a.square().mean().item<double>() == Approx(1).margin(0.04));
  for (const auto& b : {series(Stream::noise, 1), series(Stream::posterior, 0), series(Stream::timesteps, 0)})
    CHECK(std::abs((a * b).mean().item<double>()) < 0.03);  // 4 standard errors
}

TEST_CASE("no draw touches the global generator") {
  auto global = at::globalContext().defaultGenerator(at::kCPU);
  const auto before = global.get_state();
  draw(Random(5).at(Stream::noise, 1));
  CHECK(at::equal(before, global.get_state()));
}
