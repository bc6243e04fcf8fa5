#pragma once

#include <persona/core/error.hpp>

#include <cstdint>
#include <string>

namespace persona {

/// How many vocabulary rows span a subspace: a count (`576`) or a share of the row's width (`ratio(0.75)`).
struct BasisSize {
  enum class Kind { count, ratio };
  Kind kind = Kind::ratio;
  double value = 0.75;

  constexpr BasisSize() = default;
  constexpr BasisSize(std::int64_t rows)
      : kind(Kind::count), value(static_cast<double>(rows)) {}                   // NOLINT: .size = 576
  constexpr BasisSize(int rows) : BasisSize(static_cast<std::int64_t>(rows)) {}  // NOLINT
  constexpr BasisSize(Kind kind, double value) : kind(kind), value(value) {}

  /// Of rows that are `width` wide; throws Error where that is no number of rows.
  std::int64_t rows(std::int64_t width) const {
    const auto count = static_cast<std::int64_t>(kind == Kind::count ? value : value * static_cast<double>(width));
    if (count < 1)
      throw Error("SubspaceBasis", "a basis of " + std::to_string(count) + " rows",
                  "give .size a number of rows, or ratio(0.75) of the row's width");
    return count;
  }
  std::string text() const {
    const auto number = std::to_string(value);
    return kind == Kind::ratio ? "ratio(" + number + ")" : number;
  }
  friend constexpr bool operator==(const BasisSize&, const BasisSize&) = default;
};

/// A share of the row's width.
constexpr BasisSize ratio(double share) { return {BasisSize::Kind::ratio, share}; }

}  // namespace persona
