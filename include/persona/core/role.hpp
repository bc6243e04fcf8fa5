#pragma once

#include <persona/core/describe.hpp>

#include <concepts>

namespace persona {

/// What a component is in a sum.
enum class Role {
  initializer,
  row_parameterization,
  weight_parameterization,
  regularizer,
  contribution,
  augmentation,
  scheduler,
  optimizer,
  learning_rate_schedule,
};

/// The opt-in: `using plays = persona::Plays<persona::Role::regularizer>;` makes a type a component of sums.
template <Role... Roles>
struct Plays {
  static constexpr bool includes(Role role) { return ((Roles == role) || ...); }
};

namespace detail {
template <class T>
inline constexpr bool is_plays = false;
template <Role... Roles>
inline constexpr bool is_plays<Plays<Roles...>> = true;
template <class C>
concept OptsIn = requires { typename C::plays; } && is_plays<typename C::plays>;
}  // namespace detail

/// A part of a sum: a copyable value that opted in to one or more roles and describes itself.
template <class C>
concept Component = detail::OptsIn<C> && std::copyable<C> && Described<C>;

/// True where C opted in to `role`.
template <class C, Role role>
inline constexpr bool plays_role = [] {
  if constexpr (detail::OptsIn<C>) return C::plays::includes(role);
  return false;
}();

}  // namespace persona
