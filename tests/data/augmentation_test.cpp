// Augmentations: what a variant is, and several in a chain as one.

#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/data/augmentation.hpp>
#include <persona/data/flip.hpp>

#include <set>
#include <vector>

namespace {

using persona::BoundAugmentation;
using persona::chain;
using persona::erase_augmentation;
using persona::RandomFlip;
using persona::Tensor;
using persona::Variants;

at::Generator generator(std::int64_t step = 0) {
  return persona::Random(6).on_host(persona::Stream::augmentation, step);
}
Tensor image() { return at::arange(3 * 4 * 5, at::TensorOptions().dtype(at::kFloat)).view({3, 4, 5}); }

/// Three brightnesses.
struct Brighter {
  using plays = persona::Plays<persona::Role::augmentation>;
  Variants variants() const { return Variants::finite(3); }
  std::int64_t draw(at::Generator& g) const { return at::randint(0, 3, {}, g, at::kLong).item<std::int64_t>(); }
  Tensor apply(const Tensor& image, std::int64_t variant) const { return image * static_cast<double>(variant + 1) + 1; }
  persona::Description describe() const { return {"Brighter", {}}; }
};
/// A shift that is a function of a seed.
struct Shift {
  using plays = persona::Plays<persona::Role::augmentation>;
  Variants kind = Variants::fresh();
  Variants variants() const { return kind; }
  std::int64_t draw(at::Generator& g) const { return at::randint(0, 1 << 20, {}, g, at::kLong).item<std::int64_t>(); }
  Tensor apply(const Tensor& image, std::int64_t seed) const { return image + static_cast<double>(seed); }
  persona::Description describe() const { return {"Shift", {}}; }
};
static_assert(persona::Augmentation<Brighter> && persona::Augmentation<Shift>);

}  // namespace

TEST_CASE("a flip: variant 1 mirrors left to right, drawn with its probability") {
  const RandomFlip flip;
  CHECK(flip.variants().kind == Variants::Kind::finite);
  CHECK(flip.variants().count == 2);
  CHECK(at::equal(flip.apply(image(), 0), image()));
  CHECK(at::equal(flip.apply(image(), 1)[2][3][0], image()[2][3][4]));
  CHECK(at::equal(flip.apply(flip.apply(image(), 1), 1), image()));
  const auto share = [](double p) {
    auto g = generator();
    double flipped = 0;
    for (int i = 0; i < 2000; ++i) flipped += static_cast<double>(RandomFlip{p}.draw(g));
    return flipped / 2000;
  };
  CHECK(share(0.5) == Approx(0.5).margin(0.045));  // 4 standard errors
  CHECK(share(0.1) == Approx(0.1).margin(0.027));
  CHECK(share(0.0) == 0.0);
  CHECK(share(1.0) == 1.0);
  CHECK(RandomFlip{0}.variants().count == 1);
}

TEST_CASE("a chain of finite augmentations is the product of them all, first to last") {
  const auto both = chain({erase_augmentation(RandomFlip{}), erase_augmentation(Brighter{})});
  REQUIRE(both.variants().kind == Variants::Kind::finite);
  REQUIRE(both.variants().count == 6);
  std::set<float> corners;
  for (std::int64_t flip = 0; flip < 2; ++flip)
    for (std::int64_t bright = 0; bright < 3; ++bright) {
      const auto made = both.apply(image(), flip * 3 + bright);
      CHECK(at::equal(made, Brighter{}.apply(RandomFlip{}.apply(image(), flip), bright)));
      corners.insert(made[1][2][0].item<float>());
    }
  CHECK(corners.size() == 6);
  auto g = generator();
  std::vector<int> counts(6);
  for (int i = 0; i < 1200; ++i) ++counts.at(static_cast<std::size_t>(both.draw(g)));
  for (const int count : counts) CHECK(count == Approx(200).margin(52));  // 4 standard deviations
}

TEST_CASE("a chain of one is that one, a chain of none changes nothing") {
  const auto one = chain({erase_augmentation(Shift{})});
  CHECK(one.variants().kind == Variants::Kind::fresh);
  CHECK(at::equal(one.apply(image(), 3), image() + 3));
  const auto none = chain({});
  CHECK(none.variants().count == 1);
  auto g = generator();
  CHECK(none.draw(g) == 0);
  CHECK(at::equal(none.apply(image(), 0), image()));
}

TEST_CASE("one infinite part makes the chain infinite; a pool stays a pool") {
  const auto flip = erase_augmentation(RandomFlip{}), fresh = erase_augmentation(Shift{}),
             pool = erase_augmentation(Shift{Variants::pool(5)});
  CHECK(chain({flip, fresh}).variants().kind == Variants::Kind::fresh);
  CHECK(chain({pool, fresh}).variants().kind == Variants::Kind::fresh);
  CHECK(chain({flip, pool}).variants().kind == Variants::Kind::pool);
  CHECK(chain({flip, pool}).variants().count == 10);
}

TEST_CASE("an infinite chain's variant is a seed: it alone decides the result") {
  const auto both = chain({erase_augmentation(RandomFlip{}), erase_augmentation(Shift{})});
  auto g = generator();
  const auto one = both.draw(g), other = both.draw(g);
  REQUIRE(one != other);
  CHECK(at::equal(both.apply(image(), one), both.apply(image(), one)));
  CHECK(!at::equal(both.apply(image(), one), both.apply(image(), other)));
}
