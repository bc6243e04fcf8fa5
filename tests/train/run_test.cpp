#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/loss/min_snr.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/optim/learning_rate.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/low_rank_factors.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/testing.hpp>

#include <range/v3/view/chunk.hpp>
#include <range/v3/view/drop.hpp>
#include <range/v3/view/filter.hpp>
#include <range/v3/view/stride.hpp>
#include <range/v3/view/take.hpp>
#include <range/v3/view/take_while.hpp>
#include <range/v3/view/transform.hpp>

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using persona::AdamW;
using persona::Run;
using persona::Step;
using persona::Tensor;
using persona::TokenInit;
using persona::operator+;
using persona::testing::tiny_model;
using persona::testing::tiny_subjects;

static_assert(ranges::input_range<Run> && ranges::view_<Run>);
static_assert(std::ranges::input_range<Run> && std::ranges::view<Run>);

struct Fixture {
  persona::testing::TinyModel model = tiny_model();
  std::vector<persona::Subject> subjects = tiny_subjects();
  Run begin(std::int64_t steps = 30, persona::TrainOptions options = {}) {
    options.steps = steps;
    options.batch = 2;
    options.seed = 1;
    return persona::personalize(model, subjects.front(), persona::recipe(TokenInit{}), options);
  }
};

/// Rows that have nothing to do with their leaf, and rows without one.
struct Detached {
  using plays = persona::Plays<persona::Role::row_parameterization>;
  struct State {
    persona::Leaf leaf;
    std::vector<persona::Leaf> leaves() const { return {leaf}; }
    Tensor rows() const { return leaf.value.detach(); }
  };
  template <class Model>
  State bind(const Tensor& rows, const Model&, const persona::BindContext&) const {
    return {persona::make_leaf("rows", rows)};
  }
  persona::Description describe() const { return {"Detached", {}}; }
};
struct Leafless {
  using plays = persona::Plays<persona::Role::row_parameterization>;
  struct State {
    Tensor value;
    std::vector<persona::Leaf> leaves() const { return {}; }
    Tensor rows() const { return value; }
  };
  template <class Model>
  State bind(const Tensor& rows, const Model&, const persona::BindContext&) const {
    return {rows};
  }
  persona::Description describe() const { return {"Leafless", {}}; }
};

std::vector<std::int64_t> indices(auto&& view) {
  std::vector<std::int64_t> list;
  for (const Step& step : view) list.push_back(step.index);
  return list;
}

Tensor rows(const Run& run) { return run.learned().rows.front().rows; }

}  // namespace

TEST_CASE_METHOD(Fixture, "a run is a view: nothing is computed that the loop does not stand on") {
  auto run = begin();
  CHECK(run.completed() == 0);
  CHECK(indices(run | ranges::views::take(5)) == std::vector<std::int64_t>{1, 2, 3, 4, 5});
  CHECK(run.completed() == 5);
  CHECK(indices(run | std::views::take(2)) == std::vector<std::int64_t>{6, 7});
  CHECK(run.completed() == 7);
  CHECK(indices(run | ranges::views::stride(10)) == std::vector<std::int64_t>{8, 18, 28});
  CHECK(run.completed() == 30);
  CHECK(indices(run).empty());
}

TEST_CASE_METHOD(Fixture, "views of both libraries: drop, filter, take_while, chunk, transform") {
  auto run = begin();
  CHECK(indices(run | ranges::views::drop(3) | ranges::views::take(2)) == std::vector<std::int64_t>{4, 5});
  CHECK(indices(run | ranges::views::take_while([](const Step& step) { return step.index < 8; })) ==
        std::vector<std::int64_t>{6, 7});
  CHECK(run.completed() == 8);  // the one that ended the loop was computed to be looked at
  CHECK(indices(run | std::views::filter([](const Step& step) { return step.index % 5 == 0; }) | std::views::take(1)) ==
        std::vector<std::int64_t>{10});
  std::vector<std::size_t> sizes;
  for (auto chunk : run | ranges::views::chunk(8)) {
    sizes.push_back(0);
    for (const Step& step : chunk) sizes.back() += step.index > 0;
  }
  CHECK(sizes.front() == 8);
  CHECK(run.completed() == 30);
  auto losses = begin(3) | ranges::views::transform([](const Step& step) { return step.loss(); });
  for (const double loss : losses) CHECK(std::isfinite(loss));
}

TEST_CASE_METHOD(Fixture, "how a run is looped over does not change what it learns") {
  auto at_once = begin(12);
  at_once.drain();
  auto in_parts = begin(12);
  indices(in_parts | ranges::views::take(5));
  for (const Step& step : in_parts)
    if (step.index == 7) break;
  const Run copy = in_parts;  // a handle on the same session
  copy.drain();
  CHECK(in_parts.completed() == 12);
  CHECK(at::equal(rows(at_once), rows(in_parts)));
}

