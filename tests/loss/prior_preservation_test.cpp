// Class samples beside the subjects' own, how they weigh, and where they are kept; min-SNR with and without them.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/core/warning.hpp>
#include <persona/loss/denoising.hpp>
#include <persona/loss/min_snr.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/testing.hpp>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using persona::Batch;
using persona::MinSNR;
using persona::PriorPreservation;
using persona::Tensor;

struct Drawn {
  std::vector<std::string> prompts{};
  std::vector<persona::SampleOptions> options{};
};
/// Latents that say which prompt they are of: the n-th prompt asked for gives n.
persona::BindContext context_of(const std::vector<persona::Subject>& subjects, Drawn& drawn,
                                std::filesystem::path cache = {}) {
  return {.subjects = subjects,
          .random = persona::Random(3),
          .cache = std::move(cache),
          .sample =
              [&drawn](const std::string& prompt, std::int64_t n, const persona::SampleOptions& options) {
                drawn.prompts.push_back(prompt), drawn.options.push_back(options);
                return at::full({n, 3, 4, 4}, static_cast<double>(drawn.prompts.size()));
              },
          .model_fingerprint = [] { return std::uint64_t{7}; }};
}
Batch batch_of(std::vector<std::int64_t> owners) {
  const auto n = static_cast<std::int64_t>(owners.size());
  return {.latents = at::zeros({n, 3, 4, 4}),
          .captions = std::vector<std::string>(owners.size(), "a photo of <one>"),
          .subjects = std::move(owners)};
}

}  // namespace

TEST_CASE("every sample gets one of its class, and the loss is the sum of two means") {
  auto subjects = persona::testing::tiny_subjects(2);
  subjects[1].class_word = "cat";
  Drawn drawn;
  const PriorPreservation prior{.weight = 0.5, .images = 4};
  const auto state = prior.bind(persona::testing::tiny_model(), context_of(subjects, drawn));
  CHECK(drawn.prompts == std::vector<std::string>{"a photo of a person", "a photo of a cat"});
  auto batch = batch_of({0, 1, 1});
  auto generator = persona::Random(1).on_host(persona::Stream::contribution);
  state.contribute(batch, generator);
  CHECK(batch.size() == 6);
  CHECK(batch.subjects == std::vector<std::int64_t>{0, 1, 1, -1, -1, -1});
  CHECK(batch.captions[3] == "a photo of a person");
  CHECK(batch.captions[5] == "a photo of a cat");
  CHECK((batch.latents[3] == 1).all().item<bool>());
  CHECK((batch.latents[4] == 2).all().item<bool>());

  const auto prediction = at::randn({6, 3, 4, 4}, generator), target = at::randn({6, 3, 4, 4}, generator);
  const auto per_sample = (prediction - target).square().flatten(1).mean(1);
  const auto expected = per_sample.slice(0, 0, 3).mean() + 0.5 * per_sample.slice(0, 3).mean();
  CHECK(persona::denoising_loss(prediction, target, batch).item<double>() == Approx(expected.item<double>()));

  SECTION("weights and masks that are set already are respected") {
    auto set = batch_of({0, 1});
    set.weights = at::tensor({2.0F, 4.0F}), set.mask = at::zeros({2, 1, 4, 4});
    state.contribute(set, generator);
    CHECK(set.weights[1].item<double>() == 8);  // times 4 samples / 2
    CHECK(set.weights[2].item<double>() == 1);  // 0.5 times 4 / 2
    CHECK((set.mask.slice(0, 2) == 1).all().item<bool>());
    CHECK(set.mask.sizes() == at::IntArrayRef{4, 1, 4, 4});
  }
  SECTION("a sample of two subjects gets the middles of two class latents") {
    auto two = batch_of({0});
    two.pairs = {persona::SideBySide{.left = 1, .right = 0, .class_caption = "a cat and a person"}};
    state.contribute(two, generator);
    CHECK(two.captions[1] == "a cat and a person");
    CHECK((two.latents[1].slice(2, 0, 2) == 2).all().item<bool>());
    CHECK((two.latents[1].slice(2, 2) == 1).all().item<bool>());
    CHECK(two.pairs.size() == 2);
    CHECK_FALSE(two.pairs[1]);
  }
  SECTION("the middles, from a quarter to three quarters") {
    auto context = context_of(subjects, drawn);
    context.sample = [](const std::string&, std::int64_t n, const persona::SampleOptions&) {
      return at::arange(4, at::kFloat).expand({n, 3, 4, 4}).contiguous();
    };
    const auto ramps = prior.bind(persona::testing::tiny_model(), context);
    auto two = batch_of({0});
    two.pairs = {persona::SideBySide{.left = 1, .right = 0, .class_caption = "a cat and a person"}};
    ramps.contribute(two, generator);
    CHECK(at::equal(two.latents[1][0][0], at::tensor({1.0F, 2.0F, 1.0F, 2.0F})));
  }
}

