#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/generate/generate.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/testing.hpp>

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using persona::Tensor;
using persona::operator+;

/// The tiny model with a sampler.
struct Draws : persona::testing::TinyModel {
  Draws() : persona::testing::TinyModel(persona::testing::tiny_model()) {}
  persona::DDIMScheduler sampler(std::string_view name) const {
    if (name != "ddim") throw persona::Error("sampler", "'" + std::string(name) + "' is not known", "ddim");
    return persona::DDIMScheduler(persona::SchedulerConfig{.num_train_timesteps = 100});
  }
};
static_assert(persona::SamplingModel<Draws> && !persona::SamplingModel<persona::testing::TinyModel>);

const std::vector<std::string> prompts{"a photo of a dog", "a photo of a cat", "a painting of a person"};
const persona::GenerateOptions options{.steps = 4, .guidance = 3, .seed = 5, .sampler = "ddim"};

/// A change of weights that is not the base at its start.
struct Doubled final : persona::Replacement {
  persona::Leaf gain = persona::make_leaf("gain", at::full({1}, 2.0));
  std::vector<persona::Leaf> leaves() const override { return {gain}; }
  std::shared_ptr<const persona::Adapter> snapshot() const override { return std::make_shared<Doubled>(); }
  Tensor value(const Tensor& base) const override { return base * gain.value; }
};
struct Doubles {
  using plays = persona::Plays<persona::Role::weight_parameterization>;
  bool selects(const persona::WeightRef& ref) const { return ref.host == "unet"; }
  std::shared_ptr<Doubled> bind(const persona::WeightRef&, const persona::BindContext&) const {
    return std::make_shared<Doubled>();
  }
  persona::Description describe() const { return {"Doubles", {}}; }
};

persona::GenerateOptions with(auto change) {
  auto changed = options;
  change(changed);
  return changed;
}

}  // namespace

TEST_CASE("a picture is a function of prompt, seed and options, whatever the batch") {
  const Draws model;
  const auto together = persona::generate(model, prompts, options);
  REQUIRE(together.size() == 3);
  CHECK(together[0].width == 8);
  CHECK((together == persona::generate(model, prompts, options)));
  CHECK((persona::generate(model, prompts[0], options) == together[0]));
  CHECK((together != persona::generate(model, prompts, with([](auto& o) { o.seed = 6; }))));
  const auto alone = persona::sample_latents(model, prompts, with([](auto& o) { o.batch = 1; }));
  CHECK(at::allclose(alone, persona::sample_latents(model, prompts, options), 1e-5, 1e-6));
  const auto last = persona::sample_latents(model, {prompts[2]}, with([](auto& o) { o.first = 2, o.eta = 1; }));
  const auto all = persona::sample_latents(model, prompts, with([](auto& o) { o.batch = 1, o.eta = 1; }));
  CHECK(at::equal(last[0], all[2]));  // in a call of its own
}

TEST_CASE("guidance: 1 draws the prompt alone, more moves away from the negative prompt") {
  const Draws model;
  const auto draw = [&](double guidance, const char* negative) {
    return persona::sample_latents(model, {prompts[0]},
                                   with([&](auto& o) { o.guidance = guidance, o.negative = negative; }));
  };
  CHECK(at::equal(draw(1, ""), draw(1, "a cat")));
  CHECK(!at::equal(draw(3, ""), draw(3, "a cat")));
  CHECK(at::allclose(draw(3, prompts[0].c_str()), draw(1, ""), 1e-5, 1e-6));  // away from itself is nowhere
}

TEST_CASE("whoever waits is told of every pass, class image and weight") {
  const Draws model;
  std::vector<std::pair<std::int64_t, std::int64_t>> passes;
  persona::generate(model, prompts, with([&](auto& o) {
                      o.batch = 2;
                      o.progress = [&](std::int64_t done, std::int64_t all) { passes.emplace_back(done, all); };
                    }));
  REQUIRE(passes.size() == 8);  // two batches of four steps
  for (std::size_t i = 0; i < passes.size(); ++i) CHECK((passes[i] == std::pair<std::int64_t, std::int64_t>(i + 1, 8)));

  std::map<std::string, std::pair<std::int64_t, std::int64_t>> told;  // what -> times, all
  persona::TrainOptions training{.steps = 1};
  training.progress = [&](const std::string& what, std::int64_t done, std::int64_t all) {
    CHECK(done == ++told[what].first);
    told[what].second = all;
  };
  const auto subjects = persona::testing::tiny_subjects(1);
  const auto run = persona::personalize(
      model, subjects[0],
      persona::SpectralShift{} + persona::PriorPreservation{.images = 3, .sampling = {.steps = 4, .sampler = "ddim"}},
      training);
  REQUIRE(told.size() == 2);
  for (const auto& [what, seen] : told) CHECK(seen.first == seen.second);
  CHECK(told.at("3 class images").second == 4);
  CHECK(told.at("weights of unet").second == static_cast<std::int64_t>(run.session().bound().weights.size()));
}

