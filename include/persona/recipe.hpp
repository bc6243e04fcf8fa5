#pragma once

#include <persona/core/role.hpp>
#include <persona/explain.hpp>

#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace persona {

/// A sum of components, by value, in the order written. Nothing happens until it is bound to a model.
template <Component... C>
struct Recipe {
  std::tuple<C...> components{};

  /// How many of the components play `role`.
  template <Role role>
  static constexpr int count = (0 + ... + (plays_role<C, role> ? 1 : 0));

  std::vector<Description> describe() const {
    return std::apply([](const auto&... component) { return std::vector<Description>{component.describe()...}; },
                      components);
  }
};

namespace detail {
template <class R>
inline constexpr bool is_recipe = false;
template <class... C>
inline constexpr bool is_recipe<Recipe<C...>> = true;

/// Everything about a sum that does not depend on the model.
template <class... C>
consteval bool explain_sum() {
  using R = Recipe<C...>;
  static_assert(R::template count<Role::initializer> <= 1,
                "[persona] recipe: two components play the Initializer role; keep one (docs/concepts/recipe.md)");
  static_assert(
      R::template count<Role::row_parameterization> <= 1,
      "[persona] recipe: two components play the RowParameterization role; keep one (docs/concepts/recipe.md)");
  static_assert(R::template count<Role::scheduler> <= 1,
                "[persona] recipe: two components play the Scheduler role; keep one (docs/concepts/recipe.md)");
  static_assert(R::template count<Role::optimizer> <= 1,
                "[persona] recipe: two components play the Optimizer role; keep one (docs/concepts/recipe.md)");
  static_assert(
      R::template count<Role::learning_rate_schedule> <= 1,
      "[persona] recipe: two components play the LearningRateSchedule role; keep one (docs/concepts/recipe.md)");
  (
      [] {
        if constexpr (plays_role<C, Role::scheduler>) (void)explain_scheduler<C>();
        if constexpr (plays_role<C, Role::optimizer>) (void)explain_optimizer<C>();
        if constexpr (plays_role<C, Role::learning_rate_schedule>) (void)explain_learning_rate_schedule<C>();
        if constexpr (plays_role<C, Role::augmentation>) (void)explain_augmentation<C>();
        if constexpr (plays_role<C, Role::weight_parameterization>) (void)explain_weight_parameterization<C>();
      }(),
      ...);
  return true;
}

template <class... C>
auto sum(std::tuple<C...> components) {
  static_assert(explain_sum<C...>());
  return Recipe<C...>{std::move(components)};
}

template <class T>
auto as_tuple(T part) {
  if constexpr (is_recipe<T>) {
    return std::move(part.components);
  } else {
    return std::tuple<T>(std::move(part));
  }
}

template <class T>
concept Summand = Component<T> || is_recipe<T>;
}  // namespace detail

/// The sum of components (or of recipes): recipe(CrossInit{names}, L2Reg{1e-5}).
template <class... Parts>
auto recipe(Parts... parts) {
  (
      [] {
        if constexpr (!detail::is_recipe<Parts>) (void)explain_component<Parts>();
      }(),
      ...);
  return detail::sum(std::tuple_cat(detail::as_tuple(std::move(parts))...));
}

/// The same with +. In a namespace of your own that holds a component: `using persona::operator+;`.
template <class Left, class Right>
  requires detail::Summand<Left> && detail::Summand<Right>
auto operator+(Left left, Right right) {
  return recipe(std::move(left), std::move(right));
}

/// Exactly one operand is a component: says what the other lacks.
template <class Left, class Right>
  requires(detail::Summand<Left> != detail::Summand<Right>)
auto operator+(Left left, Right right) {
  static_assert(
      detail::Summand<Left> && detail::Summand<Right>,
      "[persona] operator+: only one operand is a component; the other needs 'using plays = persona::Plays<...>;' and 'describe()' (docs/how-to/write_a_component.md)");
  // Goes on with the component, so that the rest of the sum adds no errors of its own.
  if constexpr (detail::Summand<Left>)
    return left;
  else
    return right;
}

}  // namespace persona
