#pragma once

#include <persona/core/error.hpp>
#include <persona/data/subject.hpp>
#include <persona/init/token.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/param/row_parameterization.hpp>
#include <persona/recipe.hpp>
#include <persona/testing/tiny_model.hpp>
#include <persona/train/personalize.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
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

/// Where a sum's rows are before the first step.
enum class RowsBegin {
  at_start,  ///< at the initializer's rows
  elsewhere  ///< at the nearest that the parameterization can say (a basis that they are not in), or where it will
             ///< (NeTI)
};

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
inline bool near(const Tensor& a, const Tensor& b) {
  return a.sizes() == b.sizes() && (a.cpu() - b.cpu()).norm().item<double>() <= 1e-5 * b.norm().item<double>();
}

/// A sum of its initializer alone, or of the one that stands for none.
template <class... C>
auto initializer_of(const Recipe<C...>& sum) {
  if constexpr (Recipe<C...>::template count<Role::initializer> == 0) {
    return recipe(TokenInit{});
  } else {
    const auto kept = []<class P>(const P& part) {
      if constexpr (plays_role<P, Role::initializer>)
        return std::tuple<P>(part);
      else
        return std::tuple<>();
    };
    return std::apply([&](const auto&... part) { return persona::detail::sum(std::tuple_cat(kept(part)...)); },
                      sum.components);
  }
}
/// Reads what a run of this sum saved, with the state that its layered rows become again.
template <class Model, class... C>
Learned load_rows(const Recipe<C...>&, const std::filesystem::path& file) {
  Learned learned;
  bool read = false;
  const auto by = [&]<class P>(std::type_identity<P>) {
    if constexpr (plays_role<P, Role::row_parameterization>)
      if constexpr (StoredRowState<persona::detail::row_state_t<P, Model>>)
        learned = Learned::load<persona::detail::row_state_t<P, Model>>(file), read = true;
  };
  (by(std::type_identity<C>{}), ...);
  return read ? learned : Learned::load(file);
}
/// A few timesteps and layers that rows may differ by.
template <class Model>
std::vector<RowQuery> row_queries(const Model& model) {
  std::int64_t layers = 1;
  if constexpr (LayeredDenoiser<denoiser_t<Model>>) layers = model.denoiser().num_conditioned_layers();
  std::vector<RowQuery> queries;
  for (const std::int64_t layer : {std::int64_t{0}, layers - 1})
    queries.push_back({.t = at::tensor({7, 60}, at::kLong), .layer = layer, .num_layers = layers});
  return queries;
}

template <class Model, class... C>
void check_start(const Model& model, const Run& run, const Recipe<C...>& sum, std::span<const Subject> subjects,
                 const TrainOptions& options) {
  const auto given = personalize(model, subjects, initializer_of(sum), options);
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const auto& bound = run.session().bound().rows[i];
    const auto& start = given.session().bound().rows[i].initial;
    for (const RowQuery& query : row_queries(model)) {
      const Tensor rows = bound.at(query).rows;
      require(near(rows, start.expand_as(rows)),
              "the rows of '" + bound.placeholder.token +
                  "' are not the initializer's before the first step: where a parameterization cannot say them, pass "
                  "RowsBegin::elsewhere");
    }
  }
}
template <class Model, class... C>
void check_file(const Model& model, Learned learned, const Recipe<C...>& sum, const std::filesystem::path& file) {
  learned.weights.clear();
  if (learned.rows.empty() || !learned.can_be_saved()) return;
  learned.save(file);
  const auto read = load_rows<Model>(sum, file);
  const at::NoGradGuard no_grad;
  for (const LearnedRows& row : learned.rows) {
    const auto& back = read.of(row.token);
    const std::string what = "the rows of '" + row.token + "' are others after Learned::save and Learned::load";
    require(near(back.rows, row.rows) && bool(back.layered) == bool(row.layered), what);
    if (!row.layered) continue;
    for (const RowQuery& query : row_queries(model)) {
      const auto a = row.layered(query), b = back.layered(query);
      require(near(b.rows, a.rows) && b.bypass.defined() == a.bypass.defined() && b.bypass_scale == a.bypass_scale,
              what);
      if (a.bypass.defined()) require(near(b.bypass, a.bypass), what);
    }
  }
}
}  // namespace detail

/// Runs a sum on a small model and throws Error naming the first invariant that it breaks: changed weights begin as
/// the base, and rows at the initializer's (unless it is said that they begin elsewhere); no bit of a base tensor
/// changes, and no base tensor gets a gradient; every leaf does, and moves; two runs of one seed are equal; a
/// checkpoint in `folder` (emptied by the caller) goes on bit for bit; learned rows come back from their file.
template <DiffusionModel Model, class R>
void check_invariants(const Model& model, const R& sum, const std::vector<Subject>& subjects,
                      const std::filesystem::path& folder, RowsBegin rows_begin = RowsBegin::at_start) {
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
  if (!at_start.rows.empty() && rows_begin == RowsBegin::at_start)
    detail::check_start(model, run, recipe(sum), all, options);
  const auto start = detail::leaf_copies(run);
  std::vector<bool> reached(start.size(), false);  // by a gradient: weight decay moves a leaf without one
  for (std::size_t i = 0; i < start.size(); ++i)
    run.session().bound().leaves[i].value.register_hook([&reached, i](const Tensor& gradient) {
      if ((gradient != 0).any().template item<bool>()) reached[i] = true;
    });
  run.drain();
  const auto after = detail::leaf_copies(run);
  for (std::size_t i = 0; i < start.size(); ++i) {
    const auto name = "the leaf '" + run.session().bound().leaves[i].name + "'";
    detail::require(reached[i], name + " had no gradient in 6 steps");
    detail::require(!at::equal(start[i], after[i]), name + " did not move in 6 steps");
  }
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
  detail::check_file(model, run.learned(), recipe(sum), folder / "learned.safetensors");
}
/// The same on the tiny model.
template <class R>
void check_invariants(const R& sum, const std::vector<Subject>& subjects, const std::filesystem::path& folder,
                      RowsBegin rows_begin = RowsBegin::at_start) {
  check_invariants(tiny_model(), sum, subjects, folder, rows_begin);
}

}  // namespace persona::testing
