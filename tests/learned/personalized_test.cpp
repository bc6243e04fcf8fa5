#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/persona.hpp>
#include <persona/testing.hpp>

#include <memory>
#include <string>
#include <vector>

namespace {

using persona::Tensor;
using persona::operator+;

/// A denoiser whose one weight is lent as a plain tensor.
struct PlainDenoiser {
  Tensor base{}, words{}, now{};
  Tensor predict(const Tensor& x, const Tensor&, const Tensor& states) const {
    return (x.flatten(1).matmul(now) + states.mean(1).matmul(words)).view(x.sizes());
  }
  std::vector<persona::WeightRef> weights() {
    persona::WeightRef ref;
    ref.name = "pixels", ref.kind = persona::WeightKind::linear, ref.base = base, ref.slot = &now;
    return {ref};
  }
};

/// Adds a trained number to a weight.
struct Shift {
  using plays = persona::Plays<persona::Role::weight_parameterization>;
  std::string name;
  double start = 0.01;

  struct Adapter : persona::Delta {
    persona::Leaf shift{};
    std::vector<persona::Leaf> leaves() const override { return {shift}; }
    std::shared_ptr<const persona::Adapter> snapshot() const override {
      auto copy = std::make_shared<Adapter>(*this);
      copy->shift = persona::frozen(shift);
      return copy;
    }
    Tensor value(const Tensor& base) const override { return shift.value.expand_as(base); }
  };
  bool selects(const persona::WeightRef& ref) const { return ref.host == "unet"; }
  std::shared_ptr<Adapter> bind(const persona::WeightRef&, const persona::BindContext&) const {
    auto adapter = std::make_shared<Adapter>();
    adapter->shift = persona::make_leaf(name, at::full({}, start));
    return adapter;
  }
  persona::Description describe() const { return {"Shift", {{"name", name}, {"start", start}}}; }
};

auto plain_model() {
  const auto tiny = persona::testing::tiny_model();
  const auto g = persona::Random(1).at(persona::Stream::initialization);
  PlainDenoiser denoiser{.base = at::randn({48, 48}, g) * 0.1, .words = at::randn({6, 48}, g)};
  denoiser.now = denoiser.base;
  return persona::ModelParts(tiny.tokenizer(), tiny.text_encoder(), denoiser, tiny.scheduler(), tiny.latent_shape(),
                             tiny.autoencoder());
}

persona::Learned learned(const auto& model, const auto& sum) {
  return persona::personalize(model, persona::testing::tiny_subjects().front(), sum, {.steps = 1}).learned();
}

double shift_of(const auto& model) {
  return (model.denoiser().now - model.denoiser().base).mean().template item<double>();
}

}  // namespace

TEST_CASE("several changes of one weight add up, in one learned thing and over several") {
  const auto model = plain_model();
  const auto two = learned(model, Shift{"a", 0.01} + Shift{"b", 0.02});
  REQUIRE(two.weights.size() == 2);
  const auto with = persona::personalized(model, two);
  CHECK(shift_of(with) == Approx(0.03).epsilon(1e-3));
  CHECK(shift_of(with.with(learned(model, persona::recipe(Shift{"c", 0.04})))) == Approx(0.07).epsilon(1e-3));
  CHECK(shift_of(with) == Approx(0.03).epsilon(1e-3));
  CHECK(shift_of(model) == 0);
}

TEST_CASE("a personalized model may be assigned to: the old changes leave with the old model") {
  const auto model = persona::testing::tiny_model();
  const auto change = learned(model, persona::recipe(Shift{"a", 0.01}));
  auto with = persona::personalized(model, change);
  with = persona::personalized(model, learned(model, persona::recipe(Shift{"b", 0.02})));
  auto copy = with;
  with = persona::personalized(model, change);
  const auto x = at::ones({1, 3, 4, 4}), t = at::tensor({7}, at::kLong);
  const persona::Conditioning conditioning{.states = at::ones({1, 5, 6}), .layers = {}, .pooled = {}};
  const auto predicted = [&](const auto& m) { return persona::predict(m.denoiser(), x, t, conditioning); };
  CHECK(at::equal(predicted(with), predicted(persona::personalized(model, change))));
  CHECK(!at::equal(predicted(copy), predicted(with)));
}