TEST_CASE("subjects of one class share its images; a prompt of one's own is everybody's") {
  const auto subjects = persona::testing::tiny_subjects(2);
  Drawn drawn;
  (void)PriorPreservation{.images = 2}.bind(persona::testing::tiny_model(), context_of(subjects, drawn));
  CHECK(drawn.prompts.size() == 1);
  (void)PriorPreservation{.prompt = "photo of a dog", .images = 2, .sampling = {.steps = 9}}.bind(
      persona::testing::tiny_model(), context_of(subjects, drawn));
  CHECK(drawn.prompts.back() == "photo of a dog");
  CHECK(drawn.options.back().steps == 9);
  CHECK(drawn.prompts.size() == 2);
}

TEST_CASE("class images are drawn once for a model, a prompt and a way of drawing") {
  const persona::test::Folder folder;
  const auto subjects = persona::testing::tiny_subjects();
  const auto model = persona::testing::tiny_model();
  Drawn drawn;
  const auto context = context_of(subjects, drawn, folder.path());
  const auto first = PriorPreservation{.images = 3}.bind(model, context);
  const auto again = PriorPreservation{.images = 3}.bind(model, context);
  CHECK(drawn.prompts.size() == 1);
  CHECK(at::equal(first.latents[0], again.latents[0]));
  // Their weight changes no image; more of them go on from those that there are, fewer are the first of them.
  (void)PriorPreservation{.weight = 0.3, .images = 3}.bind(model, context);
  CHECK(drawn.prompts.size() == 1);
  const auto more = PriorPreservation{.images = 5}.bind(model, context);
  CHECK(drawn.prompts.size() == 2);
  CHECK(drawn.options.back().first == 3);
  CHECK(at::equal(more.latents[0].slice(0, 0, 3), first.latents[0]));
  CHECK(at::equal(PriorPreservation{.images = 3}.bind(model, context).latents[0], first.latents[0]));
  CHECK(drawn.prompts.size() == 2);
  drawn = {};
  (void)PriorPreservation{.images = 3, .sampling = {.guidance = 2}}.bind(model, context);
  CHECK(drawn.prompts.size() == 1);
  (void)PriorPreservation{.images = 3, .sampling = {.guidance = 2, .start = at::ones({3, 3, 4, 4})}}.bind(model,
                                                                                                          context);
  CHECK(drawn.prompts.size() == 2);
  auto other = context;
  other.model_fingerprint = [] { return std::uint64_t{8}; };
  (void)PriorPreservation{.images = 3}.bind(model, other);
  CHECK(drawn.prompts.size() == 3);
}

TEST_CASE("class images of another schedule or another size of latents are not taken for these") {
  const persona::test::Folder folder;
  const auto subjects = persona::testing::tiny_subjects();
  const auto model = persona::testing::tiny_model();
  Drawn drawn;
  const auto context = context_of(subjects, drawn, folder.path());
  const auto bind_on = [&](const char* predicts, const persona::LatentShape& shape) {
    const persona::ModelParts parts(model.tokenizer(), model.text_encoder(), model.denoiser(),
                                    persona::DDPMScheduler({.prediction_type = predicts}), shape);
    (void)PriorPreservation{.images = 3}.bind(parts, context);
    return drawn.prompts.size();
  };
  const persona::LatentShape shape{3, 4, 4};
  CHECK(bind_on("epsilon", shape) == 1);
  CHECK(bind_on("epsilon", shape) == 1);
  CHECK(bind_on("v_prediction", shape) == 2);
  CHECK(bind_on("epsilon", {3, 8, 4}) == 3);
  std::ofstream(folder / "file") << "x";
  CHECK_THROWS_WITH(PriorPreservation{.images = 3}.bind(model, context_of(subjects, drawn, folder / "file")),
                    Catch::Contains("class images are kept there"));
}

TEST_CASE("prior preservation that cannot be is refused with a sentence") {
  auto subjects = persona::testing::tiny_subjects();
  const auto model = persona::testing::tiny_model();
  Drawn drawn;
  CHECK_THROWS_WITH(PriorPreservation{.images = 0}.bind(model, context_of(subjects, drawn)),
                    Catch::Contains("at least one image"));
  CHECK_THROWS_WITH(PriorPreservation{}.bind(model, {.subjects = subjects}), Catch::Contains("personalize()"));
  const auto own = PriorPreservation{.prompt = "a pet", .images = 1}.bind(model, context_of(subjects, drawn));
  auto two = batch_of({0});
  two.pairs = {persona::SideBySide{.left = 0, .right = 0, .class_caption = "a cat and a cat"}};
  auto generator = persona::Random(1).on_host(persona::Stream::contribution);
  CHECK_THROWS_WITH(own.contribute(two, generator), Catch::Contains("one .prompt"));
  subjects[0].class_word = "";
  CHECK_THROWS_WITH(PriorPreservation{}.bind(model, context_of(subjects, drawn)), Catch::Contains("class word"));
}

