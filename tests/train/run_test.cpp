#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/testing.hpp>

#include <range/v3/view/chunk.hpp>
#include <range/v3/view/drop.hpp>
#include <range/v3/view/filter.hpp>
#include <range/v3/view/stride.hpp>
#include <range/v3/view/take.hpp>
#include <range/v3/view/take_while.hpp>
#include <range/v3/view/transform.hpp>

#include <limits>
#include <ranges>
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
      if (step.index == 3) good = rows(run);
  };
  CHECK_THROWS_WITH(loop(), Catch::Contains("not finite at step 4") && Catch::Contains("until step 3 is kept"));
  CHECK(at::equal(rows(run), good));
  CHECK(run.completed() == 3);
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
}

TEST_CASE_METHOD(Fixture, "a model that is handed over is kept by the run; one that is borrowed is not changed") {
  auto run = persona::personalize(tiny_model(), subjects[0], TokenInit{}, {.steps = 4, .batch = 2, .seed = 1});
  run.drain();
  auto borrowed = begin(4);
  borrowed.drain();
  CHECK(at::equal(rows(run), rows(borrowed)));
}
