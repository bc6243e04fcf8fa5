#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace persona {

/// What every run-time failure throws: where it happened, what was found against what was expected, and how to mend it.
class Error : public std::runtime_error {
 public:
  Error(std::string where, std::string what, std::string hint = {})
      : std::runtime_error("[persona] " + where + ": " + what + (hint.empty() ? "" : " (" + hint + ")")),
        where_(std::move(where)),
        hint_(std::move(hint)) {}

  /// The component, file or argument that failed.
  const std::string& where() const noexcept { return where_; }
  /// How to mend it; empty where nothing but the message helps.
  const std::string& hint() const noexcept { return hint_; }

 private:
  std::string where_, hint_;
};

}  // namespace persona
