// Thirteen sums, from Textual Inversion to a denoiser that is no UNet: each composes over archetypes alone, where
// nothing but the concepts is promised, and each binds on a model of a hundred lines.

#include "support/catch.hpp"

#include <persona/archetype.hpp>
#include <persona/data/cut_mix.hpp>
#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/loss/unmix.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/celeb_basis.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/recipe.hpp>
#include <persona/testing.hpp>
#include <persona/train/bind.hpp>
#include <persona/train/step.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using persona::AdamW;
using persona::CrossInit;
using persona::L2Reg;
using persona::Role;
using persona::Tensor;
using persona::TokenInit;
using persona::operator+;

/// A user's own term, in the user's own namespace.
}  // namespace
namespace mine {
struct KeepShort {
  using plays = persona::Plays<persona::Role::regularizer>;
  double weight = 1e-3;
  persona::Tensor loss(const persona::StepView& view) const { return weight * view.rows[0].square().sum(); }
  persona::Description describe() const { return {"KeepShort", {{"weight", weight}}}; }
};

/// A denoiser of the user's that is no UNet: a matrix over flattened pixels, with its own scheduler in the sum.
struct FlatDenoiser {
  persona::Tensor pixels, states;
  persona::Tensor predict(const persona::Tensor& x, const persona::Tensor&, const persona::Tensor& c) const {
    return (x.flatten(1).matmul(pixels) + c.mean(1).matmul(states)).view(x.sizes());
  }
};
struct PredictClean : persona::testing::TinyScheduler {
  using plays = persona::Plays<persona::Role::scheduler>;
  persona::Tensor target(const persona::Tensor& x0, const persona::Tensor&, const persona::Tensor&) const { return x0; }
  persona::Description describe() const { return {"PredictClean", {}}; }
};
}  // namespace mine
namespace {

const std::vector<std::string> names{"ada lovelace", "grace hopper", "mary hopper", "ada face", "dog cat"};

auto textual_inversion() { return persona::recipe(TokenInit{"person"}); }
auto cross_initialization() { return CrossInit{names} + L2Reg{1e-5} + AdamW{.lr = 5e-3}; }
auto batex() { return TokenInit{"cat"} + persona::SubspaceBasis{} + AdamW{.lr = 2e-3}; }
auto celeb_basis() {
  return TokenInit{"person"} + persona::CelebBasis{.names = names, .columns = persona::NameColumns::words};
}
auto neti() { return TokenInit{"cat"} + persona::NeTIMapper{.hidden = 8, .frequencies = 16} + AdamW{.lr = 1e-3}; }
auto xti() { return TokenInit{"cat"} + persona::LayeredRows{}; }
auto svdiff() { return persona::SpectralShift{} + persona::PriorPreservation{"a photo of a dog"}; }
auto svdiff_two_subjects() {
  return TokenInit{} + persona::SpectralShift{} + persona::CutMix{} + persona::Unmix{.largest = 1};
}
auto custom_diffusion() {
  return TokenInit{} + persona::CrossAttentionKV{} + persona::PriorPreservation{"a photo of a dog"};
}
auto lora() { return persona::recipe(persona::LowRank{.rank = 2, .weights = persona::subsets::matrices()}); }
auto shift_and_low_rank() {
  return persona::SpectralShift{.weights = persona::subsets::kernels()} + persona::LowRank{};
}
auto own_regularizer() { return CrossInit{names} + L2Reg{1e-5} + mine::KeepShort{}; }
auto own_denoiser() { return TokenInit{"dog"} + mine::PredictClean{}; }

template <class Model, class... C>
constexpr bool composes(persona::Recipe<C...> (*)()) {
  return persona::detail::explain_recipe_for<Model, C...>();
}

// Over archetypes: rows on the smallest model there is, layers and weights on the one that answers every refinement.
using Smallest = persona::archetype::DiffusionModel;
using Full = persona::archetype::FullDiffusionModel;
static_assert(persona::DiffusionModel<Smallest> && persona::LatentDiffusionModel<Full>);

persona::Subject subject(std::string token = "<ada>", std::int64_t vectors = 1, std::string word = "person") {
  return {.token = std::move(token),
          .class_word = std::move(word),
          .photos = {},
          .captions = {},
          .vectors = vectors,
          .phrase = {}};
}

template <class Model>
persona::BindContext context_for(const Model&, const std::vector<persona::Subject>& subjects) {
  return {.subjects = subjects,
          .subject = 0,
          .random = persona::Random(3),
          .cache = {},
          .sample = [](const std::string&, std::int64_t n, const persona::SampleOptions&) {
            return at::zeros({n, 3, 4, 4});
          }};
}

persona::Batch batch_for(const std::vector<persona::Subject>& subjects) {
  persona::Batch batch;
  auto generator = persona::Random(5).at(persona::Stream::data);
  batch.latents = at::randn({2, 3, 4, 4}, generator);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto of = static_cast<std::size_t>(i) % subjects.size();
    batch.subjects.push_back(static_cast<std::int64_t>(of));
    batch.captions.push_back("a photo of " + subjects[of].token);
  }
  return batch;
}

