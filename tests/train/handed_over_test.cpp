// A model that is handed over to a run: base weights that nothing reads are let go of, and nothing else is different.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/init/token.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/testing.hpp>

#include <map>
#include <string>
#include <vector>

namespace {

using namespace persona;
using persona::testing::tiny_model;
using persona::testing::tiny_subjects;
using Weak = c10::weak_intrusive_ptr<c10::TensorImpl>;

/// Names of the denoiser's weights that are gone once a run of a sum has the model, and of those that are still there.
std::map<std::string, bool> gone(const auto& sum) {
  const auto subjects = tiny_subjects();
  auto model = tiny_model();
  std::map<std::string, Weak> watched;
  for (const auto& ref : model.denoiser().weights()) watched.emplace(ref.name, ref.base.getIntrusivePtr());
  auto run = personalize(std::move(model), subjects.front(), sum, {.steps = 2});
  run.drain();
  std::map<std::string, bool> gone;
  for (const auto& [name, weak] : watched) gone.emplace(name, weak.expired());
  return gone;
}
std::vector<Tensor> leaves(const Run& run) {
  std::vector<Tensor> values;
  for (const Leaf& leaf : run.session().bound().leaves) values.push_back(leaf.value.detach().clone());
  return values;
}
bool equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::ranges::equal(a, b, [](const Tensor& x, const Tensor& y) { return at::equal(x, y); });
}

}  // namespace

TEST_CASE("weights that factors or copies stand in for are let go of") {
  for (const auto& [name, away] : gone(recipe(SpectralShift{})))
    CHECK(away == (name != "norm.weight"));  // a shift of a vector is added to it
  for (const auto& [name, away] : gone(recipe(SpectralShift{.residual = true, .plan = SpectralPlan::materialized})))
    CHECK(away == (name != "norm.weight"));
  for (const auto& [name, away] : gone(recipe(FullWeights{subsets::unet()}))) CHECK(away);
  for (const auto& [name, away] : gone(recipe(LowRank{.weights = subsets::matrices()}))) CHECK_FALSE(away);
  for (const auto& [name, away] : gone(recipe(DoRA{{.rank = 2, .weights = subsets::unet() && subsets::matrices()}})))
    CHECK_FALSE(away);
  for (const auto& [name, away] :
       gone(SpectralShift{.weights = subsets::kernels()} +
            LowRank{.rank = 2, .weights = subsets::kernels() || (subsets::unet() && subsets::matrices())}))
    CHECK(away == name.starts_with("conv_"));
  for (const auto& [name, away] : gone(recipe(TokenInit{}))) CHECK_FALSE(away);
}

TEST_CASE("a run is the same, bit for bit, and so is what it learned") {
  const test::Folder folder;
  const auto subjects = tiny_subjects();
  const auto model = tiny_model();
  const TrainOptions options{.steps = 6, .batch = 2, .seed = 3};
  const auto check = [&](const std::string& name, const auto& sum) {
    auto borrowed = personalize(model, subjects.front(), sum, options);
    borrowed.drain();
    auto own = personalize(tiny_model(), subjects.front(), sum, options);
    for (const Step& step : own)
      if (step.index == 3) break;
    own.save(folder / name);
    own.drain();
    CHECK(equal(leaves(borrowed), leaves(own)));
    const auto x = at::ones({1, 3, 4, 4}), t = at::tensor({7}, at::kLong);
    const Conditioning words{.states = at::ones({1, 5, 6})};
    CHECK(at::equal(predict(personalized(model, borrowed.learned()).denoiser(), x, t, words),
                    predict(personalized(model, own.learned()).denoiser(), x, t, words)));
    // A checkpoint of either goes on with the other.
    auto resume = options;
    resume.resume = folder / name;
    auto resumed = personalize(model, subjects.front(), sum, resume);
    resumed.drain();
    CHECK(equal(leaves(resumed), leaves(own)));
    auto resumed_own = personalize(tiny_model(), subjects.front(), sum, resume);
    resumed_own.drain();
    CHECK(equal(leaves(resumed_own), leaves(own)));
  };
  check("svdiff", TokenInit{} + SpectralShift{});
  check("dreambooth", recipe(FullWeights{}));
  check("mixed", SpectralShift{.weights = subsets::kernels()} + LowRank{.rank = 2, .weights = subsets::kernels()});
}

TEST_CASE("fingerprints see every tensor, also those that a model hands out as copies") {
  struct Copies : testing::TinyDenoiser {
    using testing::TinyDenoiser::TinyDenoiser;
    std::vector<WeightRef> weights() {
      auto refs = testing::TinyDenoiser::weights();
      for (auto& ref : refs) ref.base = ref.base.detach();
      return refs;
    }
  };
  const auto model_of = [](std::uint64_t seed) {
    const auto tiny = tiny_model();
    return ModelParts(tiny.tokenizer(), tiny.text_encoder(),
                      Copies(3, 8, 6, at::kFloat, Random(seed).at(Stream::initialization)), testing::TinyScheduler{},
                      {3, 8, 8});
  };
  const auto subjects = tiny_subjects();
  const auto print_of = [&](std::uint64_t seed) {
    const auto model = model_of(seed);
    return personalize(model, subjects.front(), recipe(TokenInit{}), {.steps = 1}).session().model_fingerprint();
  };
  CHECK(print_of(1) == print_of(1));
  CHECK(print_of(1) != print_of(2));
}

TEST_CASE("a run that was handed a model whose other holder is gone goes on") {
  const auto subjects = tiny_subjects();
  auto run = [&] {
    auto model = tiny_model();
    for (auto& ref : model.denoiser().weights()) Tensor(ref.base).mul_(1.0);  // written before the run, not during it
    auto copy = model;
    return personalize(std::move(copy), subjects.front(), recipe(SpectralShift{}), {.steps = 3});
  }();
  run.drain();
  CHECK_NOTHROW(run.learned());
}

TEST_CASE("whoever else holds the weights keeps them") {
  const auto subjects = tiny_subjects();
  const auto model = tiny_model();
  const auto x = at::ones({1, 3, 4, 4}), t = at::tensor({7}, at::kLong);
  const Conditioning words{.states = at::ones({1, 5, 6})};
  const Tensor before = predict(model.denoiser(), x, t, words);
  auto copy = model;
  auto run = personalize(std::move(copy), subjects.front(), recipe(SpectralShift{}), {.steps = 3});
  run.drain();
  CHECK(at::equal(before, predict(model.denoiser(), x, t, words)));
}
