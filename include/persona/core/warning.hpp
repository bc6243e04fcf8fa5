#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <utility>

namespace persona {

/// Takes what is said and not thrown: one sentence, as an Error's.
using WarningHandler = std::function<void(const std::string&)>;

namespace detail {
inline WarningHandler& warning_handler() {
  static WarningHandler handler = [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); };
  return handler;
}
}  // namespace detail

/// Sends warnings elsewhere than to standard error, and returns who had them before. Not for two threads at once.
inline WarningHandler set_warning_handler(WarningHandler handler) {
  return std::exchange(detail::warning_handler(), std::move(handler));
}

/// Says what went on differently than asked for, and how to mend it.
inline void warn(const std::string& where, const std::string& what, const std::string& hint = {}) {
  if (const auto& handler = detail::warning_handler())
    handler("[persona] " + where + ": " + what + (hint.empty() ? "" : " (" + hint + ")"));
}

}  // namespace persona
