// Custom Diffusion's augmentation: where the photo goes, what the loss covers, what is said; and several augmentations
// with masks and captions in a chain.

#include "support/catch.hpp"

#include <persona/data/flip.hpp>
#include <persona/data/random_scale.hpp>
#include <persona/init/token.hpp>
#include <persona/testing.hpp>
#include <persona/train/personalize.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace {

using persona::RandomScale;
using persona::Tensor;

constexpr std::int64_t size = 64;

std::vector<std::int64_t> variants(std::int64_t n) {
  auto generator = persona::Random(3).on_host(persona::Stream::augmentation);
  std::vector<std::int64_t> list;
  for (std::int64_t i = 0; i < n; ++i) list.push_back(RandomScale{}.draw(generator));
  return list;
}
/// Where a photo of ones shows.
Tensor shown(std::int64_t variant, const RandomScale& scale = {}) {
  return scale.apply(at::ones({3, size, size}), variant)[0].gt(0.5).to(at::kFloat);
}

}  // namespace

TEST_CASE("a smaller photo is a square of its own pixels on grey, a larger one fills the picture") {
  double smaller = 0;
  std::set<std::string> said;
  for (const auto variant : variants(400)) {
    const auto where = shown(variant);
    const auto rows = where.amax(1).sum().item<double>(), columns = where.amax(0).sum().item<double>();
    const auto caption = RandomScale{}.caption("a <cat>", variant);
    said.insert(caption);
    CHECK(rows == columns);
    CHECK(where.sum().item<double>() == rows * columns);  // one block
    CHECK(rows >= 21);
    const bool larger = caption == "zoomed in a <cat>" || caption == "close up a <cat>";
    if (rows < size) CHECK_FALSE(larger);
    if (larger) CHECK(rows == size);
    if (rows < 0.59 * size) CHECK((caption == "a far away a <cat>" || caption == "very small a <cat>"));
    if (rows > 0.61 * size && !larger) CHECK(caption == "a <cat>");
    smaller += !larger;

    // A ramp keeps its slope: the photo is scaled, not cut, and outside is exactly grey.
    const auto ramp = at::linspace(-0.9, 0.9, size).expand({3, size, size});
    const auto scaled = RandomScale{}.apply(ramp, variant);
    CHECK(scaled.sizes() == ramp.sizes());
    CHECK(at::equal(scaled * (1 - where), at::zeros_like(scaled)));
    if (!larger) {
      const auto left = where.amax(0).argmax().item<std::int64_t>(), top = where.amax(1).argmax().item<std::int64_t>();
      const auto line = scaled[0][top].slice(0, left, left + static_cast<std::int64_t>(columns));
      CHECK((line[-1] - line[0]).item<double>() == Approx(1.8 * (1 - 1 / columns)).margin(0.06));
    }
  }
  CHECK(smaller / 400 == Approx(0.66).margin(0.1));
  CHECK(said.size() == 5);
}

TEST_CASE("the loss covers cells that see nothing but the photo") {
  for (const std::int64_t factor : {1, 4, 8})
    for (const auto variant : variants(200)) {
      const auto mask = RandomScale{}.mask(at::ones({1, size / factor, size / factor}), factor, variant);
      const auto where = shown(variant);
      CHECK(mask.sum().item<double>() > 0);
      if (where.sum().item<double>() == size * size) {
        if (!RandomScale{}.caption("", variant).empty()) CHECK(mask.min().item<double>() == 1);
        continue;
      }
      if (where.amax(0).sum().item<double>() < 4 * static_cast<double>(factor)) continue;  // too small for a border
      const auto pixels = mask[0].repeat_interleave(factor, 0).repeat_interleave(factor, 1);
      CHECK((pixels * (1 - where)).sum().item<double>() == 0);
    }
}