TEST_CASE_METHOD(Fixture, "one type of run for every sum") {
  const bool cross = true;
  const std::vector<std::string> names{"ada lovelace"};
  auto run = cross ? persona::personalize(model, subjects[0], persona::CrossInit{names} + persona::L2Reg{})
                   : persona::personalize(model, subjects[0], TokenInit{});
  CHECK(run.steps() == 320);  // the initializer's default
  CHECK(begin(0).steps() == 3000);
}

TEST_CASE_METHOD(Fixture, "a step tells its loss, its terms and its rows") {
  auto run =
      persona::personalize(model, subjects[0], TokenInit{} + persona::L2Reg{0.5} + AdamW{.lr = 0.1, .weight_decay = 0},
                           {.steps = 3, .batch = 2});
  for (const Step& step : run) {
    REQUIRE(step.terms().size() == 1);
    CHECK(step.terms()[0].first == "L2Reg");
    CHECK(step.loss() == Approx(step.denoising_loss() + step.terms()[0].second));
    CHECK(step.row_norm() > 0);
    CHECK(step.cosine_to_start() < 1);
    CHECK(step.steps == 3);
    CHECK(step.rate > 0);
  }
}

TEST_CASE_METHOD(Fixture, "accumulating two micro-batches changes the step, and stays deterministic") {
  auto options = persona::TrainOptions{.accumulate = 2};
  auto a = begin(4, options), b = begin(4, options), plain = begin(4);
  a.drain(), b.drain(), plain.drain();
  CHECK(at::equal(rows(a), rows(b)));
  CHECK(!at::equal(rows(a), rows(plain)));
}

TEST_CASE_METHOD(Fixture, "what is learned is a value: later steps do not change it") {
  auto run = begin(6);
  indices(run | ranges::views::take(2));
  const auto early = run.learned();
  const auto kept = early.rows[0].rows.clone();
  run.drain();
  CHECK(at::equal(early.rows[0].rows, kept));
  CHECK(!at::equal(run.learned().rows[0].rows, kept));
}

TEST_CASE_METHOD(Fixture, "what a file holds of layered rows is a value too") {
  const auto check = [&](const auto& sum) {
    auto run = persona::personalize(model, subjects[0], sum, {.steps = 4});
    for (const persona::Step& step : run)
      if (step.index == 2) break;
    const auto early = run.learned();
    std::map<std::string, Tensor> kept;
    for (const auto& [name, value] : early.rows[0].stored.tensors) kept.emplace(name, value.clone());
    run.drain();
    bool moved = false;
    for (const auto& [name, value] : early.rows[0].stored.tensors) {
      INFO(name);
      CHECK(at::equal(value, kept.at(name)));
      moved = moved || !at::equal(run.learned().rows[0].stored.tensors.at(name), kept.at(name));
    }
    CHECK(moved);
  };
  check(TokenInit{} + persona::LayeredRows{});
  check(TokenInit{} + persona::NeTIMapper{.hidden = 8, .frequencies = 16});
}

TEST_CASE_METHOD(Fixture, "an adapter whose snapshot is of neither kind is named") {
  struct NoCopy : persona::Delta {
    persona::Leaf leaf{};
    std::vector<persona::Leaf> leaves() const override { return {leaf}; }
    std::shared_ptr<const persona::Adapter> snapshot() const override { return nullptr; }
    Tensor value(const Tensor& base) const override { return leaf.value.expand_as(base); }
  };
  struct Shift {
    using plays = persona::Plays<persona::Role::weight_parameterization>;
    bool selects(const persona::WeightRef& ref) const { return ref.kind == persona::WeightKind::linear; }
    std::shared_ptr<NoCopy> bind(const persona::WeightRef& ref, const persona::BindContext&) const {
      auto adapter = std::make_shared<NoCopy>();
      adapter->leaf = persona::make_leaf("shift", at::zeros({1}, ref.base.options()));
      return adapter;
    }
    persona::Description describe() const { return {"Shift", {}}; }
  };
  const auto run = persona::personalize(model, subjects[0], persona::recipe(Shift{}), {.steps = 1});
  CHECK_THROWS_WITH(run.learned(), Catch::Contains("the snapshot() of Shift{} is neither a Replacement nor a Delta"));
}

TEST_CASE_METHOD(Fixture, "two changes of one weight whose leaves share names are refused") {
  using persona::LowRank;
  CHECK_THROWS_WITH(persona::personalize(model, subjects[0], LowRank{.rank = 1} + LowRank{.rank = 2}, {.steps = 1}),
                    Catch::Contains("lora_A'") && Catch::Contains("one change a form"));
}

