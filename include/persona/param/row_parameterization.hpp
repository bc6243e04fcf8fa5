#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/model/archetype.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/stored_rows.hpp>

#include <concepts>
#include <ranges>

namespace persona {

namespace detail {
template <class S>
concept HasLeaves = requires(const S& state) {
  { state.leaves() } -> std::ranges::input_range;
  requires std::convertible_to<std::ranges::range_value_t<decltype(state.leaves())>, Leaf>;
};
template <class S>
concept HasUniformRows = requires(const S& state) {
  { state.rows() } -> std::convertible_to<Tensor>;
};
template <class S>
concept HasLayeredRows = requires(const S& state, const RowQuery& query) {
  { state.rows(query) } -> std::convertible_to<RowSet>;
};
template <class S>
concept HasSnapshot = requires(const S& state) {
  { state.snapshot() } -> std::convertible_to<S>;
};
template <class S>
concept HasStored = requires(const S& state, const StoredRows& stored) {
  { S::form } -> std::convertible_to<std::string>;
  { state.stored() } -> std::convertible_to<StoredRows>;
  { S::from(stored) } -> std::convertible_to<S>;
};
template <class P, class Model>
concept HasRowBind = requires(const P& parameterization, const Tensor& rows, const Model& model,
                              const BindContext& context) { parameterization.bind(rows, model, context); };
template <class P, class Model>
using row_state_t = std::remove_cvref_t<decltype(std::declval<const P&>().bind(
    std::declval<const Tensor&>(), std::declval<const Model&>(), std::declval<const BindContext&>()))>;
}  // namespace detail

/// leaves() and rows() -> [n, D], differentiable in the leaves; at bind, rows() equals what it was bound to, or the
/// nearest that the parameterization can say.
template <class S>
concept RowState = detail::HasLeaves<S> && detail::HasUniformRows<S>;

/// leaves(), rows(RowQuery) -> RowSet [n, D] or [B, n, D]: other rows for each conditioned layer, and each timestep;
/// and snapshot(), a copy whose leaves no longer follow the run.
template <class S>
concept LayeredRowState = detail::HasLeaves<S> && detail::HasLayeredRows<S> && detail::HasSnapshot<S>;

/// A LayeredRowState that a file can hold: `form`, stored(), and from(stored) that gives the same rows back.
template <class S>
concept StoredRowState = LayeredRowState<S> && detail::HasStored<S>;

/// bind(rows [n, D], model, context) -> RowState or LayeredRowState.
template <class P, class Model>
concept RowParameterizationFor =
    Component<P> && detail::HasRowBind<P, Model> &&
    (RowState<detail::row_state_t<P, Model>> || LayeredRowState<detail::row_state_t<P, Model>>);

/// A row parameterization that works with every model.
template <class P>
concept RowParameterization = RowParameterizationFor<P, archetype::DiffusionModel>;

}  // namespace persona
