// Changes of weights through a file: every form is what it was, another base model's are refused.

#include "support/catch.hpp"
#include "support/changed.hpp"
#include "support/folder.hpp"

#include <persona/core/placement.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/testing.hpp>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace persona;
using persona::test::learned_by;
using persona::test::predicted;
using persona::testing::tiny_model;
using persona::testing::tiny_subjects;

/// A user's own change of a weight, and how a file holds it.
struct Gain final : Replacement {
  static constexpr std::string_view form = "gain";
  Leaf gain{};
  std::vector<Leaf> leaves() const override { return {gain}; }
  std::shared_ptr<const Adapter> snapshot() const override {
    auto copy = std::make_shared<Gain>(*this);
    copy->gain = frozen(gain);
    return copy;
  }
  StoredChange stored() const override { return {std::string(form), {{"gain", stored_values(gain)}}}; }
  static std::shared_ptr<const Gain> from(const StoredChange& stored, const WeightRef& ref,
                                          const std::filesystem::path&) {
    auto made = std::make_shared<Gain>();
    made->gain = stored_leaf(stored, "gain", ref, {1});
    return made;
  }
  Tensor value(const Tensor& base) const override { return base * (1 + gain.value); }
};
struct Gains {
  using plays = Plays<Role::weight_parameterization>;
  bool selects(const WeightRef& ref) const { return ref.host == "unet"; }
  std::shared_ptr<Gain> bind(const WeightRef&, const BindContext&) const {
    auto made = std::make_shared<Gain>();
    made->gain = make_leaf("gain", at::zeros({1}));
    return made;
  }
  Description describe() const { return {"Gains", {}}; }
};
/// One that does not say how it is stored.
struct Nameless {
  using plays = Plays<Role::weight_parameterization>;
  struct Shift : Delta {
    Leaf shift = make_leaf("shift", at::zeros({1}));
    std::vector<Leaf> leaves() const override { return {shift}; }
    std::shared_ptr<const Adapter> snapshot() const override { return std::make_shared<Shift>(*this); }
    Tensor value(const Tensor& base) const override { return shift.value.expand_as(base); }
  };
  bool selects(const WeightRef& ref) const { return ref.host == "unet"; }
  std::shared_ptr<Shift> bind(const WeightRef&, const BindContext&) const { return std::make_shared<Shift>(); }
  Description describe() const { return {"Nameless", {}}; }
};

void check_round_trip(const auto& sum) {
  const test::Folder folder;
  const auto model = tiny_model();
  const auto learned = learned_by(sum);
  REQUIRE(!learned.weights.empty());
  learned.save(folder / "learned.safetensors");
  const auto again = Learned::load(folder / "learned.safetensors");
  CHECK(again.weights.size() == learned.weights.size());
  const auto now = predicted(personalized(model, learned));
  CHECK(!at::allclose(now, predicted(model), 1e-3, 1e-3));
  CHECK(at::allclose(predicted(personalized(model, again)), now, 1e-5, 1e-6));
  CHECK_FALSE(predicted(personalized(model, again)).requires_grad());  // a value: drawing with it keeps no activations
  again.save(folder / "twice.safetensors");
  CHECK(at::allclose(predicted(personalized(model, Learned::load(folder / "twice.safetensors"))), now, 1e-5, 1e-6));
}

}  // namespace

TEST_CASE("every change of weights is what it was, from a file") {
  check_round_trip(recipe(SpectralShift{.weights = subsets::everything()}));
  check_round_trip(recipe(SpectralShift{.vectors = VectorForm::scale}));
  check_round_trip(recipe(FullWeights{}));
  check_round_trip(TokenInit{} + CrossAttentionKV{});
  check_round_trip(recipe(LowRank{.rank = 2, .alpha = 3}));
  check_round_trip(recipe(LowRank{.rank = 2, .init = LowRankInit::pissa}));
  check_round_trip(recipe(LowRank{.rank = 2, .weights = subsets::kernels()}));
  check_round_trip(recipe(DoRA{{.rank = 2}}));
  check_round_trip(recipe(SpectralShift{.residual = true}));
  check_round_trip(SpectralShift{} + LowRank{.rank = 2});  // two changes of one weight
}