TEST_CASE_METHOD(Fixture, "a checkpoint goes on bit for bit, and is refused when anything differs") {
  const persona::test::Folder folder;
  auto whole = begin(20);
  whole.drain();
  auto first = begin(10);
  first.drain();
  first.save(folder / "run");
  auto second = begin(20, {.resume = folder / "run"});
  CHECK(second.completed() == 10);
  second.drain();
  CHECK(at::equal(rows(whole), rows(second)));

  const auto refused = [&](const char* what, auto&& go) {
    CHECK_THROWS_WITH(go(), Catch::Contains("resume from") && Catch::Contains(what));
  };
  refused("the sum differs", [&] {
    persona::personalize(model, subjects[0], TokenInit{"cat"},
                         {.steps = 20, .batch = 2, .seed = 1, .resume = folder / "run"});
  });
  refused(".batch differs", [&] {
    persona::personalize(model, subjects[0], TokenInit{},
                         {.steps = 20, .batch = 3, .seed = 1, .resume = folder / "run"});
  });
  refused(".seed differs", [&] {
    persona::personalize(model, subjects[0], TokenInit{},
                         {.steps = 20, .batch = 2, .seed = 2, .resume = folder / "run"});
  });
  auto other = subjects;
  other[0].photos.front().image.pixels[5] ^= 64;
  refused("the photos", [&] {
    persona::personalize(model, other[0], TokenInit{}, {.steps = 20, .batch = 2, .seed = 1, .resume = folder / "run"});
  });
  other = subjects;
  other[0].class_word = "dog";  // the sum's own word says where rows start: nothing else would tell
  persona::personalize(model, subjects[0], TokenInit{"cat"}, {.steps = 1}).save(folder / "word");
  refused("class word",
          [&] { persona::personalize(model, other[0], TokenInit{"cat"}, {.steps = 1, .resume = folder / "word"}); });
  const auto stranger = tiny_model(at::kFloat, 2);
  refused("the base model differs", [&] {
    persona::personalize(stranger, subjects[0], TokenInit{},
                         {.steps = 20, .batch = 2, .seed = 1, .resume = folder / "run"});
  });
  CHECK_THROWS_WITH(begin(20, {.resume = folder / "nothing"}), Catch::Contains("nothing"));
}

TEST_CASE_METHOD(Fixture, "guards: no photo, a caption without the token, a token that is a word already") {
  auto subject = subjects[0];
  subject.photos = {};
  CHECK_THROWS_WITH(persona::personalize(model, subject, TokenInit{}), Catch::Contains("no photos of <one>"));
  subject = subjects[0];
  subject.captions = persona::Captions::prompt("a photo of a person");
  CHECK_THROWS_WITH(persona::personalize(model, subject, TokenInit{}),
                    Catch::Contains("'<one>' does not occur in the caption 'a photo of a person'"));
  subject = subjects[0];
  subject.token = "person";
  CHECK_THROWS_WITH(persona::personalize(model, subject, TokenInit{}),
                    Catch::Contains("already a token of the vocabulary"));
  CHECK_THROWS_WITH(persona::personalize(model, subjects[0], TokenInit{}, {.batch = 0}), Catch::Contains(".batch"));
}

TEST_CASE_METHOD(Fixture, "guard: a gradient that is exactly zero at the first step is an error") {
  struct Deaf {
    Tensor predict(const Tensor& x, const Tensor&, const Tensor& states) const { return x + 0 * states.sum(); }
  };
  const persona::ModelParts parts{model.tokenizer(), model.text_encoder(), Deaf{}, model.scheduler(),
                                  {3, 4, 4},         model.autoencoder()};
  auto run = persona::personalize(parts, subjects[0], TokenInit{}, {.steps = 3});
  CHECK_THROWS_WITH(run.drain(), Catch::Contains("gradient of everything that is trained is exactly 0"));
}

TEST_CASE_METHOD(Fixture, "guard: a loss that is not finite stops the run, says where, and keeps the last good rows") {
  struct BreaksAt {
    using plays = persona::Plays<persona::Role::regularizer>;
    std::int64_t step = 3;
    Tensor loss(const persona::StepView& view) const {
      const double factor = view.batch.step == step ? std::numeric_limits<double>::quiet_NaN() : 0.0;
      return view.rows[0].sum() * factor;
    }
    persona::Description describe() const { return {"BreaksAt", {{"step", step}}}; }
  };
  auto run = persona::personalize(model, subjects[0], TokenInit{} + BreaksAt{3}, {.steps = 10, .batch = 2, .seed = 1});
  Tensor good;
  const auto loop = [&] {
    for (const Step& step : run)
      if (step.index == 2) good = rows(run);
  };
  // The update of step 3 may be to blame: the rows are those of the last finite loss.
  CHECK_THROWS_WITH(loop(), Catch::Contains("not finite at step 4") && Catch::Contains("learned until step 2"));
  CHECK(at::equal(rows(run), good));
  CHECK(run.completed() == 3);

  try {
    persona::fit(model, subjects[0], TokenInit{} + BreaksAt{3}, {.steps = 10, .batch = 2, .seed = 1});
    FAIL("fit went on");
  } catch (const persona::Interrupted& interrupted) {
    CHECK(at::equal(interrupted.learned.of("<one>").rows, good));
    CHECK_THAT(interrupted.what(), Catch::Contains("not finite at step 4"));
  }
}

