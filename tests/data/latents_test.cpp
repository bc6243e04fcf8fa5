// The moments cache: what it draws has the distribution of encoding at every step, and finite augmentations are encoded
// once.

#include "support/catch.hpp"

#include <persona/data/flip.hpp>
#include <persona/data/latents.hpp>

#include <cmath>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace {

using persona::LatentSource;
using persona::Moments;
using persona::Random;
using persona::RandomFlip;
using persona::Stream;
using persona::Tensor;
using persona::Variants;

std::vector<Tensor> images(std::int64_t n) {
  std::vector<Tensor> list;
  for (std::int64_t i = 0; i < n; ++i)
    list.push_back(at::randn({3, 4, 4}, Random(8).at(Stream::data, i), at::TensorOptions()));
  return list;
}

/// Not symmetric in x: an image and its mirror image have moments that are not each other's.
Moments encode(const Tensor& images) {
  const auto ramp = at::arange(1, 5, images.options());
  return {.mean = (images * ramp).slice(3, 0, 2), .std = 0.1 + images.abs().slice(3, 1, 3)};
}

/// The same, counting images.
struct Counted {
  std::shared_ptr<std::int64_t> calls = std::make_shared<std::int64_t>(0), encoded = std::make_shared<std::int64_t>(0);
  Moments operator()(const Tensor& images) const {
    ++*calls;
    *encoded += images.size(0);
    return encode(images);
  }
};

/// Adds a whole number that a seed gives.
struct Offset {
  using plays = persona::Plays<persona::Role::augmentation>;
  Variants kind = Variants::fresh();
  Variants variants() const { return kind; }
  std::int64_t draw(at::Generator& g) const { return at::randint(1, 1 << 16, {}, g, at::kLong).item<std::int64_t>(); }
  Tensor apply(const Tensor& image, std::int64_t seed) const { return image + static_cast<double>(seed); }
  persona::Description describe() const { return {"Offset", {}}; }
};

template <class A>
LatentSource source(const A& augmentation, std::vector<Tensor> photos, persona::EncodeImages encoder,
                    double scale = 1.0) {
  return {std::move(photos), persona::erase_augmentation(augmentation), std::move(encoder), scale, Random(1)};
}

Tensor draw(const LatentSource& from, const std::vector<std::int64_t>& photos, std::int64_t step = 0) {
  return from.draw(photos, Random(2).on_host(Stream::data, step), Random(2).at(Stream::posterior, step)).latents;
}

}  // namespace

TEST_CASE("a cached draw is mean + std * eps of the chosen variant's own encoding, scaled") {
  const auto photos = images(3);
  const auto cached = source(RandomFlip{}, photos, encode, 0.18215);
  CHECK(cached.cached());
  CHECK(cached.size() == 3);
  const std::vector<std::int64_t> asked{2, 0, 1, 1, 2, 0, 0, 1};
  bool flipped[2] = {false, false};
  for (std::int64_t step = 0; step < 3; ++step) {
    auto host = Random(2).on_host(Stream::data, step);
    std::vector<Tensor> chosen;
    for (const auto photo : asked) {
      const auto variant = RandomFlip{}.draw(host);
      flipped[variant] = true;
      chosen.push_back(RandomFlip{}.apply(photos[static_cast<std::size_t>(photo)], variant));
    }
    const auto moments = encode(at::stack(chosen));
    const auto eps = at::randn(moments.mean.sizes(), Random(2).at(Stream::posterior, step), moments.mean.options());
    CHECK(at::allclose(draw(cached, asked, step), 0.18215 * (moments.mean + moments.std * eps), 1e-6, 1e-7));
  }
  CHECK((flipped[0] && flipped[1]));
}

TEST_CASE("a cached draw equals one that encodes afresh with the same random numbers") {
  struct FreshFlip : RandomFlip {
    Variants variants() const { return Variants::fresh(); }
  };
  const auto cached = source(RandomFlip{}, images(2), encode, 0.5), fresh = source(FreshFlip{}, images(2), encode, 0.5);
  CHECK(!fresh.cached());
  for (std::int64_t step = 0; step < 4; ++step)
    CHECK(at::allclose(draw(cached, {0, 1, 1, 0}, step), draw(fresh, {0, 1, 1, 0}, step), 1e-6, 1e-7));
}

