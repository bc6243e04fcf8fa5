#pragma once

#include <persona/core/error.hpp>
#include <persona/data/subject.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/testing/tiny_model.hpp>
#include <persona/train/personalize.hpp>

#include <string>
#include <utility>
#include <vector>

namespace persona::testing {

/// n subjects with one small photo each: tokens "<one>", "<two>", ...
inline std::vector<Subject> tiny_subjects(std::int64_t n = 1, std::int64_t vectors = 1) {
  static constexpr const char* tokens[] = {"<one>", "<two>", "<three>", "<four>"};
  std::vector<Subject> subjects;
  for (std::int64_t i = 0; i < n; ++i) {
    Image image;
    image.width = image.height = 8;
    for (int k = 0; k < 8 * 8 * 3; ++k) image.pixels.push_back(static_cast<std::uint8_t>((37 * k + 61 * i) % 251));
    Subject subject{.token = tokens[i], .class_word = "person", .vectors = vectors};
    subject.photos.push_back({.image = std::move(image), .name = "tiny"});
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

namespace detail {
inline void require(bool holds, const std::string& what) {
  if (!holds) throw Error("check_invariants", what);
}
template <class Model>
std::vector<Tensor> base_copies(const Model& model) {
  std::vector<Tensor> copies;
  for (const Tensor& base : persona::detail::base_tensors(model)) copies.push_back(base.clone());
  return copies;
}
inline std::vector<Tensor> leaf_copies(const Run& run) {
  std::vector<Tensor> copies;
  for (const Leaf& leaf : run.session().bound().leaves) copies.push_back(leaf.value.detach().clone());
  return copies;
}
inline bool all_equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = at::equal(a[i], b[i]);
  return same;
}
}  // namespace detail

/// Runs a sum on a small model and throws Error naming the first invariant that it breaks: changed weights begin as
/// the base; no bit of a base tensor changes, and no base tensor gets a gradient; every leaf does, and moves; two runs
/// of one seed are equal; a checkpoint in `folder` (emptied by the caller) goes on bit for bit.
template <DiffusionModel Model, class R>
void check_invariants(const Model& model, const R& sum, const std::vector<Subject>& subjects,
                      const std::filesystem::path& folder) {
  const auto before = detail::base_copies(model);
  const TrainOptions options{.steps = 6, .batch = 2, .seed = 3};
  const std::span<const Subject> all(subjects);

  auto run = personalize(model, all, sum, options);
  const auto at_start = run.learned();
  if (!at_start.weights.empty()) {
    const auto [channels, height, width] = model.latent_shape();
    const auto x = at::ones({1, channels, height, width}), t = at::tensor({7}, at::kLong);
    const Conditioning conditioning{.states = at::ones({1, 5, model.text_encoder().embedding_table().size(1)})};
    const Tensor base = predict(model.denoiser(), x, t, conditioning);
    const Tensor changed = predict(personalized(model, at_start).denoiser(), x, t, conditioning);
    // Factors that stand for a weight are rounded where they compute in bf16.
    const bool narrow = base.scalar_type() == at::kBFloat16;
    const double off = ((changed - base).norm() / base.norm()).template item<double>();
    detail::require(off <= (narrow ? 5e-2 : 1e-4),
                    "changed weights do not predict what the base predicts before the first step: " +
                        std::to_string(off) + " off, relative to its norm");
  }
  const auto start = detail::leaf_copies(run);
  run.drain();
  const auto after = detail::leaf_copies(run);
  for (std::size_t i = 0; i < start.size(); ++i)
    detail::require(!at::equal(start[i], after[i]),
                    "the leaf '" + run.session().bound().leaves[i].name + "' did not move in 6 steps");
  detail::require(detail::all_equal(before, detail::base_copies(model)), "the bits of a base tensor changed");
  for (const Tensor& base : persona::detail::base_tensors(model))
    detail::require(!base.grad().defined(), "a base tensor has a gradient");

  auto again = personalize(model, all, sum, options);
  again.drain();
  detail::require(detail::all_equal(after, detail::leaf_copies(again)), "two runs of one seed differ");

  auto half = personalize(model, all, sum, options);
  for (const Step& step : half)
    if (step.index == 3) break;
  half.save(folder);
  auto resumed_options = options;
  resumed_options.resume = folder;
  auto resumed = personalize(model, all, sum, resumed_options);
  detail::require(resumed.completed() == 3, "a resumed run does not stand where it was saved");
  resumed.drain();
  detail::require(detail::all_equal(after, detail::leaf_copies(resumed)),
                  "3 steps, a checkpoint and 3 steps differ from 6 steps");
}
/// The same on the tiny model.
template <class R>
void check_invariants(const R& sum, const std::vector<Subject>& subjects, const std::filesystem::path& folder) {
  check_invariants(tiny_model(), sum, subjects, folder);
}

}  // namespace persona::testing
