// BindContext::gradients: what a component may learn of the data before anything is trained.

#include "support/catch.hpp"

#include <persona/init/token.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/testing.hpp>

#include <memory>

namespace {

using persona::operator+;
using persona::Tensor;

/// Free rows that looked at the first gradients.
struct LooksFirst {
  using plays = persona::Plays<persona::Role::row_parameterization>;
  std::shared_ptr<std::vector<Tensor>> seen = std::make_shared<std::vector<Tensor>>();
  template <class Model>
  persona::FreeRows::State bind(const Tensor& rows, const Model& model, const persona::BindContext& context) const {
    seen->push_back(context.gradients(rows, 3, "LooksFirst"));
    return persona::FreeRows{}.bind(rows, model, context);
  }
  double default_learning_rate() const { return persona::FreeRows{}.default_learning_rate(); }
  persona::Description describe() const { return {"LooksFirst", {}}; }
};

/// v -= g.
struct PlainDescent {
  using plays = persona::Plays<persona::Role::optimizer>;
  struct State {
    std::vector<persona::Leaf> leaves;
    void step(const persona::OptimizerStep&) {
      const at::NoGradGuard no_grad;
      for (auto& leaf : leaves) Tensor(leaf.value).sub_(leaf.value.grad());
    }
    std::vector<persona::NamedTensor> state() const { return {}; }
  };
  State bind(std::vector<persona::Leaf> leaves, double) const { return {std::move(leaves)}; }
  persona::Description describe() const { return {"PlainDescent", {}}; }
};

}  // namespace

TEST_CASE("the first gradient is that of the run's first step, subject by subject") {
  const auto model = persona::testing::tiny_model();
  const auto subjects = persona::testing::tiny_subjects(2, 2);
  const persona::TrainOptions options{.steps = 1, .batch = 2, .seed = 5};
  const LooksFirst looks;
  static_cast<void>(persona::personalize(model, std::span(subjects), persona::TokenInit{} + looks, options));
  REQUIRE(looks.seen->size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& gradients = looks.seen->at(i);
    REQUIRE(gradients.sizes() == at::IntArrayRef({3, 2, 6}));
    CHECK_FALSE(at::equal(gradients[0], gradients[1]));
    auto run = persona::personalize(model, subjects[i], persona::TokenInit{} + PlainDescent{}, options);
    const auto before = run.learned().rows.front().rows;
    run.drain();
    CHECK(at::allclose(before - run.learned().rows.front().rows, gradients[0], 1e-4, 1e-6));
  }
}

TEST_CASE("having looked changes nothing of the run") {
  const auto model = persona::testing::tiny_model();
  const auto subject = persona::testing::tiny_subjects().front();
  const persona::TrainOptions options{.steps = 3, .batch = 2, .seed = 5};
  const auto plain = persona::fit(model, subject, persona::recipe(persona::TokenInit{}), options),
             looked = persona::fit(model, subject, persona::TokenInit{} + LooksFirst{}, options);
  CHECK(at::equal(plain.rows.front().rows, looked.rows.front().rows));
}

TEST_CASE("where there is no data, there are no gradients") {
  const auto model = persona::testing::tiny_model();
  const auto subjects = persona::testing::tiny_subjects();
  CHECK_THROWS_WITH(LooksFirst{}.bind(at::ones({1, 6}), model, {.subjects = subjects}),
                    Catch::Contains("LooksFirst: looks at the gradients") && Catch::Contains("personalize()"));
}
