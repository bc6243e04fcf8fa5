#pragma once

#include <persona/core/role.hpp>
#include <persona/data/bind_context.hpp>

#include <type_traits>
#include <utility>

namespace persona {

namespace detail {
template <class C, class Model>
concept HasBind =
    requires(const C& component, const Model& model, const BindContext& context) { component.bind(model, context); };
template <class C>
concept HasAnyBindMember = requires { &C::bind; };
}  // namespace detail

/// The run state of a component: what bind(model, context) returns, or, where it has no bind, a copy of the component.
template <class C, class Model>
auto bind_or_copy(const C& component, const Model& model, const BindContext& context) {
  if constexpr (detail::HasBind<C, Model>) {
    return component.bind(model, context);
  } else {
    return component;
  }
}

template <class C, class Model>
using bound_t = std::remove_cvref_t<decltype(bind_or_copy(std::declval<const C&>(), std::declval<const Model&>(),
                                                          std::declval<const BindContext&>()))>;

/// True unless the component has a bind that does not take this model; that of rows or weights, where it also changes
/// these, is another one.
template <class C, class Model>
concept Bindable = detail::HasBind<C, Model> || !detail::HasAnyBindMember<C> ||
                   plays_role<C, Role::row_parameterization> || plays_role<C, Role::weight_parameterization>;

}  // namespace persona