/// A bound sum and the model that it hangs on, which must outlive it.
struct Checked {
  std::shared_ptr<const void> model;
  persona::Bound bound;
  const persona::Bound* operator->() const { return &bound; }
};

/// Binds, runs one differentiable step, and checks that every leaf has a gradient.
template <class Model, class R>
Checked check_sum(const Model& original, const R& sum, const std::vector<persona::Subject>& subjects) {
  const auto model = std::make_shared<Model>(original);
  Checked checked{model, persona::bind(*model, sum, context_for(*model, subjects))};
  const persona::Bound& bound = checked.bound;
  REQUIRE(!bound.leaves.empty());
  auto batch = batch_for(subjects);
  persona::finish_batch(batch, model->tokenizer(), bound, persona::Random(5), at::kCPU);
  const auto result = persona::step(*model, batch, bound);
  REQUIRE(result.loss.dim() == 0);
  REQUIRE(std::isfinite(result.loss.template item<double>()));
  result.loss.backward();
  for (const auto& leaf : bound.leaves) {
    INFO(leaf.name);
    CHECK(leaf.value.grad().defined());
  }
  return checked;
}

}  // namespace

TEST_CASE("the thirteen sums compose over archetypes") {
  STATIC_REQUIRE(composes<Smallest>(textual_inversion));
  STATIC_REQUIRE(composes<Smallest>(cross_initialization));
  STATIC_REQUIRE(composes<Smallest>(batex));
  STATIC_REQUIRE(composes<Smallest>(celeb_basis));
  STATIC_REQUIRE(composes<Full>(neti));
  STATIC_REQUIRE(composes<Full>(xti));
  STATIC_REQUIRE(composes<Full>(svdiff));
  STATIC_REQUIRE(composes<Full>(svdiff_two_subjects));
  STATIC_REQUIRE(composes<Full>(custom_diffusion));
  STATIC_REQUIRE(composes<Full>(lora));
  STATIC_REQUIRE(composes<Full>(shift_and_low_rank));
  STATIC_REQUIRE(composes<Smallest>(own_regularizer));
  STATIC_REQUIRE(composes<Smallest>(own_denoiser));
}

TEST_CASE("rows: Textual Inversion, Cross Initialization, BaTex, Celeb Basis") {
  const auto tiny = persona::testing::tiny_model();
  const std::vector one{subject()}, two_rows{subject("<ada>", 2)};
  CHECK(check_sum(tiny, textual_inversion(), one)->leaves.size() == 1);
  const auto cross = check_sum(tiny, cross_initialization(), two_rows);
  CHECK(cross->leaves[0].value.sizes() == at::IntArrayRef({2, 6}));
  CHECK(cross->default_steps == 320);
  CHECK(check_sum(tiny, batex(), one)->leaves[0].value.sizes() == at::IntArrayRef({1, 4}));
  CHECK(check_sum(tiny, celeb_basis(), two_rows)->leaves[0].value.sizes() == at::IntArrayRef({2, 3}));
}

TEST_CASE("layered rows: NeTI by timestep and layer with its bypass, XTI by layer") {
  const auto tiny = persona::testing::tiny_model();
  const std::vector one{subject()};
  const auto mapper = check_sum(tiny, neti(), one);
  CHECK(mapper->layered());
  const auto query = [&](std::int64_t layer) {
    return mapper->rows[0].at({.t = at::tensor({3, 60}, at::kLong), .layer = layer, .num_layers = 2});
  };
  CHECK(query(0).rows.sizes() == at::IntArrayRef({2, 1, 6}));
  CHECK(query(0).bypass.defined());
  CHECK(!at::equal(query(0).rows, query(1).rows));
  CHECK(check_sum(tiny, xti(), one)->leaves[0].value.sizes() == at::IntArrayRef({2, 1, 6}));
}

TEST_CASE("weights: SVDiff, Custom Diffusion, LoRA, and two of them in one sum") {
  const auto tiny = persona::testing::tiny_model();
  const std::vector one{subject()}, two{subject("<ada>"), subject("<rex>", 1, "dog")};
  const auto shifts = check_sum(tiny, svdiff(), one);
  CHECK(shifts->rows.empty());  // SpectralShift alone trains no token
  CHECK(shifts->weights.size() == 9);
  CHECK(check_sum(tiny, svdiff_two_subjects(), persona::testing::tiny_subjects(2))->rows.size() == 2);
  CHECK(check_sum(tiny, custom_diffusion(), two)->weights.size() == 4);
  const auto low_rank = check_sum(tiny, lora(), one);
  CHECK(low_rank->weights.front().name == "text_encoder.mix.weight");
  CHECK(low_rank->weights.back().name == "unet.attn2.1.to_v.weight");
  CHECK(check_sum(tiny, shift_and_low_rank(), one)->weights.size() == 2 + 6);
}