TEST_CASE_METHOD(Fixture, "guard: an update that is not finite is not saved, and what was before it comes back") {
  struct Explodes {  // an optimizer whose third step leaves nothing to use
    using plays = persona::Plays<persona::Role::optimizer>;
    double at_step = 3, to = std::numeric_limits<double>::infinity();
    struct State {
      std::vector<persona::Leaf> leaves;
      double at_step, to;
      int done = 0;
      void step(const persona::OptimizerStep& now) {
        const at::NoGradGuard no_grad;
        if (now.found_inf.defined() && now.found_inf.item<float>() > 0) return;
        for (auto& leaf : leaves) leaf.value.add_(done + 1 == at_step ? to : 0.01);
        ++done;
      }
      std::vector<persona::NamedTensor> state() const { return {}; }
    };
    State bind(std::vector<persona::Leaf> leaves, double) const { return {std::move(leaves), at_step, to}; }
    persona::Description describe() const { return {"Explodes", {{"to", to}}}; }
  };
  const persona::test::Folder folder;
  for (const double to : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    auto run = persona::personalize(model, subjects[0], TokenInit{} + Explodes{.to = to}, {.steps = 6, .seed = 1});
    Tensor good;
    const auto loop = [&] {
      for (const Step& step : run)
        if (step.index == 2) good = rows(run);
    };
    CHECK_THROWS_WITH(loop(), Catch::Contains("learned until step 2"));
    CHECK(at::equal(rows(run), good));
    auto last = persona::personalize(model, subjects[0], TokenInit{} + Explodes{.to = to}, {.steps = 3, .seed = 1});
    CHECK_THROWS_WITH(last.drain(), Catch::Contains("was not finite after step 3"));
    CHECK_THROWS_WITH(last.save(folder / "last"), Catch::Contains("was not finite after step 3"));
    CHECK(!std::filesystem::exists(folder / "last"));
  }
}

TEST_CASE_METHOD(Fixture, "rows by layer have the axis of layers also where a denoiser has one") {
  struct Shape {
    using plays = persona::Plays<persona::Role::regularizer>;
    std::shared_ptr<std::vector<std::int64_t>> sizes = std::make_shared<std::vector<std::int64_t>>();
    Tensor loss(const persona::StepView& view) const {
      *sizes = view.rows[0].sizes().vec();
      return 0 * view.rows[0].sum();
    }
    persona::Description describe() const { return {"Shape", {}}; }
  };
  const auto& tiny = model;
  auto denoiser = tiny.denoiser();
  denoiser.layers.resize(1);
  const persona::testing::TinyModel one{tiny.tokenizer(), tiny.text_encoder(), denoiser,
                                        tiny.scheduler(), tiny.latent_shape(), tiny.autoencoder()};
  const auto seen = [&](const auto& rows) {
    Shape shape;
    persona::fit(one, subjects[0], TokenInit{} + rows + shape, {.steps = 1, .batch = 4, .seed = 1});
    return *shape.sizes;
  };
  CHECK(seen(persona::LayeredRows{}).size() == 3);
  CHECK(seen(persona::NeTIMapper{.hidden = 8, .frequencies = 16}) == std::vector<std::int64_t>{1, 4, 1, 6});
}

TEST_CASE_METHOD(Fixture, "a step that an exception broke off leaves no gradient behind") {
  struct FailsOnce {
    using plays = persona::Plays<persona::Role::regularizer>;
    std::shared_ptr<int> calls = std::make_shared<int>(0);
    Tensor loss(const persona::StepView& view) const {
      if (++*calls == 2) throw std::runtime_error("out of memory");
      return 0 * view.rows[0].sum();
    }
    persona::Description describe() const { return {"FailsOnce", {}}; }
  };
  const persona::TrainOptions options{.steps = 2, .batch = 1, .accumulate = 2, .seed = 1};
  auto broken = persona::personalize(model, subjects[0], TokenInit{} + FailsOnce{}, options);
  CHECK_THROWS_WITH(broken.drain(), "out of memory");
  broken.drain();
  auto whole = persona::personalize(model, subjects[0], TokenInit{} + FailsOnce{std::make_shared<int>(9)}, options);
  whole.drain();
  CHECK(at::equal(rows(broken), rows(whole)));
}

