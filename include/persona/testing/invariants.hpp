#pragma once

#include <persona/core/error.hpp>
#include <persona/data/subject.hpp>
#include <persona/init/token.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/model/encode_prompts.hpp>
#include <persona/param/row_parameterization.hpp>
#include <persona/recipe.hpp>
#include <persona/testing/tiny_model.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/splice.hpp>
#include <persona/train/personalize.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace persona::testing {

/// Up to four subjects with one small photo each: tokens "<one>", "<two>", ... Throws Error where more are asked for.
inline std::vector<Subject> tiny_subjects(std::int64_t n = 1, std::int64_t vectors = 1) {
  static constexpr const char* tokens[] = {"<one>", "<two>", "<three>", "<four>"};
  if (n < 0 || n > std::ssize(tokens)) throw Error("tiny_subjects", "asked for " + std::to_string(n), "0 to 4");
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
/// What a file of this component's rows or weights becomes again: one type, or none.
template <class Model, class P>
auto forms_of() {
  if constexpr (plays_role<P, Role::row_parameterization>) {
    using State = persona::detail::row_state_t<P, Model>;
    if constexpr (StoredRowState<State>)
      return std::tuple<std::type_identity<State>>();
    else
      return std::tuple<>();
  } else if constexpr (plays_role<P, Role::weight_parameterization>) {
    using A = std::remove_const_t<typename persona::detail::adapter_t<P>::element_type>;
    if constexpr (StoredAdapter<A>)
      return std::tuple<std::type_identity<A>>();
    else
      return std::tuple<>();
  } else {
    return std::tuple<>();
  }
}
/// Reads what a run of this sum saved.
template <class Model, class... C>
Learned load_learned(const Recipe<C...>&, const std::filesystem::path& file) {
  return std::apply([&]<class... F>(std::type_identity<F>...) { return Learned::load<F...>(file); },
                    std::tuple_cat(forms_of<Model, C>()...));
}
/// What the model predicts of ones, for a prompt without learned tokens.
template <class Model>
Tensor prediction_of(const Model& model) {
  const auto device = model.text_encoder().embedding_table().device();
  const auto [channels, height, width] = model.latent_shape();
  const std::vector<PromptTokens> prompt{tokenize_prompt(model.tokenizer(), "a photo")};
  const auto conditioning = encode_prompts(model.text_encoder(), stack_ids(prompt, device), {}, {});
  const at::TensorOptions on(device);
  return predict(model.denoiser(), at::ones({1, channels, height, width}, on), at::full({1}, 7, on.dtype(at::kLong)),
                 conditioning);
}
/// What a learned change adds to its weight.
inline Tensor added(const LearnedWeight& weight, const WeightRef& ref) {
  const auto change = weight.on(ref);
  if (const auto* replacement = std::get_if<std::shared_ptr<const Replacement>>(&change))
    return (*replacement)->difference(ref.base);
  return std::get<std::shared_ptr<const Delta>>(change)->value(ref.base);
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
void check_file(const Model& model, const Learned& learned, const Recipe<C...>& sum,
                const std::filesystem::path& file) {
  if (!learned.can_be_saved()) return;
  learned.save(file);
  const auto read = load_learned<Model>(sum, file);
  const at::NoGradGuard no_grad;
  auto lender = model;
  const auto refs = persona::detail::lent_weights(lender);
  std::map<std::string, Tensor> kept;  // by weight: what all its changes add
  const auto sum_up = [&](const Learned& from, double sign) {
    for (const LearnedWeight& weight : from.weights) {
      auto& all = kept[weight.name];
      const Tensor part = sign * added(weight, refs.at(weight.name)).to(at::kFloat);
      all = all.defined() ? all + part : part;
    }
  };
  sum_up(learned, 1);
  std::map<std::string, double> size;
  for (const auto& [name, change] : kept) size[name] = change.norm().template item<double>();
  sum_up(read, -1);
  for (const auto& [name, left] : kept)
    require(left.norm().template item<double>() <=
                1e-3 * size[name] + 1e-7 * refs.at(name).base.norm().template item<double>(),
            "the change of '" + name + "' is another after Learned::save and Learned::load");
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
/// checkpoint in `folder` (emptied by the caller) goes on bit for bit; what was learned comes back from its file, where
/// a file can hold it.
template <DiffusionModel Model, class R>
void check_invariants(const Model& model, const R& sum, const std::vector<Subject>& subjects,
                      const std::filesystem::path& folder, RowsBegin rows_begin = RowsBegin::at_start) {
  const auto before = detail::base_copies(model);
  const TrainOptions options{.steps = 6, .batch = 2, .seed = 3};
  const std::span<const Subject> all(subjects);

  auto run = personalize(model, all, sum, options);
  const auto at_start = run.learned();
  if (!at_start.weights.empty()) {
    const at::NoGradGuard no_grad;
    const Tensor base = detail::prediction_of(model), changed = detail::prediction_of(personalized(model, at_start));
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
