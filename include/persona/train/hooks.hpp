#pragma once

#include <persona/train/run.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace persona {

/// What a hook's on_step may answer.
enum class Flow { go_on, stop };

namespace detail {
template <class H>
Flow tell_step(H& hook, const Step& step) {
  if constexpr (requires {
                  { hook.on_step(step) } -> std::same_as<Flow>;
                }) {
    return hook.on_step(step);
  } else if constexpr (requires { hook.on_step(step); }) {
    hook.on_step(step);
  } else if constexpr (std::is_invocable_r_v<Flow, H&, const Step&>) {
    return hook(step);
  } else if constexpr (std::invocable<H&, const Step&>) {
    hook(step);
  }
  return Flow::go_on;
}
template <class H>
concept Hook = requires(H& hook, const Run& run) { hook.on_begin(run); } || requires(H& hook, const Run& run) {
  hook.on_end(run);
} || requires(H& hook, const Step& step) { hook.on_step(step); } || std::invocable<H&, const Step&>;
}  // namespace detail

/// Loops over what is left of a run. A hook has any of on_begin(const Run&), on_step(const Step&) and on_end(const
/// Run&), or is callable with a Step; only what it defines is called, and on_step or the callable may answer
/// Flow::stop.
template <class... Hooks>
void drain(const Run& run, Hooks&&... hooks) {
  static_assert(
      (detail::Hook<std::remove_reference_t<Hooks>> && ...),
      "[persona] not a hook: needs one of 'on_begin(const Run&)', 'on_step(const Step&)', 'on_end(const Run&)', or to be callable with a 'const Step&' (docs/how-to/write_a_component.md)");
  (
      [&] {
        if constexpr (requires { hooks.on_begin(run); }) hooks.on_begin(run);
      }(),
      ...);
  for (const Step& step : run)
    if (((detail::tell_step(hooks, step) == Flow::stop) | ... | false)) break;
  run.session().check();
  run.session().expect_finite_leaves();
  (
      [&] {
        if constexpr (requires { hooks.on_end(run); }) hooks.on_end(run);
      }(),
      ...);
}

}  // namespace persona
