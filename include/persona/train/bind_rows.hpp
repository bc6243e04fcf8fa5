#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/data/bound.hpp>
#include <persona/init/token.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/recipe.hpp>
#include <persona/text/row_set.hpp>
#include <persona/train/bound.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace persona::detail {

template <Role role, class... C, class F>
void for_each_of(const Recipe<C...>& recipe, F&& f) {
  std::apply(
      [&](const auto&... component) {
        (
            [&] {
              if constexpr (plays_role<std::remove_cvref_t<decltype(component)>, role>) f(component);
            }(),
            ...);
      },
      recipe.components);
}

/// A component whose default depends on its fields may answer with an empty optional.
template <class C>
void take_defaults(const C& component, Bound& bound) {
  if constexpr (requires {
                  { component.default_learning_rate() } -> std::convertible_to<std::optional<double>>;
                })
    bound.default_learning_rate =
        std::optional<double>(component.default_learning_rate()).value_or(bound.default_learning_rate);
  if constexpr (requires {
                  { component.default_steps() } -> std::convertible_to<std::optional<std::int64_t>>;
                })
    bound.default_steps = std::optional<std::int64_t>(component.default_steps()).value_or(bound.default_steps);
}

template <class State>
BoundRows erase_rows(State bound_state, const Subject& subject) {
  auto state = std::make_shared<State>(std::move(bound_state));
  BoundRows erased{.placeholder = subject.placeholder()};
  for (Leaf leaf : state->leaves()) {
    leaf.name = subject.token + "." + leaf.name;
    erased.leaves.push_back(std::move(leaf));
  }
  if constexpr (HasLayeredRows<State>) {
    erased.layered = true;
    erased.at = [state](const RowQuery& query) -> RowSet { return std::as_const(*state).rows(query); };
    erased.snapshot = [state]() -> std::function<RowSet(const RowQuery&)> {
      return [kept = std::as_const(*state).snapshot()](const RowQuery& query) -> RowSet { return kept.rows(query); };
    };
    if constexpr (StoredRowState<State>)
      erased.stored = [state]() -> StoredRows { return std::as_const(*state).stored(); };
  } else {
    erased.at = [state](const RowQuery&) -> RowSet { return Tensor(std::as_const(*state).rows()); };
    erased.snapshot = [state]() -> std::function<RowSet(const RowQuery&)> {
      return [rows = Tensor(std::as_const(*state).rows()).detach().clone()](const RowQuery&) -> RowSet { return rows; };
    };
  }
  return erased;
}

/// Throws Error where a row state gives other rows than its token's vectors.
template <class Model>
void expect_rows_of(const BoundRows& rows, const Model& model, const Subject& subject, const Tensor& table,
                    const std::string& name) {
  RowQuery query;
  if constexpr (requires { model.denoiser().num_conditioned_layers(); }) {
    query.num_layers = model.denoiser().num_conditioned_layers();
    query.t = at::zeros({1}, table.options().dtype(at::kLong));
  }
  const RowSet set = rows.at(query);
  const auto expect = [&](const Tensor& part, const char* what) {
    expect_shape(part.defined() && part.dim() == 3 ? part[0] : part,
                 {{subject.vectors, "vectors"}, {table.size(1), "D"}},
                 what + (" of " + name) + " for " + subject.token);
  };
  expect(set.rows, "rows()");
  if (set.bypass.defined()) expect(set.bypass, "the bypass");
}

template <class Model, class... C>
void bind_rows(const Model& model, const Recipe<C...>& recipe, BindContext context, Bound& bound) {
  using R = Recipe<C...>;
  if constexpr (R::template count<Role::initializer> + R::template count<Role::row_parameterization> > 0) {
    const auto with_initializer = [&](const auto& initializer) {
      const auto with_parameterization = [&](const auto& parameterization) {
        take_defaults(parameterization, bound);
        take_defaults(initializer, bound);
        const auto table = model.text_encoder().embedding_table();
        for (std::size_t i = 0; i < context.subjects.size(); ++i) {
          context.subject = i;
          context.stream = Stream::initial_rows;  // other numbers than the parameterization's
          const Tensor start = initializer.rows(model, context);
          context.stream = Stream::initialization;
          expect_shape(start, {{context.current().vectors, "vectors"}, {table.size(1), "D"}},
                       initializer.describe().name + " for " + context.current().token);
          auto rows = erase_rows(parameterization.bind(start.detach().to(table.device(), at::kFloat), model, context),
                                 context.current());
          const at::NoGradGuard no_grad;
          // What a parameterization cannot say exactly starts at the nearest that it can; layered rows have no single
          // value.
          rows.initial = (rows.layered ? start.to(table.device(), at::kFloat) : rows.at({}).rows).detach().clone();
          expect_rows_of(rows, model, context.current(), table, parameterization.describe().name);
          bound.rows.push_back(std::move(rows));
        }
      };
      if constexpr (R::template count<Role::row_parameterization> == 1) {
        for_each_of<Role::row_parameterization>(recipe, with_parameterization);
      } else {
        with_parameterization(FreeRows{});
      }
    };
    if constexpr (R::template count<Role::initializer> == 1) {
      for_each_of<Role::initializer>(recipe, with_initializer);
    } else {
      with_initializer(TokenInit{});
    }
  }
}

}  // namespace persona::detail
