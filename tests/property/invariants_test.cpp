// The invariant matrix: every parameterization, on the tiny model.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/data/cut_mix.hpp>
#include <persona/data/random_scale.hpp>
#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/loss/min_snr.hpp>
#include <persona/loss/unmix.hpp>
#include <persona/param/celeb_basis.hpp>
#include <persona/param/celeb_mapper.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/testing.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using persona::operator+;
using persona::testing::check_invariants;
using persona::testing::RowsBegin;
using persona::testing::tiny_subjects;

const std::vector<std::string> names{"ada lovelace", "grace hopper", "mary hopper", "ada face", "dog cat"};

struct DrawsNoSamples {  // the tiny model has no sampler: prior preservation without one
  using plays = persona::Plays<persona::Role::contribution>;
  void contribute(persona::Batch& batch, at::Generator& generator) {
    const auto n = batch.size();
    batch.latents = at::cat({batch.latents, at::randn(batch.latents.sizes(), generator)});
    batch.captions.insert(batch.captions.end(), static_cast<std::size_t>(n), "a photo of a dog");
    batch.subjects.insert(batch.subjects.end(), static_cast<std::size_t>(n), -1);
    batch.weights = at::ones({2 * n});
  }
  persona::Description describe() const { return {"DrawsNoSamples", {}}; }
};

/// Layered rows that begin at a multiple of the start, and of which a file keeps a share.
struct Longer {
  using plays = persona::Plays<persona::Role::row_parameterization>;
  double factor = 1, kept = 1;
  struct State {
    persona::Leaf leaf{};
    double kept = 1;
    std::vector<persona::Leaf> leaves() const { return {leaf}; }
    persona::RowSet rows(const persona::RowQuery&) const { return leaf.value; }
    State snapshot() const { return {persona::frozen(leaf), kept}; }
    static constexpr const char* form = "longer";
    persona::StoredRows stored() const { return {form, 2, {{"rows", leaf.value.detach().cpu() * kept}}}; }
    static State from(const persona::StoredRows& stored) {
      return {persona::Leaf{.name = "rows", .value = stored.tensors.at("rows")}};
    }
  };
  State bind(const persona::Tensor& rows, const persona::testing::TinyModel&, const persona::BindContext&) const {
    return {persona::make_leaf("rows", rows * factor), kept};
  }
  persona::Description describe() const { return {"Longer", {{"factor", factor}, {"kept", kept}}}; }
};

/// Changes of weights of which a file keeps a share.
struct Gain final : persona::Replacement {
  static constexpr std::string_view form = "gain";
  persona::Leaf gain{};
  double kept = 1;
  std::vector<persona::Leaf> leaves() const override { return {gain}; }
  std::shared_ptr<const persona::Adapter> snapshot() const override {
    auto copy = std::make_shared<Gain>(*this);
    copy->gain = persona::frozen(gain);
    return copy;
  }
  persona::Tensor value(const persona::Tensor& base) const override { return (1 + gain.value) * base; }
  persona::StoredChange stored() const override {
    return {std::string(form), {{"gain", persona::stored_values(gain) * kept}}};
  }
  static std::shared_ptr<const Gain> from(const persona::StoredChange& stored, const persona::WeightRef& ref,
                                          const std::filesystem::path&) {
    auto read = std::make_shared<Gain>();
    read->gain = persona::stored_leaf(stored, "gain", ref, {});
    return read;
  }
};
struct Gains {
  using plays = persona::Plays<persona::Role::weight_parameterization>;
  double kept = 1;
  bool selects(const persona::WeightRef& ref) const { return ref.kind == persona::WeightKind::linear; }
  std::shared_ptr<Gain> bind(const persona::WeightRef& ref, const persona::BindContext&) const {
    auto adapter = std::make_shared<Gain>();
    adapter->gain = persona::make_leaf("gain", at::zeros({}, ref.base.options())), adapter->kept = kept;
    return adapter;
  }
  persona::Description describe() const { return {"Gains", {{"kept", kept}}}; }
};

}  // namespace