TEST_CASE("over many draws the latents have the posterior's mean and standard deviation") {
  const auto photo = images(1);
  const auto cached = source(persona::NoAugmentation{}, photo, encode, 2.0);
  const std::int64_t n = 4000;
  const auto drawn = draw(cached, std::vector<std::int64_t>(static_cast<std::size_t>(n), 0));
  const auto expected = encode(photo[0].unsqueeze(0));
  const auto std = 2.0 * expected.std[0];
  CHECK((((drawn.mean(0) - 2.0 * expected.mean[0]) / std).abs().max().item<double>()) <
        4.5 / std::sqrt(static_cast<double>(n)));
  CHECK(((drawn.std(0) / std - 1).abs().max().item<double>()) < 0.05);  // 4.5 standard errors
}

TEST_CASE("finite augmentations are encoded once, whatever is drawn") {
  const Counted encoder;
  const auto cached = source(RandomFlip{}, images(3), encoder);
  CHECK(*encoder.encoded == 6);
  for (std::int64_t step = 0; step < 5; ++step) draw(cached, {0, 1, 2, 2}, step);
  CHECK(*encoder.encoded == 6);
}

TEST_CASE("fresh augmentations encode each time, a batch in one call") {
  const Counted encoder;
  const auto fresh = source(Offset{}, images(2), encoder);
  CHECK(*encoder.calls == 0);
  const auto a = draw(fresh, {0, 1, 0}, 0), b = draw(fresh, {0, 1, 0}, 1);
  CHECK(*encoder.calls == 2);
  CHECK(*encoder.encoded == 6);
  CHECK(!at::equal(a, b));
  CHECK(at::equal(a, draw(fresh, {0, 1, 0}, 0)));
}

TEST_CASE("a pool is drawn once, and every latent comes from it") {
  auto count = std::make_shared<std::int64_t>(0);
  const auto pixels = [count](const Tensor& batch) {
    *count += batch.size(0);
    return Moments{.mean = batch, .std = {}};
  };
  const auto photos = images(2);
  const auto pool = source(Offset{Variants::pool(3)}, photos, pixels);
  CHECK(pool.cached());
  CHECK(*count == 6);
  std::set<std::int64_t> offsets[2];
  for (std::int64_t step = 0; step < 40; ++step) {
    const auto drawn = draw(pool, {0, 1}, step);
    for (std::size_t photo = 0; photo < 2; ++photo)
      offsets[photo].insert(
          std::llround((drawn[static_cast<std::int64_t>(photo)] - photos[photo]).mean().item<double>()));
  }
  CHECK(*count == 6);
  CHECK(offsets[0].size() == 3);
  CHECK(offsets[1].size() == 3);
  CHECK(offsets[0] != offsets[1]);  // each photo has a pool of its own
}

TEST_CASE("in pixel space a draw is the image itself, and nothing is tracked by autograd") {
  const auto photos = images(2);
  const auto pixels =
      source(persona::NoAugmentation{}, photos, [](const Tensor& batch) { return Moments{.mean = batch, .std = {}}; });
  CHECK(at::equal(draw(pixels, {1, 0}), at::stack({photos[1], photos[0]})));
  auto weight = at::ones({1});
  weight.set_requires_grad(true);
  const auto trained = source(RandomFlip{}, photos,
                              [weight](const Tensor& batch) { return Moments{.mean = batch * weight, .std = {}}; });
  CHECK(!draw(trained, {0}).requires_grad());
}

TEST_CASE("moments of another dtype are sampled in fp32") {
  const auto half = [](const Tensor& batch) {
    const auto moments = encode(batch);
    return Moments{.mean = moments.mean.to(at::kBFloat16), .std = moments.std.to(at::kBFloat16)};
  };
  CHECK(draw(source(RandomFlip{}, images(1), half), {0}).scalar_type() == at::kFloat);
  CHECK(draw(source(Offset{}, images(1), half), {0}).scalar_type() == at::kFloat);
}
