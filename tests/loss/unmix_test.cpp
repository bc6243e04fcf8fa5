// Cut-Mix-Unmix: the pictures and captions of mixed samples, and what the term says of attention maps.

#include "support/catch.hpp"

#include <persona/data/cut_mix.hpp>
#include <persona/loss/unmix.hpp>
#include <persona/testing.hpp>

#include <set>
#include <string>
#include <vector>

namespace {

using persona::Batch;
using persona::CutMix;
using persona::Tensor;
using persona::Unmix;

/// Three subjects of one grey each: 0, 100 and 200.
std::vector<persona::Subject> greys() {
  auto subjects = persona::testing::tiny_subjects(3);
  for (std::size_t i = 0; i < subjects.size(); ++i)
    for (auto& pixel : subjects[i].photos[0].image.pixels) pixel = static_cast<std::uint8_t>(100 * i);
  subjects[1].class_word = "cat", subjects[2].class_word = "dog";
  return subjects;
}
Batch batch_of(std::int64_t owner, std::int64_t n) {
  return {.latents = at::full({n, 3, 4, 4}, 9.0),
          .captions = std::vector<std::string>(static_cast<std::size_t>(n), "a photo of it"),
          .subjects = std::vector<std::int64_t>(static_cast<std::size_t>(n), owner)};
}

}  // namespace

TEST_CASE("a mixed sample shows its subject and another one, half by half, and its caption says so") {
  const auto subjects = greys();
  const auto model = persona::testing::tiny_model();
  auto state = CutMix{.probability = 1}.bind(model, {.subjects = subjects});
  auto batch = batch_of(1, 64);
  auto generator = persona::Random(1).on_host(persona::Stream::contribution);
  state.contribute(batch, generator);
  std::set<std::string> said;
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (std::size_t i = 0; i < 64; ++i) {
    REQUIRE(batch.pairs[i]);
    const auto& pair = *batch.pairs[i];
    CHECK(pair.left != pair.right);
    CHECK((pair.left == 1 || pair.right == 1));
    seen.insert({pair.left, pair.right});
    const auto latent = batch.latents[static_cast<std::int64_t>(i)];
    // The tiny autoencoder averages pixels, halves them and adds a spread of 0.05.
    const auto level = [](std::int64_t s) { return 0.5 * (static_cast<double>(100 * s) / 127.5 - 1); };
    CHECK(latent.slice(2, 0, 2).mean().item<double>() == Approx(level(pair.left)).margin(0.05));
    CHECK(latent.slice(2, 2).mean().item<double>() == Approx(level(pair.right)).margin(0.05));
    CHECK_THAT(batch.captions[i], Catch::Contains("<two>"));
    if (const auto sides = batch.captions[i].find(" on the left"); sides != std::string::npos)
      CHECK(batch.captions[i] == "photo of a " + subjects[static_cast<std::size_t>(pair.left)].token +
                                     " on the left and a " + subjects[static_cast<std::size_t>(pair.right)].token +
                                     " on the right");
    CHECK_THAT(pair.class_caption, Catch::Contains("cat") && !Catch::Contains("<"));
    said.insert(batch.captions[i]);
  }
  CHECK(seen.size() == 4);
  CHECK(said.size() == 8);

  auto rare = CutMix{.probability = 0}.bind(model, {.subjects = subjects});
  auto same = batch_of(0, 8);
  rare.contribute(same, generator);
  CHECK((same.latents == 9).all().item<bool>());
  auto often = CutMix{}.bind(model, {.subjects = subjects});
  auto many = batch_of(0, 400);
  often.contribute(many, generator);
  const auto mixed = std::ranges::count_if(many.pairs, [](const auto& pair) { return pair.has_value(); });
  CHECK(std::abs(static_cast<double>(mixed) / 400 - 0.6) < 0.08);
}

TEST_CASE("each half is the middle of its photo, half as wide and not squeezed") {
  auto subjects = persona::testing::tiny_subjects(2);
  for (auto& subject : subjects) {  // black on the left, white on the right, and every grey between
    persona::Image ramp{.width = 64, .height = 64, .pixels = std::vector<std::uint8_t>(64 * 64 * 3)};
    for (std::size_t i = 0; i < ramp.pixels.size(); ++i)
      ramp.pixels[i] = static_cast<std::uint8_t>(255 * (static_cast<double>(i / 3 % 64) + 0.5) / 64);
    subject.photos[0].image = ramp;
  }
  auto state = CutMix{.probability = 1}.bind(persona::testing::tiny_model(), {.subjects = subjects});
  auto batch = batch_of(0, 64);
  auto generator = persona::Random(1).on_host(persona::Stream::contribution);
  state.contribute(batch, generator);
  const auto columns = batch.latents.mean(at::IntArrayRef{0, 1, 2});
  // From a quarter to three quarters of the ramp, in two columns each; latents are half of what lies in [-1, 1].
  for (std::int64_t column = 0; column < 4; ++column)
    CHECK(columns[column].item<double>() == Approx(column % 2 == 0 ? -0.125 : 0.125).margin(0.02));
}