TEST_CASE("invariants of rows") {
  const persona::test::Folder folder;
  check_invariants(persona::recipe(persona::TokenInit{}), tiny_subjects(), folder / "ti");
  check_invariants(persona::TokenInit{} + persona::L2Reg{1e-3}, tiny_subjects(1, 3), folder / "ti3");
  check_invariants(persona::CrossInit{names} + persona::L2Reg{1e-3}, tiny_subjects(1, 2), folder / "ci");
  check_invariants(persona::CrossInit{names} + persona::L2Reg{1e-3, persona::L2Form::mean_of_norms},
                   tiny_subjects(2, 2), folder / "ci2");
  check_invariants(persona::TokenInit{} + persona::SubspaceBasis{}, tiny_subjects(), folder / "batex");
  check_invariants(persona::CrossInit{names} + persona::SubspaceBasis{.size = 3, .decay_toward_start = true},
                   tiny_subjects(2, 2), folder / "ci_batex", RowsBegin::elsewhere);
  check_invariants(persona::TokenInit{} + persona::SubspaceBasis{.size = persona::automatic}, tiny_subjects(2),
                   folder / "batex_automatic");
  check_invariants(persona::TokenInit{} + persona::SubspaceBasis{.size = 3, .start = persona::BasisStart::first},
                   tiny_subjects(1, 2), folder / "batex_as_published", RowsBegin::elsewhere);
  const persona::CelebBasis celeb{.names = names, .columns = persona::NameColumns::words};
  check_invariants(persona::TokenInit{} + celeb, tiny_subjects(2), folder / "celeb", RowsBegin::elsewhere);
  auto unit = celeb;
  unit.unit_norm = true;
  check_invariants(persona::TokenInit{} + unit, tiny_subjects(2, 2), folder / "celeb_unit", RowsBegin::elsewhere);
  check_invariants(persona::CrossInit{names} + celeb, tiny_subjects(1, 2), folder / "ci_celeb", RowsBegin::elsewhere);
  check_invariants(persona::CrossInit{.names = names, .use_encoder = false} + celeb, tiny_subjects(1, 2),
                   folder / "celeb_mean");
  const auto features = at::stack({at::arange(1, 6, at::kFloat), at::arange(6, 1, -1, at::kFloat)});
  check_invariants(
      persona::TokenInit{} +
          persona::CelebMapper{.names = names, .feature = features, .columns = persona::NameColumns::words},
      tiny_subjects(2, 2), folder / "celeb_mapper", RowsBegin::elsewhere);
}

TEST_CASE("invariants of layered rows") {
  const persona::test::Folder folder;
  check_invariants(persona::TokenInit{} + persona::LayeredRows{}, tiny_subjects(), folder / "xti");
  check_invariants(persona::CrossInit{names} + persona::LayeredRows{}, tiny_subjects(2, 2), folder / "ci_xti");
  check_invariants(persona::TokenInit{} + persona::NeTIMapper{.hidden = 8, .frequencies = 16}, tiny_subjects(),
                   folder / "neti", RowsBegin::elsewhere);
  check_invariants(persona::TokenInit{} + persona::NeTIMapper{.bypass = false, .hidden = 8, .frequencies = 16},
                   tiny_subjects(2), folder / "neti2", RowsBegin::elsewhere);
  check_invariants(
      persona::TokenInit{} +
          persona::NeTIMapper{.norm = persona::NeTINorm::both, .truncate = 3, .hidden = 8, .frequencies = 16},
      tiny_subjects(2, 2), folder / "neti_as_published", RowsBegin::elsewhere);
}