TEST_CASE_METHOD(Fixture, "settings that mean nothing are errors") {
  CHECK_THROWS_WITH(begin(-1), Catch::Contains(".steps is -1"));
  const auto with = [&](const AdamW& adamw) {
    return persona::personalize(model, subjects[0], TokenInit{} + adamw, {.steps = 1});
  };
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double lr : {-1.0, nan, inf}) CHECK_THROWS_WITH(with({.lr = lr}), Catch::Contains("AdamW: .lr is"));
  CHECK_THROWS_WITH(with({.beta1 = 2}), Catch::Contains(".beta1 is 2"));
  CHECK_THROWS_WITH(with({.beta2 = 1}), Catch::Contains(".beta2 is 1"));
  CHECK_THROWS_WITH(with({.eps = -1}), Catch::Contains(".eps is -1"));
  CHECK_THROWS_WITH(with({.weight_decay = nan}), Catch::Contains(".weight_decay is"));
  auto none = subjects[0];
  none.vectors = -1;
  CHECK_THROWS_WITH(persona::personalize(model, none, TokenInit{}), Catch::Contains("-1 vectors"));
  none = subjects[0];
  none.photos.clear();
  CHECK_THROWS_WITH(persona::personalize(model, none, TokenInit{}), Catch::Contains("no photos of <one>"));
}

TEST_CASE_METHOD(Fixture, "components that compute nothing of use are errors of ours") {
  struct Vector {
    using plays = persona::Plays<persona::Role::regularizer>;
    Tensor loss(const persona::StepView& view) const { return view.rows[0]; }
    persona::Description describe() const { return {"Vector", {}}; }
  };
  struct Doubles {
    using plays = persona::Plays<persona::Role::contribution>;
    void contribute(persona::Batch& batch, at::Generator&) { batch.latents = at::cat({batch.latents, batch.latents}); }
    persona::Description describe() const { return {"Doubles", {}}; }
  };
  const auto said = [&](const auto& sum) { persona::personalize(model, subjects[0], sum, {.steps = 2}).drain(); };
  CHECK_THROWS_WITH(said(TokenInit{} + Vector{}), Catch::Contains("Vector: its loss is of shape [1, 6]"));
  CHECK_THROWS_WITH(said(TokenInit{} + Detached{}), Catch::Contains("does not depend on anything that is trained"));
  CHECK_THROWS_WITH(said(TokenInit{} + Leafless{}), Catch::Contains("nothing of this sum is trained"));
  CHECK_THROWS_WITH(said(TokenInit{} + Doubles{}), Catch::Contains("2 latents, and .captions of 1"));
}

namespace {
struct GivenRows {
  persona::Leaf leaf{};
  std::int64_t more = 0;
  std::vector<persona::Leaf> leaves() const { return {leaf}; }
  Tensor rows() const { return leaf.value.repeat({1 + more, 1}); }
};
struct TooMany {
  using plays = persona::Plays<persona::Role::row_parameterization>;
  std::int64_t more = 1;
  at::ScalarType dtype = at::kFloat;
  GivenRows bind(const Tensor& rows, const auto&, const persona::BindContext&) const {
    return {{.name = "rows", .value = rows.to(dtype).clone().set_requires_grad(true)}, more};
  }
  persona::Description describe() const { return {"TooMany", {}}; }
};
struct LayeredTooMany {
  struct State : GivenRows {
    persona::RowSet rows(const persona::RowQuery&) const { return GivenRows::rows(); }
    State snapshot() const { return *this; }
  };
  using plays = persona::Plays<persona::Role::row_parameterization>;
  State bind(const Tensor& rows, const auto&, const persona::BindContext&) const {
    return {{persona::make_leaf("rows", rows), 1}};
  }
  persona::Description describe() const { return {"LayeredTooMany", {}}; }
};
struct Nothing {
  using plays = persona::Plays<persona::Role::weight_parameterization>;
  bool selects(const persona::WeightRef&) const { return true; }
  std::shared_ptr<persona::LowRankFactors> bind(const persona::WeightRef&, const persona::BindContext&) const {
    return nullptr;
  }
  persona::Description describe() const { return {"Nothing", {}}; }
};
}  // namespace

TEST_CASE_METHOD(Fixture, "components that give other rows, no adapter or narrow leaves are errors of ours") {
  const auto said = [&](const auto& sum) { persona::personalize(model, subjects[0], sum, {.steps = 1}).drain(); };
  CHECK_THROWS_WITH(said(TokenInit{} + TooMany{}), Catch::Contains("rows() of TooMany for <one>"));
  CHECK_THROWS_WITH(said(TokenInit{} + LayeredTooMany{}), Catch::Contains("rows() of LayeredTooMany for <one>"));
  CHECK_THROWS_WITH(said(TokenInit{} + TooMany{.more = 0, .dtype = at::kBFloat16}),
                    Catch::Contains("is BFloat16") && Catch::Contains("fp32"));
  CHECK_THROWS_WITH(said(persona::recipe(Nothing{})), Catch::Contains("Nothing{} binds it to nothing"));
}