TEST_CASE(
    "a change whose form or tensors have dots in their names is refused when it is saved: no file could be read") {
  struct Dotted final : Delta {
    std::string form = "acme.shift", name = "shift";
    Leaf shift = make_leaf("shift", at::zeros({1}));
    std::vector<Leaf> leaves() const override { return {shift}; }
    std::shared_ptr<const Adapter> snapshot() const override { return std::make_shared<Dotted>(*this); }
    StoredChange stored() const override { return {form, {{name, stored_values(shift)}}}; }
    Tensor value(const Tensor& base) const override { return shift.value.expand_as(base); }
  };
  const test::Folder folder;
  for (const auto& [form, name] : {std::pair{"acme.shift", "shift"}, {"shift", "of.it"}, {"shift", ""}}) {
    auto change = std::make_shared<Dotted>();
    change->form = form, change->name = name;
    Learned learned;
    learned.weights.push_back({.name = "unet.attn2.0.to_q.weight", .change = std::shared_ptr<const Delta>(change)});
    CHECK_THROWS_WITH(learned.save(folder / "dotted.safetensors"),
                      Catch::Contains("without dots") && Catch::Contains("unet.attn2.0.to_q.weight"));
    CHECK_FALSE(learned.can_be_saved());  // a checkpoint asks this: it is written without learned.safetensors
  }
}

TEST_CASE("what a run learned goes into a model of another dtype, without a file") {
  const auto wide = tiny_model();
  auto narrow = tiny_model();
  to(narrow.denoiser(), at::kCPU, at::kBFloat16);
  const auto check = [&](const auto& sum) {
    const auto learn = [&](const auto& model) {
      return fit(model, tiny_subjects().front(), sum + AdamW{.lr = 0.05}, {.steps = 4, .batch = 2, .seed = 1});
    };
    const auto close = [&](const auto& model, const Learned& learned, const Tensor& expected) {
      const auto found = predicted(personalized(model, learned)).to(at::kFloat);
      CHECK((found - expected).norm().template item<double>() < 0.05 * expected.norm().template item<double>());
      CHECK((found - predicted(model).to(at::kFloat)).norm().template item<double>() >
            0.06 * expected.norm().template item<double>());
    };
    const auto of_wide = learn(wide), of_narrow = learn(narrow);
    close(narrow, of_wide, predicted(personalized(wide, of_wide)));
    close(wide, of_narrow, predicted(personalized(narrow, of_narrow)).to(at::kFloat));
  };
  const auto unet = subsets::unet();
  check(recipe(SpectralShift{.weights = unet}));
  check(recipe(SpectralShift{.weights = unet, .vectors = VectorForm::scale, .residual = true}));
  check(recipe(FullWeights{}));
  check(recipe(LowRank{.rank = 2, .weights = unet && subsets::matrices()}));
  check(recipe(DoRA{{.rank = 2, .weights = unet && subsets::matrices()}}));
}

TEST_CASE("a file's change becomes one of a model's weight once, however many things are put in after it") {
  static int made = 0;
  struct Counted final : Delta {
    std::vector<Leaf> leaves() const override { return {}; }
    std::shared_ptr<const Adapter> snapshot() const override { return std::make_shared<Counted>(); }
    Tensor value(const Tensor& base) const override { return at::zeros_like(base); }
  };
  const auto model = tiny_model();
  Learned counted;
  for (auto weight : learned_by(recipe(LowRank{.rank = 1})).weights) {
    weight.make = [](const StoredChange&, const WeightRef&) -> WeightChange {
      ++made;
      return std::make_shared<const Counted>();
    };
    counted.weights.push_back(std::move(weight));
  }
  const auto once = personalized(model, counted);
  const auto count = std::ssize(counted.weights);
  CHECK(made == count);
  (void)personalized(once, learned_by(recipe(SpectralShift{})));
  CHECK(made == count);
}

TEST_CASE("two changes of one weight and form are not saved as one") {
  const test::Folder folder;
  auto both = learned_by(recipe(LowRank{}));
  for (const auto& weight : learned_by(recipe(LowRank{}), 2).weights) both.weights.push_back(weight);
  CHECK_THROWS_WITH(both.save(folder / "both.safetensors"), Catch::Contains("two changes of the form 'low_rank'"));
}