TEST_CASE("a run on changed weights is not resumed on others") {
  const auto model = persona::testing::tiny_model();
  const auto subject = persona::testing::tiny_subjects().front();
  const persona::test::Folder folder;
  const auto begin = [&](double shift, const persona::TrainOptions& options) {
    const auto base = persona::personalized(model, learned(model, persona::recipe(Shift{"a", shift})));
    auto run = persona::personalize(base, subject, persona::TokenInit{}, options);
    run.drain();
    return run.completed();
  };
  const auto base = persona::personalized(model, learned(model, persona::recipe(Shift{"a", 0.01})));
  persona::personalize(base, subject, persona::TokenInit{}, {.steps = 2}).drain().save(folder / "run");
  CHECK(begin(0.01, {.steps = 4, .resume = folder / "run"}) == 4);
  CHECK_THROWS_WITH(begin(0.02, {.steps = 4, .resume = folder / "run"}), Catch::Contains("the base model differs"));
}

TEST_CASE("rows by layer answer on the model's device") {
  const auto tiny = persona::testing::tiny_model();
  auto encoder = tiny.text_encoder();
  encoder.table.base = encoder.table.base.to(at::kMeta);  // any device that is not the rows'
  const persona::ModelParts model(tiny.tokenizer(), encoder, tiny.denoiser(), tiny.scheduler(), tiny.latent_shape());
  persona::Learned learned{.rows = {{.token = "<ada>", .rows = at::zeros({2, 6})}}};
  learned.rows[0].layered = [](const persona::RowQuery&) -> persona::RowSet {
    return {at::ones({1, 2, 6}), at::ones({1, 2, 6}), 0.2};
  };
  const auto set = persona::personalized(model, learned).learned_rows().at(0).layered({});
  CHECK(set.rows.is_meta());
  CHECK(set.bypass.is_meta());
  CHECK(set.bypass_scale == 0.2);
}

TEST_CASE("rows by layer fit the model's layers, vectors and width, or are refused") {
  const auto model = persona::testing::tiny_model();
  const auto put = [](const auto& into, std::int64_t layers, at::IntArrayRef shape) {
    persona::Learned learned{.rows = {{.token = "<ada>", .rows = at::zeros({2, 6})}}};
    learned.rows[0].stored.layers = layers;
    learned.rows[0].layered = [rows = at::zeros(shape)](const persona::RowQuery&) -> persona::RowSet { return rows; };
    return persona::personalized(into, learned).learned_rows().size();
  };
  CHECK(put(model, 2, {2, 6}) == 1);
  CHECK(put(model, 0, {1, 2, 6}) == 1);  // of a state that does not say how many
  CHECK_THROWS_WITH(put(model, 16, {2, 6}), Catch::Contains("16 cross-attention layers") && Catch::Contains("has 2"));
  CHECK_THROWS_WITH(put(model, 2, {3, 6}), Catch::Contains("vectors = 2") && Catch::Contains("got [3, 6]"));
  CHECK_THROWS_WITH(put(model, 2, {1, 2, 5}), Catch::Contains("D = 6") && Catch::Contains("'<ada>'"));
  CHECK_THROWS_WITH(put(plain_model(), 0, {2, 6}), Catch::Contains("reads one set for all"));
}

TEST_CASE("weights are not dropped on the way into an embedding file") {
  const auto model = persona::testing::tiny_model();
  const auto both = learned(model, persona::TokenInit{} + Shift{"a", 0.01});
  CHECK_THROWS_WITH(persona::export_to(both, "nowhere", persona::Format::diffusers),
                    Catch::Contains("weights were learned beside the tokens"));
}
