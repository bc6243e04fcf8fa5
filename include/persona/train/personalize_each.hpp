#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/learned/learned.hpp>
#include <persona/train/personalize.hpp>
#include <persona/train/run.hpp>
#include <persona/train/step_each.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace persona {

/// Independent runs that go in step: each has its own subject, leaves, optimizer and random streams, and all share one
/// pass of the frozen model a step. operator[] gives one of them as a Run of its own.
class RunEach {
 public:
  using Forward = std::function<std::vector<StepResult>(const std::vector<Batch>&, const std::vector<const Bound*>&,
                                                        const std::vector<std::optional<at::Generator>>&)>;
  RunEach(std::vector<Run> runs, Forward forward) : runs_(std::move(runs)), forward_(std::move(forward)) {}

  std::size_t size() const { return runs_.size(); }
  /// The run of subject i: its learned(), save() and completed(); looping over it goes on with that one alone.
  const Run& operator[](std::size_t i) const { return runs_[i]; }
  std::int64_t steps() const { return runs_.front().steps(); }
  std::int64_t completed() const { return runs_.front().completed(); }

  /// Computes one step of every subject; false where all steps are done. Throws Error where a subject's step is bad,
  /// again at every later call: what each learned until then is in its learned().
  bool advance() const {
    if (failure_) std::rethrow_exception(failure_);
    for (const Run& run : runs_)
      if (run.completed() != completed())
        throw Error("personalize_each", "one of the runs has gone on alone", "advance all, or each by itself");
    if (completed() >= steps()) return false;
    const at::AutoGradMode grad(true);
    std::vector<const Bound*> bounds;
    std::vector<Tensor> inputs;
    for (const Run& run : runs_) {
      run.session().begin_step();
      bounds.push_back(&run.session().bound());
      for (Tensor& leaf : run.session().leaf_values()) inputs.push_back(std::move(leaf));
    }
    for (std::int64_t micro = 0; micro < runs_.front().session().options().accumulate; ++micro) {
      std::vector<Batch> batches;
      std::vector<std::optional<at::Generator>> generators;
      for (const Run& run : runs_)
        batches.push_back(run.session().draw(micro)), generators.emplace_back(run.session().generator(micro));
      const auto results = forward_(batches, bounds, generators);
      Tensor sum;
      for (std::size_t i = 0; i < runs_.size(); ++i) {
        const auto loss = runs_[i].session().take(results[i]);
        sum = sum.defined() ? sum + loss : loss;
      }
      sum.backward({}, std::nullopt, false, inputs);
    }
    for (const Run& run : runs_) try {
        run.session().end_step();
      } catch (...) {
        if (!failure_) failure_ = std::current_exception();  // the others' step is whole, and is theirs to keep
      }
    if (failure_) std::rethrow_exception(failure_);
    return true;
  }
  /// Computes every step that is left.
  const RunEach& drain() const {
    while (advance()) {
    }
    for (const Run& run : runs_) run.session().check(), run.session().expect_finite_leaves();
    return *this;
  }
  /// What every subject learned so far.
  std::vector<Learned> learned() const {
    std::vector<Learned> all;
    for (const Run& run : runs_) all.push_back(run.learned());
    return all;
  }

 private:
  std::vector<Run> runs_;
  Forward forward_;
  mutable std::exception_ptr failure_{};  // the first: the runs stand at different steps behind it
};

namespace detail {
/// What of a component is subject i's of n, where it holds something for each: of_subject(i, n).
template <class C>
C component_of_subject(const C& component, std::size_t i, std::size_t n) {
  if constexpr (requires {
                  { component.of_subject(i, n) } -> std::convertible_to<C>;
                })
    return component.of_subject(i, n);
  else
    return component;
}
template <class... C>
Recipe<C...> recipe_of_subject(const Recipe<C...>& recipe, std::size_t i, std::size_t n) {
  return std::apply([&](const C&... part) { return Recipe<C...>{{component_of_subject(part, i, n)...}}; },
                    recipe.components);
}
}  // namespace detail

/// Begins independent runs of many subjects by one sum over token rows, through one frozen model in one batch: the
/// losses are summed, so that each subject learns what its own personalize(..., options) would, but for rounding.
/// Subjects may share a token. What the sum holds for each, such as CelebMapper's features, is dealt out in their
/// order. The model is borrowed and must outlive the runs.
template <class Model, class... C>
RunEach personalize_each(Model& model, std::span<const Subject> subjects, const Recipe<C...>& recipe,
                         const TrainOptions& options = {}) {
  using M = std::remove_cvref_t<Model>;
  static_assert(explain_diffusion_model<M>());
  static_assert(detail::explain_recipe_for<M, C...>());
  static_assert(
      Recipe<C...>::template count<Role::weight_parameterization> == 0,
      "[persona] personalize_each: this sum changes weights, which all subjects would share; learn token rows, or call personalize for each (docs/how-to/many_subjects.md)");
  if (subjects.empty()) throw Error("personalize_each", "no subject", "pass a span of them");
  if (!options.resume.empty())
    throw Error("personalize_each", ".resume names the checkpoint of one run",
                "resume each subject with personalize, or begin anew");
  std::vector<Run> runs;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    runs.push_back(personalize(model, subjects[i], detail::recipe_of_subject(recipe, i, subjects.size()), options));
  return {std::move(runs), [&model](const auto& batches, const auto& bounds, const auto& generators) {
            return step_each(std::as_const(model), batches, bounds, generators);
          }};
}
/// A single component is a sum of one.
template <class Model, Component C>
RunEach personalize_each(Model& model, std::span<const Subject> subjects, const C& component,
                         const TrainOptions& options = {}) {
  return personalize_each(model, subjects, recipe(component), options);
}

}  // namespace persona