TEST_CASE("shifts of another base are refused, low-rank changes fit every model of their shapes") {
  const test::Folder folder;
  const auto model = tiny_model(), other = tiny_model(at::kFloat, 2);
  learned_by(recipe(SpectralShift{})).save(folder / "shifts.safetensors");
  const auto shifts = Learned::load(folder / "shifts.safetensors");
  CHECK_THROWS_WITH(personalized(other, shifts), Catch::Contains("learned on another base model"));
  auto rounded = tiny_model();
  to(rounded.denoiser(), at::kCPU, at::kBFloat16);
  const auto near = predicted(personalized(rounded, shifts)).to(at::kFloat),
             exact = predicted(personalized(model, shifts));
  CHECK((near - exact).norm().item<double>() < 0.03 * exact.norm().item<double>());
  auto tuned = tiny_model();  // a fine-tune of it, 3 % away
  for (auto ref : tuned.denoiser().weights())
    if (ref.base.dim() > 1) ref.base.add_(at::randn(ref.base.sizes()) * (0.03 * ref.base.std()));
  CHECK_THROWS_WITH(personalized(tuned, shifts), Catch::Contains("learned on another base model"));
  auto most = tiny_model();  // all but a few rows of every matrix are another's
  for (auto ref : most.denoiser().weights())
    if (ref.base.dim() > 1)
      for (std::int64_t row = 1; row + 1 < ref.base.size(0); ++row) ref.base[row].normal_();
  CHECK_THROWS_WITH(personalized(most, shifts), Catch::Contains("learned on another base model"));
  auto norms = tiny_model();
  for (auto ref : norms.denoiser().weights())
    if (ref.kind == WeightKind::norm) ref.base.mul_(1.5);
  learned_by(recipe(SpectralShift{.weights = subsets::vectors()})).save(folder / "vectors.safetensors");
  CHECK_THROWS_WITH(personalized(norms, Learned::load(folder / "vectors.safetensors")),
                    Catch::Contains("learned on another base model"));
  CHECK_THROWS_WITH(personalized(other, learned_by(recipe(SpectralShift{}))),  // of a run, without a file
                    Catch::Contains("learned on another base model"));
  learned_by(recipe(LowRank{})).save(folder / "lora.safetensors");
  (void)personalized(other, Learned::load(folder / "lora.safetensors"));
}

TEST_CASE("changes that are not finite are refused, with file and tensor") {
  const test::Folder folder;
  const auto file = folder / "shifts.safetensors";
  learned_by(recipe(SpectralShift{})).save(file);
  const auto source = SafeTensors::open(file);
  std::map<std::string, Tensor> tensors;
  for (const auto& name : source.names()) tensors.emplace(name, source.load(name));
  const std::string spoiled = "weights.unet.conv_in.weight.spectral_shift.delta";
  tensors.at(spoiled)[1] = NAN;
  write_safetensors(file, tensors, source.metadata());
  CHECK_THROWS_WITH(Learned::load(file), Catch::Contains(spoiled) && Catch::Contains("not finite"));
}

TEST_CASE("users' own changes are read by the type that is named; what cannot be stored says so") {
  const test::Folder folder;
  const auto model = tiny_model();
  const auto learned = learned_by(recipe(Gains{}));
  learned.save(folder / "gains.safetensors");
  CHECK_THROWS_WITH(Learned::load(folder / "gains.safetensors"), Catch::Contains("the form 'gain'"));
  const auto again = Learned::load<Gain>(folder / "gains.safetensors");
  CHECK(at::allclose(predicted(personalized(model, again)), predicted(personalized(model, learned))));

  auto run = personalize(model, tiny_subjects().front(), recipe(Nameless{}), {.steps = 1});
  run.drain();
  CHECK_THROWS_WITH(run.learned().save(folder / "none.safetensors"),
                    Catch::Contains("does not say how a file holds it"));
  run.save(folder / "checkpoint");
  CHECK(!std::filesystem::exists(folder / "checkpoint" / "learned.safetensors"));
}

TEST_CASE("files of changes that are cut or of other shapes are refused with weight, tensor and shapes") {
  const test::Folder folder;
  const auto file = folder / "file.safetensors";
  const auto model = tiny_model();
  const std::map<std::string, std::string> kind{{"persona.kind", "learned"}};
  const auto refused = [&](const std::map<std::string, Tensor>& tensors, const auto& words) {
    write_safetensors(file, tensors, kind);
    CHECK_THROWS_WITH(personalized(model, Learned::load(file)), words);
  };
  refused({{"weights.conv", at::zeros({1})}}, Catch::Contains("no weight and form in its name"));
  refused({{"else", at::zeros({1})}}, Catch::Contains("neither rows nor the change of a weight"));
  refused({{"weights.unet.nothing.weight.spectral_shift.delta", at::zeros({1})}},
          Catch::Contains("no weight 'unet.nothing.weight'"));
  refused({{"weights.unet.conv_in.weight.spectral_shift.delta", at::zeros({3})}},
          Catch::Contains("unet.conv_in.weight") && Catch::Contains("[3]") && Catch::Contains("[8]"));
  refused({{"weights.unet.attn2.0.to_k.weight.low_rank.lora_A", at::zeros({2, 6})},
           {"weights.unet.attn2.0.to_k.weight.low_rank.scale", at::ones({1})}},
          Catch::Contains("has no 'lora_B'"));
  refused({{"weights.unet.attn2.0.to_k.weight.low_rank.lora_A", at::zeros({2, 6})},
           {"weights.unet.attn2.0.to_k.weight.low_rank.lora_B", at::zeros({8, 3})},
           {"weights.unet.attn2.0.to_k.weight.low_rank.scale", at::ones({1})}},
          Catch::Contains("'lora_B' has shape [8, 3]"));
}