TEST_CASE("masks and captions go through a chain as the photo does") {
  const auto scale = persona::erase_augmentation(RandomScale{}),
             flip = persona::erase_augmentation(persona::RandomFlip{1.0});
  const auto plain = persona::erase_augmentation(persona::NoAugmentation{});
  const auto scaled_first = persona::chain({scale, flip, plain}), flipped_first = persona::chain({flip, scale});
  CHECK_FALSE(persona::chain({plain, plain}).mask_);
  CHECK_FALSE(persona::chain({flip, plain}).caption_);
  bool uneven = false;
  for (const auto variant : variants(40))
    for (const auto* chain : {&scaled_first, &flipped_first}) {
      const auto where = chain->apply(at::ones({3, size, size}), variant)[0].gt(0.5).to(at::kFloat);
      const auto mask = chain->mask_(at::ones({1, size, size}), 1, variant)[0];
      CHECK((mask * (1 - where)).sum().item<double>() == 0);
      CHECK(mask.sum().item<double>() >= where.sum().item<double>() - 2 * size * 2 - 4);
      CHECK(chain->caption_("x", variant).ends_with("x"));
      uneven = uneven || !at::equal(where, where.flip({1}));
    }
  CHECK(uneven);
}

TEST_CASE("sizes and shares that are none are refused where a run begins") {
  const auto refused = [](const RandomScale& scale) {
    CHECK_THROWS_WITH(persona::erase_augmentation(scale), Catch::Contains("RandomScale: a field is out of its range"));
  };
  refused({.smaller = 1.5}), refused({.least = 0}), refused({.larger_from = 0.9}), refused({.larger_to = 1.1});
  refused({.pool = -3});
  CHECK_THROWS_WITH(persona::erase_augmentation(persona::RandomFlip{.p = 5}), Catch::Contains("RandomFlip: .p is 5"));
  struct None {
    persona::Variants variants() const { return persona::Variants::finite(0); }
    std::int64_t draw(at::Generator&) const { return 0; }
    persona::Tensor apply(const persona::Tensor& image, std::int64_t) const { return image; }
    persona::Description describe() const { return {"None", {}}; }
  };
  CHECK_THROWS_WITH(persona::erase_augmentation(None{}), Catch::Contains("None: has 0 variants"));
}

TEST_CASE("a run is trained on the masks and captions of what it draws") {
  struct Looks {  // hands out what the batches hold
    using plays = persona::Plays<persona::Role::contribution>;
    std::shared_ptr<std::vector<persona::Batch>> seen = std::make_shared<std::vector<persona::Batch>>();
    void contribute(persona::Batch& batch, at::Generator&) { seen->push_back(batch); }
    persona::Description describe() const { return {"Looks", {}}; }
  };
  using persona::operator+;
  for (const std::int64_t pool : {0, 3}) {
    const Looks looks;
    const auto model = persona::testing::tiny_model();
    auto subjects = persona::testing::tiny_subjects(2);
    for (auto& subject : subjects) subject.captions = persona::Captions::prompt("a {}");
    persona::fit(model, std::span<const persona::Subject>(subjects),
                 persona::TokenInit{} + RandomScale{.pool = pool} + looks, {.steps = 12, .batch = 4});
    std::set<std::string> said;
    for (const auto& batch : *looks.seen) {
      if (batch.mask.defined()) REQUIRE(batch.mask.sizes() == at::IntArrayRef({4, 1, 4, 4}));
      for (std::size_t i = 0; i < 4; ++i) {
        const auto& caption = batch.captions[i];
        said.insert(caption);
        CHECK(caption.ends_with(batch.subjects[i] == 0 ? "a <one>" : "a <two>"));
        const auto covered =
            batch.mask.defined() ? batch.mask[static_cast<std::int64_t>(i)].mean().item<double>() : 1.0;
        if (caption.starts_with("a far") || caption.starts_with("very")) CHECK(covered < 1.0);
        if (caption.starts_with("zoomed") || caption.starts_with("close")) CHECK(covered == 1.0);
      }
    }
    CHECK(said.size() > 4);
  }
}
