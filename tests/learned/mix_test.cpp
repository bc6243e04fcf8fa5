// Shifts as values: added, interpolated, scaled, mixed by layer, and written out into a model of plain tensors.

#include "support/catch.hpp"
#include "support/changed.hpp"
#include "support/folder.hpp"

#include <persona/core/placement.hpp>
#include <persona/learned/bake.hpp>
#include <persona/learned/mix.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/testing.hpp>

#include <map>
#include <string>

namespace {

using namespace persona;
using persona::test::learned_by;
using persona::test::predicted;
using persona::testing::tiny_model;
using persona::testing::tiny_subjects;

Tensor delta(const Learned& learned, const std::string& name) {
  for (const auto& weight : learned.weights)
    if (weight.name == name) return weight.stored().tensors.at("delta");
  return {};
}

}  // namespace

TEST_CASE("shifts are added, interpolated and scaled inside the relu, of runs and of files") {
  const test::Folder folder;
  const auto a = learned_by(recipe(SpectralShift{})), b = learned_by(recipe(SpectralShift{}), 2);
  a.save(folder / "a.safetensors"), b.save(folder / "b.safetensors");
  const auto kernel = std::string("unet.conv_in.weight"), norm = std::string("unet.norm.weight");
  for (const bool files : {false, true}) {
    const auto first = files ? Learned::load(folder / "a.safetensors") : a;
    const auto second = files ? Learned::load(folder / "b.safetensors") : b;
    for (const auto& name : {kernel, norm}) {
      const auto x = delta(a, name), y = delta(b, name);
      CHECK(at::allclose(delta(add(first, second), name), x + y));
      CHECK(at::allclose(delta(interpolate(first, second, 0.25), name), 0.25 * x + 0.75 * y));
      CHECK(at::allclose(delta(scale(first, 1.2), name), 1.2 * x));
    }
    const auto model = tiny_model();
    CHECK(at::allclose(predicted(personalized(model, interpolate(first, second, 1))), predicted(personalized(model, a)),
                       1e-5, 1e-6));
    CHECK(at::allclose(predicted(personalized(model, scale(first, 0))), predicted(model), 1e-4, 1e-5));
    CHECK(!at::allclose(predicted(personalized(model, add(first, second))), predicted(personalized(model, a)), 1e-3,
                        1e-3));
    const auto mixed =
        style_mix(first, second, [](const std::string& name) { return name.find("attn2") != name.npos; });
    CHECK(at::equal(delta(mixed, "unet.attn2.0.to_q.weight"), delta(a, "unet.attn2.0.to_q.weight")));
    CHECK(at::equal(delta(mixed, kernel), delta(b, kernel)));
    CHECK(mixed.weights.size() == a.weights.size());
  }
  CHECK(at::equal(delta(a, kernel), delta(Learned::load(folder / "a.safetensors"), kernel)));  // as they were
  const auto elsewhere = fit(tiny_model(at::kFloat, 2), tiny_subjects().front(), SpectralShift{} + AdamW{.lr = 0.05},
                             {.steps = 1, .batch = 2});
  CHECK_THROWS_WITH(add(a, elsewhere), Catch::Contains("different base models"));
  const auto all = [](const std::string&) { return true; };
  CHECK_THROWS_WITH(style_mix(a, elsewhere, all), Catch::Contains("different base models"));
  CHECK_THROWS_WITH(style_mix(a, learned_by(recipe(LowRank{})), all), Catch::Contains("form 'low_rank'"));
  auto named = a, cut = Learned::load(folder / "a.safetensors");
  named.rows.push_back({.token = "<one>", .rows = at::zeros({1, 6})});
  CHECK_THROWS_WITH(add(named, named), Catch::Contains("both have rows of '<one>'"));
  CHECK_THROWS_WITH(style_mix(named, named, all), Catch::Contains("both have rows of '<one>'"));
  for (auto& weight : cut.weights) weight.file.tensors.erase("delta");
  CHECK_THROWS_WITH(scale(cut, 2), Catch::Contains("has no delta"));
  CHECK_THROWS_WITH(scale(learned_by(recipe(LowRank{})), 2),
                    Catch::Contains("form 'low_rank'") && Catch::Contains("with(a).with(b)"));
}

TEST_CASE("a baked model computes what the changed one does, with plain tensors, and leaves its base alone") {
  const auto model = tiny_model();
  const auto before = predicted(model);
  for (const auto& learned : {learned_by(recipe(SpectralShift{})), learned_by(recipe(LowRank{.rank = 2})),
                              learned_by(recipe(FullWeights{}))}) {
    const auto baked = bake(model, learned);
    CHECK(at::allclose(predicted(baked), predicted(personalized(model, learned)), 1e-4, 1e-5));
    CHECK(!at::allclose(predicted(baked), before, 1e-3, 1e-3));
    CHECK(at::equal(predicted(model), before));
    for_each_weight(baked.denoiser(), [](const std::string& name, const Weight& weight) {
      INFO(name);
      CHECK(!weight.adapted());
      CHECK(!weight.base.requires_grad());
    });
    // What did not change is shared.
    CHECK(baked.text_encoder().embedding_table().is_same(model.text_encoder().embedding_table()));
  }
}

TEST_CASE("a base that nothing moved is baked as it was, also in bf16") {
  auto model = tiny_model();
  to(model.denoiser(), at::kCPU, at::kBFloat16);
  const auto baked = bake(model, scale(fit(model, tiny_subjects().front(), recipe(SpectralShift{}), {.steps = 1}), 0));
  std::map<std::string, Tensor> bases;
  for_each_weight(model.denoiser(), [&](const std::string& name, const Weight& w) { bases.emplace(name, w.base); });
  for_each_weight(baked.denoiser(), [&](const std::string& name, const Weight& weight) {
    INFO(name);
    CHECK(at::equal(weight.base, bases.at(name)));
  });
}