TEST_CASE("what is the user's own: a regularizer, a denoiser that is no UNet, a scheduler in the sum") {
  const auto tiny = persona::testing::tiny_model();
  const std::vector one{subject("<ada>", 2)};
  CHECK(check_sum(tiny, own_regularizer(), one)->regularizers.size() == 2);
  auto generator = persona::Random(9).at(persona::Stream::initialization);
  const persona::ModelParts flat{tiny.tokenizer(),
                                 tiny.text_encoder(),
                                 mine::FlatDenoiser{at::randn({48, 48}, generator) / 7, at::randn({6, 48}, generator)},
                                 tiny.scheduler(),
                                 {3, 4, 4}};
  STATIC_REQUIRE(persona::DiffusionModel<decltype(flat)>);
  STATIC_REQUIRE(!persona::HasDenoiserWeights<decltype(flat)>);
  check_sum(flat, own_denoiser(), {subject()});
}

TEST_CASE("at bind, changed weights predict what the base predicts") {
  auto tiny = persona::testing::tiny_model();
  const std::vector one{subject()};
  const auto x = at::ones({1, 3, 4, 4}), t = at::tensor({7}, at::kLong);
  const persona::Conditioning conditioning{.states = at::ones({1, 5, 6}), .layers = {}, .pooled = {}};
  const auto before = tiny.denoiser().predict(x, t, conditioning);
  const auto context = context_for(tiny, one);
  {
    const auto bound = persona::bind(tiny, shift_and_low_rank(), context);
    CHECK(at::allclose(tiny.denoiser().predict(x, t, conditioning), before, 1e-5, 1e-6));
    CHECK(tiny.denoiser().conv_in.adapted());
  }
  CHECK(!tiny.denoiser().conv_in.adapted());  // off again with the run
  CHECK(at::equal(tiny.denoiser().predict(x, t, conditioning), before));
}

TEST_CASE("a part that selects no weight is named, though another selects some") {
  auto tiny = persona::testing::tiny_model();
  const std::vector one{subject()};
  CHECK_THROWS_WITH(
      persona::bind(tiny, persona::SpectralShift{} + persona::LowRank{.weights = persona::subsets::named("typo")},
                    context_for(tiny, one)),
      Catch::Contains("selected by LowRank{") && Catch::Contains("named typo"));
  CHECK(!tiny.denoiser().conv_in.adapted());
}

TEST_CASE("defaults of several weight parameterizations are the lowest rate and the most steps, in any order") {
  auto tiny = persona::testing::tiny_model();
  const std::vector one{subject()};
  const auto defaults = [&](const auto& sum) {
    const auto bound = persona::bind(tiny, sum, context_for(tiny, one));
    return std::pair(bound.default_learning_rate, bound.default_steps);
  };
  const persona::LowRank low_rank{.weights = persona::subsets::named("attn2")};
  CHECK(defaults(persona::SpectralShift{} + low_rank) == std::pair(1e-4, std::int64_t{500}));
  CHECK(defaults(low_rank + persona::SpectralShift{}) == std::pair(1e-4, std::int64_t{500}));
  CHECK(defaults(persona::recipe(persona::SpectralShift{})).first == 1e-3);
}

TEST_CASE("two replacements of one weight are refused with both the weight's name and the reason") {
  auto tiny = persona::testing::tiny_model();
  const std::vector one{subject()};
  const auto context = context_for(tiny, one);
  CHECK_THROWS_WITH(
      persona::bind(tiny, persona::SpectralShift{} + persona::CrossAttentionKV{}, context),
      Catch::Contains("unet.attn2.0.to_k.weight") && Catch::Contains("two components replace this weight"));
  CHECK(!tiny.denoiser().conv_in.adapted());
}

TEST_CASE("the algebra: sums are flat, keep their order, and describe themselves") {
  const auto left = (TokenInit{"cat"} + L2Reg{}) + (AdamW{} + mine::KeepShort{});
  STATIC_REQUIRE(std::is_same_v<decltype(left), const persona::Recipe<TokenInit, L2Reg, AdamW, mine::KeepShort>>);
  STATIC_REQUIRE(std::is_same_v<decltype(persona::recipe(TokenInit{}, L2Reg{}, AdamW{}, mine::KeepShort{})),
                                persona::Recipe<TokenInit, L2Reg, AdamW, mine::KeepShort>>);
  const auto described = left.describe();
  REQUIRE(described.size() == 4);
  CHECK(persona::to_string(described[0]) == "TokenInit{word = cat}");
  CHECK(persona::to_string(described[3]) == "KeepShort{weight = 0.001}");
}

TEST_CASE("operator+ stays out of arithmetic on library types") {
  std::vector<persona::Leaf> leaves(5);
  CHECK((leaves.begin() + 3) - leaves.begin() == 3);
}
