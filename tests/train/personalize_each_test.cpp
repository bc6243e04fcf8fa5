// Many subjects in one batch: each learns what its own run would, by every kind of row and whatever the others are.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/param/celeb_basis.hpp>
#include <persona/param/celeb_mapper.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/testing.hpp>
#include <persona/train/personalize_each.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace {

using persona::Tensor;
using persona::operator+;

const std::vector<std::string> names{"ada lovelace", "grace hopper", "mary hopper", "ada face", "dog cat"};

/// Three subjects of one token: other photos, and as many rows as is asked for.
std::vector<persona::Subject> subjects(std::vector<std::int64_t> vectors) {
  std::vector<persona::Subject> list;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    list.push_back(persona::testing::tiny_subjects(static_cast<std::int64_t>(i + 1), vectors[i]).back());
    list.back().token = "<one>";
  }
  return list;
}

/// A term that looks at the attention of the step.
struct Attends {
  using plays = persona::Plays<persona::Role::regularizer>;
  bool wants(const persona::AttentionLayer& layer) const { return layer.index == 1; }
  Tensor loss(const persona::StepView& view) const {
    Tensor sum;
    for (const auto& map : view.attention) {
      const auto term = map.probabilities.square().mean();
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }
  persona::Description describe() const { return {"Attends", {}}; }
};

void check_equal_to_separate(const auto& sum, const std::vector<persona::Subject>& all,
                             persona::TrainOptions options = {.steps = 8, .batch = 3, .seed = 5}) {
  const auto model = persona::testing::tiny_model();
  const auto together = persona::personalize_each(model, std::span(all), sum, options);
  REQUIRE(together.size() == all.size());
  together.drain();
  CHECK(together.completed() == options.steps);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto alone = persona::personalize(model, all[i], sum, options);
    alone.drain();
    const auto &a = alone.session().bound().leaves, &b = together[i].session().bound().leaves;
    REQUIRE(a.size() == b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      INFO("subject " << i << ", leaf " << a[k].name);
      CHECK(at::allclose(a[k].value, b[k].value, 1e-4, 1e-5));
    }
  }
}

}  // namespace

TEST_CASE("each of several subjects learns what its own run would") {
  check_equal_to_separate(persona::recipe(persona::TokenInit{}), subjects({1, 1, 1}));
  check_equal_to_separate(persona::CrossInit{names} + persona::L2Reg{1e-2}, subjects({2, 2}));
  check_equal_to_separate(persona::TokenInit{} + persona::SubspaceBasis{}, subjects({1, 1, 1}));
  check_equal_to_separate(persona::TokenInit{} + persona::L2Reg{1e-2}, subjects({1, 3, 2}));
  check_equal_to_separate(persona::TokenInit{} + persona::SubspaceBasis{.size = persona::automatic},
                          subjects({1, 2, 1}));
  check_equal_to_separate(
      persona::TokenInit{} + persona::CelebBasis{.names = names, .columns = persona::NameColumns::words},
      subjects({2, 1}));
  check_equal_to_separate(persona::recipe(persona::TokenInit{}), subjects({2, 1}),
                          {.steps = 5, .batch = 2, .accumulate = 3, .seed = 1});
}

TEST_CASE("by Celeb Basis too, each with a face of its own") {
  const persona::CelebBasis unit{.names = names, .columns = persona::NameColumns::words, .unit_norm = true};
  check_equal_to_separate(persona::TokenInit{} + unit, subjects({2, 1}));
}

TEST_CASE("with rows by layer and timestep, dropout, a bypass and attention maps too") {
  check_equal_to_separate(persona::TokenInit{} + persona::LayeredRows{}, subjects({1, 2}));
  check_equal_to_separate(persona::TokenInit{} + persona::NeTIMapper{.hidden = 8, .frequencies = 16}, subjects({1, 1}));
  check_equal_to_separate(persona::TokenInit{} + persona::NeTIMapper{.bypass = false, .hidden = 8, .frequencies = 16},
                          subjects({2, 1}));
  check_equal_to_separate(persona::TokenInit{} + Attends{}, subjects({1, 1}));
}

TEST_CASE("going on from mappers whose bypasses differ, or are none beside some, is each one's own run") {
  const auto model = persona::testing::tiny_model();
  auto all = persona::testing::tiny_subjects(3);
  const auto mapper = [](bool bypass, double scale) {
    return persona::NeTIMapper{.bypass = bypass, .bypass_scale = scale, .hidden = 8, .frequencies = 16};
  };
  persona::Learned learned;
  for (const auto& [i, of_it] : {std::pair{0, mapper(true, 0.2)}, {1, mapper(false, 0.2)}, {2, mapper(true, 0.5)}}) {
    const auto one = persona::fit(model, all[static_cast<std::size_t>(i)], persona::TokenInit{} + of_it, {.steps = 2});
    learned.rows.push_back(one.rows.front());
  }
  check_equal_to_separate(persona::TokenInit{} + persona::NeTIMapper{}.from(learned), all);
  std::swap(all[0], all[1]);
  check_equal_to_separate(persona::TokenInit{} + persona::NeTIMapper{}.from(learned), all);
}

