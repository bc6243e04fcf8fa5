#pragma once

#include <persona/core/role.hpp>
#include <persona/core/weight.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/model/weight_host.hpp>

#include <concepts>
#include <memory>
#include <type_traits>

namespace persona {

namespace detail {
template <class P>
concept HasSelects = requires(const P& parameterization, const WeightRef& ref) {
  { parameterization.selects(ref) } -> std::convertible_to<bool>;
};
template <class P>
concept HasWeightBind = requires(const P& parameterization, const WeightRef& ref, const BindContext& context) {
  parameterization.bind(ref, context);
};
template <class P>
using adapter_t = std::remove_cvref_t<decltype(std::declval<const P&>().bind(std::declval<const WeightRef&>(),
                                                                             std::declval<const BindContext&>()))>;
template <class A>
concept AdapterPointer =
    std::convertible_to<A, std::shared_ptr<const Replacement>> || std::convertible_to<A, std::shared_ptr<const Delta>>;
}  // namespace detail

/// selects(WeightRef) -> bool; bind(WeightRef, context) -> shared_ptr to a Replacement or a Delta that owns its leaves.
/// Means: at bind the changed weight equals the base; the base tensor is never written.
template <class P>
concept WeightParameterization =
    Component<P> && detail::HasSelects<P> && detail::HasWeightBind<P> && detail::AdapterPointer<detail::adapter_t<P>>;

}  // namespace persona