TEST_CASE("mixing that cannot be is refused with a sentence") {
  const auto subjects = greys();
  const auto model = persona::testing::tiny_model();
  const std::vector one(subjects.begin(), subjects.begin() + 1);
  CHECK_THROWS_WITH(CutMix{}.bind(model, {.subjects = one}), Catch::Contains("span of two"));
  CHECK_THROWS_WITH(CutMix{.probability = 2}.bind(model, {.subjects = subjects}), Catch::Contains("between 0 and 1"));
  auto state = CutMix{}.bind(model, {.subjects = subjects});
  auto batch = batch_of(-1, 2);
  auto generator = persona::Random(1).on_host(persona::Stream::contribution);
  CHECK_THROWS_WITH(state.contribute(batch, generator), Catch::Contains("before PriorPreservation"));
}

TEST_CASE("unmix without a second subject is refused: there is nothing to keep apart") {
  const auto one = persona::testing::tiny_subjects(1);
  CHECK_THROWS_WITH(Unmix{}.bind(persona::testing::tiny_model(), {.subjects = one}), Catch::Contains("CutMix{}"));
}

TEST_CASE("the unmix term is the squares of each token's attention in the other half") {
  const auto subjects = persona::testing::tiny_subjects(2, 2);
  const auto model = persona::testing::tiny_model();
  const auto state = Unmix{.weight = 3, .largest = 1, .smallest = 0.5}.bind(model, {.subjects = subjects});
  CHECK(state.wants({.index = 0, .height = 4, .width = 4}));
  CHECK(state.wants({.index = 0, .height = 2, .width = 2}));
  CHECK_FALSE(state.wants({.index = 0, .height = 1, .width = 1}));

  const std::vector<persona::Placeholder> tokens{subjects[0].placeholder(), subjects[1].placeholder()};
  auto batch = batch_of(0, 2);
  for (const bool rows : {true, false}) {
    batch.prompts = {persona::tokenize_prompt(model.tokenizer(), "a <two> and a <one>",
                                              rows ? std::span<const persona::Placeholder>(tokens)
                                                   : std::span<const persona::Placeholder>{}),
                     persona::tokenize_prompt(model.tokenizer(), "a photo", tokens)};
    batch.pairs = {persona::SideBySide{.left = 1, .right = 0}, std::nullopt};
    const auto map =
        at::rand({2, 3, 16, 24}, persona::Random(1).on_host(persona::Stream::data)).set_requires_grad(true);
    const std::vector<persona::AttentionTap::Map> maps{
        {.layer = {.index = 0, .height = 4, .width = 4}, .probabilities = map}};
    const auto prediction = at::zeros({2, 3, 4, 4});
    const persona::StepView view{.batch = batch,
                                 .rows = {},
                                 .initial_rows = {},
                                 .leaves = {},
                                 .x_t = prediction,
                                 .prediction = prediction,
                                 .target = prediction,
                                 .attention = maps,
                                 .snr = {}};
    const auto term = state.loss(view);
    auto unmixed = batch;
    unmixed.pairs.clear();
    CHECK_THROWS_WITH(state.loss({.batch = unmixed,
                                  .rows = {},
                                  .initial_rows = {},
                                  .leaves = {},
                                  .x_t = prediction,
                                  .prediction = prediction,
                                  .target = prediction,
                                  .attention = maps,
                                  .snr = {}}),
                      Catch::Contains("there is no CutMix in the sum"));
    // BOS a [two: 2 rows, or its letters] a n d a [one]: in letters, "and" is three.
    const auto picture = map.detach()[0].mean(0).view({4, 4, 24});
    const auto two = rows ? std::vector<std::int64_t>{2, 3} : std::vector<std::int64_t>{2, 3, 4, 5, 6};
    const auto one = rows ? std::vector<std::int64_t>{8, 9} : std::vector<std::int64_t>{11, 12, 13, 14, 15};
    const auto expected = 3 * 0.5 *
                          (picture.slice(1, 2).index_select(2, at::tensor(two, at::kLong)).square().mean() +
                           picture.slice(1, 0, 2).index_select(2, at::tensor(one, at::kLong)).square().mean());
    CHECK(term.item<double>() == Approx(expected.item<double>()));
    term.backward();
    CHECK((map.grad()[1] == 0).all().item<bool>());  // the sample that shows one subject
  }
  batch.prompts[0] = persona::tokenize_prompt(model.tokenizer(), "a dog and a cat", tokens);
  const std::vector<persona::AttentionTap::Map> maps{
      {.layer = {.index = 0, .height = 4, .width = 4}, .probabilities = at::rand({2, 3, 16, 24})}};
  const auto zeros = at::zeros({2, 3, 4, 4});
  persona::StepView view{.batch = batch,
                         .rows = {},
                         .initial_rows = {},
                         .leaves = {},
                         .x_t = zeros,
                         .prediction = zeros,
                         .target = zeros,
                         .attention = maps,
                         .snr = {}};
  CHECK_THROWS_WITH(state.loss(view), Catch::Contains("does not hold the token"));
  batch.pairs.clear(), view.attention = {};
  CHECK_THROWS_WITH(state.loss(view), Catch::Contains("no cross-attention layer"));
}
