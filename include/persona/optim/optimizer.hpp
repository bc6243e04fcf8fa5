#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>

#include <concepts>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// A tensor of an optimizer's state by name; a checkpoint writes it, and reads into it in place.
using NamedTensor = std::pair<std::string, Tensor>;

/// What an optimizer is told at each step.
struct OptimizerStep {
  double lr_factor = 1.0;  ///< of the learning-rate schedule
  Tensor found_inf{};  ///< scalar on the leaves' device, 1 where the loss or a gradient is not finite: then nothing may
                       ///< change
};

namespace detail {
template <class O>
concept HasOptimizerBind = requires(const O& optimizer, std::vector<Leaf> leaves, double default_lr) {
  optimizer.bind(std::move(leaves), default_lr);
};
template <class O>
using optimizer_state_t = std::remove_cvref_t<decltype(std::declval<const O&>().bind(std::vector<Leaf>{}, 1e-3))>;
template <class S>
concept HasOptimizerStep = requires(S& state, const OptimizerStep& step) { state.step(step); };
template <class S>
concept HasOptimizerState = requires(const S& state) {
  { state.state() } -> std::ranges::input_range;
  requires std::convertible_to<std::ranges::range_value_t<decltype(state.state())>, NamedTensor>;
};
}  // namespace detail

/// bind(leaves, default_lr) -> state with step(OptimizerStep), which reads the leaves' gradients and changes their
/// values in place, and state() -> range of NamedTensor. default_lr is the parameterization's, for an optimizer that
/// was given none.
template <class O>
concept Optimizer =
    Component<O> && detail::HasOptimizerBind<O> && detail::HasOptimizerStep<detail::optimizer_state_t<O>> &&
    detail::HasOptimizerState<detail::optimizer_state_t<O>>;

}  // namespace persona