TEST_CASE("the runs are apart: one may go on alone, and what each learned is its own") {
  const auto model = persona::testing::tiny_model();
  const auto all = subjects({1, 1});
  const auto together =
      persona::personalize_each(model, std::span(all), persona::recipe(persona::TokenInit{}), {.steps = 4, .batch = 2});
  CHECK(together.advance());
  CHECK(together.advance());
  const auto early = together.learned();
  REQUIRE(early.size() == 2);
  CHECK_FALSE(at::equal(early[0].rows[0].rows, early[1].rows[0].rows));
  together[1].drain();
  CHECK(together[1].completed() == 4);
  CHECK(together[0].completed() == 2);
  CHECK(at::equal(together.learned()[0].rows[0].rows, early[0].rows[0].rows));
  CHECK_THROWS_WITH(together.advance(), Catch::Contains("gone on alone"));
}

TEST_CASE("a bad step of one is said, again at every later call, and the others' step is whole") {
  struct Explodes {  // where a subject has two rows, at the third step
    using plays = persona::Plays<persona::Role::regularizer>;
    Tensor loss(const persona::StepView& view) const {
      const bool now = view.rows[0].size(0) == 2 && view.batch.step == 2;
      return view.rows[0].sum() * (now ? std::nan("") : 0.0);
    }
    persona::Description describe() const { return {"Explodes", {}}; }
  };
  const auto model = persona::testing::tiny_model();
  const auto all = subjects({1, 2, 1});
  const auto together =
      persona::personalize_each(model, std::span(all), persona::TokenInit{} + Explodes{}, {.steps = 5, .batch = 2});
  CHECK(together.advance());
  CHECK(together.advance());
  for (int call = 0; call < 2; ++call) CHECK_THROWS_WITH(together.advance(), Catch::Contains("not finite at step 3"));
  CHECK(together[0].completed() == 3);
  CHECK(together[2].completed() == 3);
  for (const auto& learned : together.learned()) CHECK(at::isfinite(learned.rows.front().rows).all().item<bool>());
}

TEST_CASE("a single component is a sum of one") {
  const auto model = persona::testing::tiny_model();
  const auto all = subjects({1, 2});
  const auto alone = persona::personalize_each(model, std::span(all), persona::TokenInit{}, {.steps = 2, .batch = 2});
  const auto sum =
      persona::personalize_each(model, std::span(all), persona::recipe(persona::TokenInit{}), {.steps = 2, .batch = 2});
  alone.drain(), sum.drain();
  for (std::size_t i = 0; i < 2; ++i) CHECK(at::equal(alone.learned()[i].rows[0].rows, sum.learned()[i].rows[0].rows));
}

TEST_CASE("faces are dealt out in the order of the subjects, and each run goes on from its own") {
  const auto model = persona::testing::tiny_model();
  const auto all = subjects({2, 2});
  const auto features = at::stack({at::arange(1, 6, at::kFloat), at::arange(6, 1, -1, at::kFloat)});
  const auto sum = [&](const Tensor& feature) {
    return persona::TokenInit{} +
           persona::CelebMapper{.names = names, .feature = feature, .columns = persona::NameColumns::words};
  };
  const persona::TrainOptions options{.steps = 4, .batch = 2, .seed = 1};
  const auto together = persona::personalize_each(model, std::span(all), sum(features), options);
  CHECK_FALSE(at::allclose(together.learned()[0].rows[0].rows, together.learned()[1].rows[0].rows, 1e-3, 1e-3));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto own = persona::personalize(model, all[i], sum(features[static_cast<std::int64_t>(i)]), options);
    CHECK(at::equal(together[i].learned().rows[0].rows, own.learned().rows[0].rows));
  }
  CHECK(together.advance());
  const persona::test::Folder folder;
  together[1].save(folder / "second");
  auto resumed = options;
  resumed.resume = folder / "second";
  CHECK(persona::personalize(model, all[1], sum(features[1]), resumed).completed() == 1);
  CHECK_THROWS_WITH(persona::personalize_each(model, std::span(all), sum(features[0]), options),
                    Catch::Contains("shape [5] for 2 subjects"));
  together.drain();
  for (std::size_t i = 0; i < 2; ++i) {
    const auto own = persona::fit(model, all[i], sum(features[static_cast<std::int64_t>(i)]), options);
    CHECK(at::allclose(together[i].learned().rows[0].rows, own.rows[0].rows, 1e-4, 1e-5));
  }
}

TEST_CASE("no subject, and a checkpoint, are refused") {
  const auto model = persona::testing::tiny_model();
  const std::vector<persona::Subject> none;
  CHECK_THROWS_WITH(persona::personalize_each(model, std::span(none), persona::recipe(persona::TokenInit{})),
                    Catch::Contains("no subject"));
  const auto one = subjects({1});
  CHECK_THROWS_WITH(
      persona::personalize_each(model, std::span(one), persona::recipe(persona::TokenInit{}), {.resume = "somewhere"}),
      Catch::Contains("checkpoint of one run"));
}