TEST_CASE_METHOD(Fixture, "a checkpoint replaces checkpoints alone, and resumes only where nothing else differs") {
  const persona::test::Folder folder;
  auto run = begin(4);
  for (const Step& step : run)
    if (step.index == 2) break;
  std::filesystem::create_directories(folder / "mine");
  std::ofstream(folder / "mine" / "thesis.txt") << "a year of work";
  CHECK_THROWS_WITH(run.save(folder / "mine"), Catch::Contains("holds 'thesis.txt'"));
  CHECK(std::filesystem::exists(folder / "mine" / "thesis.txt"));
  run.save(folder / "run");
  run.save(folder / "run");
  CHECK(begin(4, {.resume = folder / "run"}).completed() == 2);
  CHECK_THROWS_WITH(begin(1, {.resume = folder / "run"}), Catch::Contains("behind step 2, and .steps is 1"));

  struct From {  // does not say what it starts from
    using plays = persona::Plays<persona::Role::initializer>;
    double value;
    Tensor rows(const persona::testing::TinyModel&, const persona::BindContext&) const {
      return at::full({1, 6}, value);
    }
    persona::Description describe() const { return {"From", {}}; }
  };
  persona::personalize(model, subjects[0], persona::recipe(From{1}), {.steps = 1}).save(folder / "ones");
  CHECK_THROWS_WITH(
      persona::personalize(model, subjects[0], persona::recipe(From{2}), {.steps = 1, .resume = folder / "ones"}),
      Catch::Contains("where the rows start differs"));
  const persona::ModelParts scheduled{
      model.tokenizer(),    model.text_encoder(),
      model.denoiser(),     persona::DDPMScheduler({.num_train_timesteps = 100, .prediction_type = "v_prediction"}),
      model.latent_shape(), model.autoencoder()};
  CHECK_THROWS_WITH(persona::personalize(scheduled, subjects[0], TokenInit{},
                                         {.steps = 4, .batch = 2, .seed = 1, .resume = folder / "run"}),
                    Catch::Contains("the noise schedule differs"));

  const auto file = folder / "run" / "state.safetensors";
  const auto source = persona::SafeTensors::open(file);
  std::map<std::string, Tensor> tensors;
  for (const auto& name : source.names()) tensors.emplace(name, source.load(name));
  for (const char* completed : {"-7", "abc", "2 "}) {
    std::map<std::string, std::string> text;
    for (const auto& [key, value] : source.metadata()) text.emplace(key, value);
    text["persona.completed"] = completed;
    persona::write_safetensors(file, tensors, text);
    CHECK_THROWS_WITH(begin(4, {.resume = folder / "run"}), Catch::Contains("persona.completed is"));
  }
}

TEST_CASE_METHOD(Fixture, "a run whose rates depend on .steps is resumed with as many alone") {
  const persona::test::Folder folder;
  const auto begin = [&](const auto& rate, std::int64_t steps, const std::filesystem::path& resume = {}) {
    return persona::personalize(model, subjects[0], TokenInit{} + rate,
                                {.steps = steps, .batch = 1, .seed = 1, .resume = resume});
  };
  const auto half = [&](const auto& rate, const std::filesystem::path& to) {
    auto run = begin(rate, 8);
    for (const Step& step : run)
      if (step.index == 4) break;
    run.save(to);
  };
  half(persona::CosineRate{}, folder / "cosine"), half(persona::ConstantRate{.warmup = 2}, folder / "constant");
  CHECK_NOTHROW(begin(persona::CosineRate{}, 8, folder / "cosine"));
  CHECK_THROWS_WITH(begin(persona::CosineRate{}, 16, folder / "cosine"),
                    Catch::Contains("rates were those of 8 steps, and .steps is 16"));
  CHECK_NOTHROW(begin(persona::ConstantRate{.warmup = 2}, 16, folder / "constant"));
  CHECK_THROWS_WITH(begin(persona::LinearRate{.warmup = -1}, 8).drain(), Catch::Contains(".warmup is -1"));
  struct Upward {
    using plays = persona::Plays<persona::Role::learning_rate_schedule>;
    double factor(std::int64_t, std::int64_t) const { return -1; }
    persona::Description describe() const { return {"Upward", {}}; }
  };
  CHECK_THROWS_WITH(begin(Upward{}, 8).drain(), Catch::Contains("factor at step 1 is -1"));
}

TEST_CASE_METHOD(Fixture, "an optimizer that makes its state at the first step is not resumed without it") {
  struct Late {
    using plays = persona::Plays<persona::Role::optimizer>;
    struct State {
      std::vector<persona::Leaf> leaves;
      std::vector<persona::NamedTensor> kept{};
      void step(const persona::OptimizerStep&) {
        const at::NoGradGuard no_grad;
        for (auto& leaf : leaves) leaf.value.sub_(0.01 * leaf.value.grad());
        if (kept.empty()) kept.push_back({"momentum", at::ones({1})});
      }
      std::vector<persona::NamedTensor> state() const { return kept; }
    };
    State bind(std::vector<persona::Leaf> leaves, double) const { return {std::move(leaves)}; }
    persona::Description describe() const { return {"Late", {}}; }
  };
  const persona::test::Folder folder;
  persona::personalize(model, subjects[0], TokenInit{} + Late{}, {.steps = 1}).drain().save(folder / "late");
  CHECK_THROWS_WITH(
      persona::personalize(model, subjects[0], TokenInit{} + Late{}, {.steps = 2, .resume = folder / "late"}),
      Catch::Contains("optimizer.momentum") && Catch::Contains("which nothing here reads"));
}