TEST_CASE("min-SNR weighs by what the model predicts, the subjects' own samples alone unless told otherwise") {
  const auto snr = at::tensor({20.0F, 1.0F, 10.0F});
  const auto weighed = [&](const char* predicts, bool all) {
    const auto tiny = persona::testing::tiny_model();
    const persona::ModelParts model(tiny.tokenizer(), tiny.text_encoder(), tiny.denoiser(),
                                    persona::DDPMScheduler(persona::SchedulerConfig{.prediction_type = predicts}),
                                    persona::LatentShape{3, 4, 4});
    const auto state = MinSNR{.gamma = 5, .class_samples = all}.bind(model, {});
    auto batch = batch_of({0, 0, -1});
    batch.weights = at::tensor({1.0F, 2.0F, 3.0F});
    state.reweigh(batch, snr);
    return batch.weights;
  };
  CHECK(at::allclose(weighed("epsilon", true), at::tensor({0.25F, 2.0F, 1.5F})));
  CHECK(at::allclose(weighed("epsilon", false), at::tensor({0.25F, 2.0F, 3.0F})));
  CHECK(at::allclose(weighed("v_prediction", true), at::tensor({5 / 21.0F, 1.0F, 15 / 11.0F})));
  CHECK(at::allclose(weighed("sample", true), at::tensor({5.0F, 2.0F, 15.0F})));
  auto pure = batch_of({0});  // noise alone, where a schedule ends at no signal
  MinSNR{.gamma = 5}.bind(persona::testing::tiny_model(), {}).reweigh(pure, at::tensor({0.0F}));
  CHECK(pure.weights.item<float>() == 1);
  CHECK_THROWS_WITH(MinSNR{.gamma = 0}.bind(persona::testing::tiny_model(), {}), Catch::Contains(".gamma"));
  const persona::BindContext flow{
      .schedule = {1000, [](const Tensor& x0, const Tensor& noise, const Tensor&) { return noise - x0; }}};
  CHECK_THROWS_WITH(MinSNR{}.bind(persona::testing::tiny_model(), flow),
                    Catch::Contains("neither noise, nor v, nor x0"));

  // A schedule in the sum says what is predicted, whatever the model's own does.
  const persona::BindContext clean{
      .schedule = {1000, [](const Tensor& x0, const Tensor&, const Tensor&) { return x0; }}};
  auto batch = batch_of({0});
  MinSNR{.gamma = 5}.bind(persona::testing::tiny_model(), clean).reweigh(batch, at::tensor({20.0F}));
  CHECK(batch.weights.item<double>() == 5);
}

TEST_CASE("class images that were drawn until a run was stopped are kept, and a damaged file is drawn anew") {
  const persona::test::Folder folder;
  const auto subjects = persona::testing::tiny_subjects();
  const auto model = persona::testing::tiny_model();
  const PriorPreservation prior{.images = 5, .sampling = {.batch = 2}};
  Drawn drawn;
  auto context = context_of(subjects, drawn, folder.path());
  const auto draws = context.sample;
  context.sample = [&](const std::string& prompt, std::int64_t n, const persona::SampleOptions& options) {
    if (drawn.prompts.size() == 2) throw std::runtime_error("stopped");
    return draws(prompt, n, options);
  };
  CHECK_THROWS_WITH(prior.bind(model, context), "stopped");
  context.sample = draws;
  const auto latents = prior.bind(model, context).latents[0];
  CHECK(drawn.prompts.size() == 3);
  CHECK(drawn.options.back().first == 4);
  CHECK(latents.sizes() == at::IntArrayRef{5, 3, 4, 4});
  for (const std::int64_t i : {0, 1, 2, 3, 4}) CHECK((latents[i] == static_cast<double>(i / 2 + 1)).all().item<bool>());

  for (const auto& entry : std::filesystem::directory_iterator(folder / "class_images"))
    std::filesystem::resize_file(entry.path(), 100);
  std::string said;
  const auto before = persona::set_warning_handler([&](const std::string& text) { said += text; });
  (void)prior.bind(model, context);
  persona::set_warning_handler(before);
  CHECK_THAT(said, Catch::Contains("class images are drawn anew"));
  CHECK(drawn.prompts.size() == 6);
}