TEST_CASE("invariants of weights") {
  using namespace persona;
  const test::Folder folder;
  const auto one = tiny_subjects(), two = tiny_subjects(2);
  const auto both = subsets::unet() || subsets::text_encoder();
  check_invariants(recipe(SpectralShift{}), one, folder / "svdiff");
  check_invariants(recipe(SpectralShift{.weights = both, .residual = true, .plan = SpectralPlan::materialized}), one,
                   folder / "svdiff_both");
  check_invariants(recipe(SpectralShift{.vectors = VectorForm::scale, .plan = SpectralPlan::factored}), one,
                   folder / "svdiff_ported");
  check_invariants(SpectralShift{} + DrawsNoSamples{} + MinSNR{}, one, folder / "prior");
  check_invariants(TokenInit{} + SpectralShift{.weights = subsets::cross_attention()} + CutMix{} + Unmix{.largest = 1},
                   two, folder / "unmix");
  check_invariants(SpectralShift{} + CutMix{.probability = 1}, two, folder / "mix");
  check_invariants(TokenInit{} + CrossAttentionKV{}, two, folder / "custom");
  check_invariants(TokenInit{} + CrossAttentionKV{} + RandomFlip{} + RandomScale{}, one, folder / "custom_scaled");
  check_invariants(TokenInit{} + CrossAttentionKV{} + CutMix{} + RandomScale{.pool = 4}, two, folder / "custom_mixed");
  check_invariants(recipe(FullWeights{}), one, folder / "dreambooth");
  check_invariants(recipe(FullWeights{subsets::host("unet") || (subsets::host("text_encoder") && subsets::matrices())}),
                   one, folder / "dreambooth_both");
  for (const auto init : {LowRankInit::gaussian, LowRankInit::uniform, LowRankInit::pissa})
    check_invariants(recipe(LowRank{.rank = 2, .init = init}), one, folder / ("lora" + std::to_string(int(init))));
  check_invariants(recipe(LowRank{.rank = 2, .weights = subsets::kernels()}), one, folder / "lora_kernels");
  check_invariants(recipe(DoRA{{.rank = 2}}), one, folder / "dora");
  check_invariants(SpectralShift{.weights = subsets::kernels()} + LowRank{}, one, folder / "mixed");
  check_invariants(SpectralShift{} + LowRank{.weights = both && subsets::matrices()}, one, folder / "on_one_weight");
}

TEST_CASE("rows that begin elsewhere, and rows that do not come back from their file, are named") {
  const persona::test::Folder folder;
  const auto check = [&](const Longer& rows, const char* name, RowsBegin begin = RowsBegin::at_start) {
    check_invariants(persona::TokenInit{} + rows, tiny_subjects(), folder / name, begin);
  };
  CHECK_NOTHROW(check({}, "whole"));
  CHECK_THROWS_WITH(check({.factor = 2}, "longer"),
                    Catch::Contains("not the initializer's before the first step") && Catch::Contains("elsewhere"));
  CHECK_NOTHROW(check({.factor = 2}, "said", RowsBegin::elsewhere));
  CHECK_THROWS_WITH(check({.kept = 0.5}, "half"), Catch::Contains("others after Learned::save and Learned::load"));
}

TEST_CASE("a change of weights that does not come back from its file is named") {
  const persona::test::Folder folder;
  CHECK_NOTHROW(check_invariants(persona::recipe(Gains{}), tiny_subjects(), folder / "whole"));
  CHECK_THROWS_WITH(check_invariants(persona::recipe(Gains{0.5}), tiny_subjects(), folder / "half"),
                    Catch::Contains("the change of '") && Catch::Contains("is another after Learned::save"));
}

TEST_CASE("a leaf that no gradient reaches is named, though weight decay moves it") {
  struct Halved {
    using plays = persona::Plays<persona::Role::row_parameterization>;
    struct State {
      persona::Leaf rows_leaf{}, idle{};
      std::vector<persona::Leaf> leaves() const { return {rows_leaf, idle}; }
      persona::Tensor rows() const { return rows_leaf.value + 0 * idle.value; }
    };
    State bind(const persona::Tensor& rows, const persona::testing::TinyModel&, const persona::BindContext&) const {
      return {persona::make_leaf("rows", rows), persona::make_leaf("idle", at::ones({1}))};
    }
    persona::Description describe() const { return {"Halved", {}}; }
  };
  const persona::test::Folder folder;
  CHECK_THROWS_WITH(check_invariants(persona::TokenInit{} + Halved{}, tiny_subjects(), folder / "idle"),
                    Catch::Contains("idle' had no gradient in 6 steps"));
}

TEST_CASE("a component that breaks an invariant is named") {
  struct WritesIntoTheTable {
    using plays = persona::Plays<persona::Role::regularizer>;
    persona::Tensor table;
    persona::Tensor loss(const persona::StepView& view) const {
      const at::NoGradGuard no_grad;
      persona::Tensor(table).add_(1);
      return 0.0 * view.prediction.sum();
    }
    persona::Description describe() const { return {"WritesIntoTheTable", {}}; }
  };
  const auto model = persona::testing::tiny_model();
  const auto subjects = tiny_subjects();
  auto run = persona::personalize(model, subjects.front(),
                                  persona::TokenInit{} + WritesIntoTheTable{model.text_encoder().embedding_table()},
                                  {.steps = 2});
  CHECK_THROWS_WITH(run.drain(), Catch::Contains("something wrote into a base tensor"));
}