TEST_CASE("learned rows are drawn with, several in one prompt, uniform and layered") {
  const Draws model;
  const auto subjects = persona::testing::tiny_subjects(2);
  const auto both =
      persona::fit(model, std::span<const persona::Subject>(subjects), persona::TokenInit{}, {.steps = 5, .batch = 2});
  const auto drawn = personalized(model, both);
  const auto latents = [&](const auto& m, const std::string& prompt) {
    return persona::sample_latents(m, {prompt}, options, persona::detail::sample_rows(m));
  };
  CHECK(!at::equal(latents(drawn, "a photo of <one>"), latents(drawn, "a photo of <two>")));
  CHECK(!at::equal(latents(drawn, "a photo of <one> on the <two>"), latents(drawn, "a photo of <one>")));
  CHECK(
      at::equal(latents(drawn, prompts[0]), latents(model, prompts[0])));  // a prompt without them is the base model's

  const auto layered =
      persona::fit(model, subjects[0], persona::TokenInit{} + persona::NeTIMapper{.hidden = 8, .frequencies = 16},
                   {.steps = 5, .batch = 2});
  CHECK(layered.rows.at(0).layered);
  const auto mapped = personalized(model, layered);
  CHECK(!at::equal(latents(mapped, "a photo of <one>"), latents(drawn, "a photo of <one>")));
  CHECK(persona::generate(mapped, "a photo of <one>", options).height == 8);
}

TEST_CASE("weight changes are drawn with, and the base model stays as it was") {
  const Draws model;
  const auto before = persona::sample_latents(model, {prompts[0]}, options);
  const auto subjects = persona::testing::tiny_subjects();
  const auto learned = persona::fit(model, subjects[0], persona::SpectralShift{}, {.steps = 5, .batch = 2});
  const auto changed = personalized(model, learned);
  CHECK(!at::equal(persona::sample_latents(changed, {prompts[0]}, options), before));
  CHECK(at::equal(persona::sample_latents(model, {prompts[0]}, options), before));
}

TEST_CASE("what cannot be drawn is an error with a sentence") {
  const Draws model;
  CHECK_THROWS_WITH(persona::generate(model, prompts, with([](auto& o) { o.sampler = "heun"; })),
                    Catch::Contains("'heun' is not known"));
  CHECK_THROWS_WITH(persona::generate(model, prompts, with([](auto& o) { o.steps = 0; })), Catch::Contains(".steps"));
  CHECK_THROWS_WITH(persona::generate(model, prompts, with([](auto& o) { o.steps = 101; })), Catch::Contains("101"));
  CHECK_THROWS_WITH(persona::generate(model, std::vector<std::string>{}, options), Catch::Contains("no prompt"));
}

TEST_CASE("eta adds noise of its own to every image, the same in every batch; other samplers refuse it") {
  const Draws model;
  const auto noisy = with([](auto& o) { o.eta = 1; });
  const auto drawn = persona::sample_latents(model, prompts, noisy);
  CHECK(at::equal(drawn, persona::sample_latents(model, prompts, noisy)));
  CHECK(!at::allclose(drawn, persona::sample_latents(model, prompts, options), 1e-2, 1e-2));
  auto one = noisy;
  one.batch = 1;
  CHECK(at::allclose(drawn, persona::sample_latents(model, prompts, one), 1e-5, 1e-6));
  for (const double eta : {-0.5, 1.5, static_cast<double>(NAN)})
    CHECK_THROWS_WITH(persona::sample_latents(model, prompts, with([&](auto& o) { o.eta = eta; })),
                      Catch::Contains("eta"));
}

TEST_CASE("class images are the base model's, also where changes of weights do not begin at it") {
  const persona::test::Folder folder;
  const Draws model;
  const auto subjects = persona::testing::tiny_subjects(1);
  const persona::PriorPreservation prior{.images = 2, .sampling = {.steps = 3, .sampler = "ddim"}};
  const auto drawn_beside = [&](const auto& part, const std::string& name) {
    (void)persona::personalize(model, subjects[0], part + prior, {.steps = 1, .cache = folder / name});
    for (const auto& entry : std::filesystem::directory_iterator(folder / name / "class_images"))
      return persona::SafeTensors::open(entry.path()).load("latents");
    return persona::Tensor();
  };
  CHECK(at::equal(drawn_beside(Doubles{}, "doubled"), drawn_beside(persona::LowRank{}, "low_rank")));
}

TEST_CASE("a noise of one's own is begun at, and asked for in the latents' shape") {
  const Draws model;
  const auto begin = [&](const Tensor& start) {
    return persona::sample_latents(model, prompts, with([&](auto& o) { o.start = start; }));
  };
  const auto noise = at::randn({3, 3, 4, 4}, persona::Random(1).at(persona::Stream::sampling));
  CHECK(at::equal(begin(noise)[0], persona::sample_latents(model, {prompts[0]},
                                                           with([&](auto& o) { o.start = noise.slice(0, 0, 1); }))[0]));
  CHECK_THROWS_WITH(begin(noise.slice(0, 0, 2)), Catch::Contains("N = 3") && Catch::Contains("[2, 3, 4, 4]"));
}
