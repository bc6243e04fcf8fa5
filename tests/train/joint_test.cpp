// Several subjects in one run: whose photos go with whose token, and what becomes of equal names.

#include "support/catch.hpp"

#include <persona/generate/generate.hpp>
#include <persona/init/token.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/testing.hpp>

#include <set>

namespace {
using persona::operator+;
using persona::testing::tiny_model;
using persona::testing::tiny_subjects;
}  // namespace

TEST_CASE("each sample of a joint run shows one subject and speaks of that one alone") {
  const auto model = tiny_model();
  const auto subjects = tiny_subjects(3);
  const auto run = persona::personalize(model, std::span(subjects), persona::recipe(persona::TokenInit{}),
                                        {.steps = 4, .batch = 6, .seed = 2});
  std::set<std::int64_t> seen;
  for (std::int64_t step = 0; step < 4; ++step) {
    run.session().resume_at(step);
    const auto batch = run.session().draw(0);
    for (std::size_t i = 0; i < batch.captions.size(); ++i) {
      const auto own = static_cast<std::size_t>(batch.subjects[i]);
      seen.insert(batch.subjects[i]);
      for (std::size_t k = 0; k < subjects.size(); ++k)
        CHECK((batch.captions[i].find(subjects[k].token) != std::string::npos) == (k == own));
    }
  }
  CHECK(seen.size() == 3);
}

TEST_CASE("subjects of a joint run may differ in vectors, and each has its own leaves") {
  const auto model = tiny_model();
  auto subjects = tiny_subjects(2);
  subjects[1].vectors = 3;
  for (int kind = 0; kind < 2; ++kind) {
    const persona::TrainOptions options{.steps = 3, .batch = 4};
    auto run =
        kind == 0
            ? persona::personalize(model, std::span(subjects), persona::TokenInit{} + persona::SubspaceBasis{}, options)
            : persona::personalize(model, std::span(subjects), persona::TokenInit{} + persona::LayeredRows{}, options);
    run.drain();
    const auto learned = run.learned();
    CHECK(learned.of("<one>").vectors() == 1);
    CHECK(learned.of("<two>").vectors() == 3);
  }
}

TEST_CASE("equal names are errors: in one run, in one model, and in a model that learns on") {
  const auto model = tiny_model();
  auto subjects = tiny_subjects(2);
  subjects[1].token = subjects[0].token;
  const auto sum = persona::recipe(persona::TokenInit{});
  CHECK_THROWS_WITH(persona::personalize(model, std::span(subjects), sum, {.steps = 1}),
                    Catch::Contains("'<one>'") && Catch::Contains("two"));
  const auto learned = persona::fit(model, subjects[0], sum, {.steps = 1});
  CHECK_THROWS_WITH(persona::personalized(persona::personalized(model, learned), learned), Catch::Contains("<one>"));
  auto other = learned;
  other.rows.front().token = "<other>";
  CHECK(persona::personalized(persona::personalized(model, learned), other).placeholders().size() == 2);
  CHECK_THROWS_WITH(persona::personalize(persona::personalized(model, learned), subjects[0], sum, {.steps = 1}),
                    Catch::Contains("learned '<one>' already") && Catch::Contains("another token"));
}