TEST_CASE_METHOD(Fixture, "whatever ends a fit, what was learned until then arrives") {
  const auto stops = [](const Step& step) {
    if (step.index == 3) throw std::runtime_error("no memory");
  };
  try {
    persona::fit(model, subjects[0], persona::recipe(TokenInit{}), {.steps = 6}, stops);
    FAIL("it was not stopped");
  } catch (const persona::Interrupted& stopped) {
    CHECK_THAT(stopped.what(), Catch::Contains("no memory"));
    CHECK(stopped.learned.rows.size() == 1);
  }
}

TEST_CASE_METHOD(Fixture, "numbers of another shape than a sample each are refused, not spread") {
  struct Wide {  // as alpha-bar is shaped to be multiplied with latents
    using plays = persona::Plays<persona::Role::scheduler>;
    persona::DDPMScheduler ddpm{};
    std::int64_t num_train_timesteps() const { return ddpm.num_train_timesteps(); }
    Tensor add_noise(const Tensor& x, const Tensor& n, const Tensor& t) const { return ddpm.add_noise(x, n, t); }
    Tensor target(const Tensor& x, const Tensor& n, const Tensor& t) const { return ddpm.target(x, n, t); }
    Tensor snr(const Tensor& t) const { return ddpm.snr(t).view({-1, 1, 1, 1}); }
    persona::Description describe() const { return {"Wide", {}}; }
  };
  auto wide = persona::personalize(model, subjects[0], TokenInit{} + Wide{} + persona::MinSNR{}, {.steps = 1});
  CHECK_THROWS_WITH(wide.drain(), Catch::Contains("the schedule's snr(t)"));
  struct Column {
    using plays = persona::Plays<persona::Role::contribution>;
    void reweigh(persona::Batch& batch, const Tensor& snr) const { batch.weights = at::ones_like(snr).view({-1, 1}); }
    persona::Description describe() const { return {"Column", {}}; }
  };
  auto column = persona::personalize(model, subjects[0], TokenInit{} + Column{}, {.steps = 1});
  CHECK_THROWS_WITH(column.drain(), Catch::Contains(".weights"));
  struct OneChannel {
    Tensor predict(const Tensor& x, const Tensor&, const Tensor& states) const {
      return x.slice(1, 0, 1) * states.mean();
    }
  };
  const persona::ModelParts parts{model.tokenizer(), model.text_encoder(), OneChannel{}, model.scheduler(),
                                  {3, 4, 4},         model.autoencoder()};
  auto narrow = persona::personalize(parts, subjects[0], persona::recipe(TokenInit{}), {.steps = 1});
  CHECK_THROWS_WITH(narrow.drain(), Catch::Contains("the denoiser predicts"));
}

TEST_CASE_METHOD(Fixture, "two regularizers of one kind are told apart in what a step says") {
  auto run =
      persona::personalize(model, subjects[0], TokenInit{} + persona::L2Reg{1} + persona::L2Reg{2}, {.steps = 1});
  for (const Step& step : run) {
    const auto terms = step.terms();
    REQUIRE(terms.size() == 2);
    CHECK(terms[0].first == "L2Reg");
    CHECK(terms[1].first == "L2Reg 2");
  }
}

TEST_CASE_METHOD(Fixture, "leaves are not resumed as weights of other rows than they were trained with") {
  struct Reorders {  // the second basis that it makes has its last two rows exchanged
    using plays = persona::Plays<persona::Role::row_parameterization>;
    std::shared_ptr<int> made = std::make_shared<int>(0);
    struct State {
      persona::Leaf weights;
      Tensor basis;
      std::vector<persona::Leaf> leaves() const { return {weights}; }
      Tensor rows() const { return weights.value.matmul(basis); }
    };
    State bind(const Tensor& rows, const persona::testing::TinyModel& model, const persona::BindContext&) const {
      const auto table = model.text_encoder().embedding_table();
      const auto second = (*made)++ == 0 ? 5 : 6, third = 11 - second;
      const auto basis = at::cat({rows, table[second].unsqueeze(0), table[third].unsqueeze(0)});
      const auto weights = at::zeros({1, 3});
      weights[0][0] = 1.0f;
      return {persona::make_leaf("weights", weights), basis};
    }
    persona::Description describe() const { return {"Reorders", {}}; }
  };
  const persona::test::Folder folder;
  const auto start = [&](const Reorders& basis, const std::filesystem::path& resume) {
    return persona::personalize(model, subjects[0], TokenInit{} + basis,
                                {.steps = 9, .batch = 2, .seed = 1, .resume = resume});
  };
  auto run = start({}, {});
  for (const Step& step : run)
    if (step.index == 6) break;
  run.save(folder / "run");
  CHECK(start({}, folder / "run").completed() == 6);
  const Reorders other;
  *other.made = 1;
  CHECK_THROWS_WITH(start(other, folder / "run"), Catch::Contains("what the leaves of <one> say of its rows"));
}

TEST_CASE_METHOD(Fixture, "a mapper is not resumed over other frequencies than it was trained with") {
  struct Redraws {  // a mapper of frequencies that its description does not speak of
    using plays = persona::Plays<persona::Role::row_parameterization>;
    double factor = 1;
    persona::NeTIMapper::State bind(const Tensor& rows, const persona::testing::TinyModel& model,
                                    const persona::BindContext& context) const {
      auto state = persona::NeTIMapper{.hidden = 8, .frequencies = 16}.bind(rows, model, context);
      state.waves = state.waves * factor;
      return state;
    }
    persona::Description describe() const { return {"Redraws", {}}; }
  };
  const persona::test::Folder folder;
  const auto start = [&](double factor, const std::filesystem::path& resume) {
    return persona::personalize(model, subjects[0], TokenInit{} + Redraws{factor},
                                {.steps = 4, .batch = 2, .seed = 1, .resume = resume});
  };
  auto run = start(1, {});
  for (const Step& step : run)
    if (step.index == 2) break;
  run.save(folder / "run");
  CHECK(start(1, folder / "run").completed() == 2);
  CHECK_THROWS_WITH(start(2, folder / "run"), Catch::Contains("'waves' of <one>, which is not trained, differs"));
}

TEST_CASE_METHOD(Fixture, "a learned token takes no part in another's training, and nobody passes over that") {
  const auto learned = persona::fit(model, subjects[0], TokenInit{}, {.steps = 2});
  const auto with = persona::personalized(model, learned);
  CHECK_THROWS_WITH(persona::personalize(with, subjects[0], TokenInit{}),
                    Catch::Contains("has learned '<one>' already"));
  auto other = tiny_subjects(2)[1];
  other.captions = persona::Captions::prompt("a {} beside a <one>");
  CHECK_THROWS_WITH(persona::personalize(with, other, TokenInit{}),
                    Catch::Contains("speaks of a token that this model has learned"));
  other.token = "<one>s";  // a longer token is another one
  other.captions = {};
  CHECK_NOTHROW(persona::personalize(with, other, TokenInit{}));
}

TEST_CASE_METHOD(Fixture, "captions that are too long are said, each once") {
  std::vector<std::string> said;
  const auto before = persona::set_warning_handler([&](const std::string& text) { said.push_back(text); });
  subjects[0].captions = persona::Captions::prompt("a {} beside" + [] {
    std::string people;
    for (int i = 0; i < 100; ++i) people += " person";
    return people;
  }());
  subjects[0].photos.push_back(subjects[0].photos[0]);
  auto run = begin(1);
  persona::set_warning_handler(before);
  REQUIRE(said.size() == 1);
  CHECK_THAT(said[0], Catch::Contains("left out: '"));
}

TEST_CASE_METHOD(Fixture, "hooks: only what one defines is called, and stop stops") {
  struct Counts {
    int begun = 0, steps = 0, ended = 0;
    void on_begin(const Run&) { ++begun; }
    persona::Flow on_step(const Step& step) {
      ++steps;
      return step.index == 4 ? persona::Flow::stop : persona::Flow::go_on;
    }
    void on_end(const Run&) { ++ended; }
  };
  Counts counts;
  int seen = 0;
  persona::fit(model, subjects[0], TokenInit{}, {.steps = 9}, counts, [&](const Step&) { ++seen; });
  CHECK(counts.begun == 1);
  CHECK(counts.steps == 4);
  CHECK(counts.ended == 1);
  CHECK(seen == 4);

  int told = 0;
  persona::fit(model, subjects[0], TokenInit{}, {.steps = 9}, [&](const Step& step) {
    ++told;
    return step.index == 2 ? persona::Flow::stop : persona::Flow::go_on;
  });
  CHECK(told == 2);
}

TEST_CASE_METHOD(Fixture, "a model that is handed over is kept by the run; one that is borrowed is not changed") {
  auto run = persona::personalize(tiny_model(), subjects[0], TokenInit{}, {.steps = 4, .batch = 2, .seed = 1});
  run.drain();
  auto borrowed = begin(4);
  borrowed.drain();
  CHECK(at::equal(rows(run), rows(borrowed)));
}
