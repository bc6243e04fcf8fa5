#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>

namespace persona {

/// How many vocabulary rows span a subspace: a count (`576`), a share of the row's width (`ratio(0.75)`), or as many as
/// the photos ask for (`automatic`).
struct BasisSize {
  enum class Kind { count, ratio, automatic };
  Kind kind = Kind::ratio;
  double value = 0.75;

  constexpr BasisSize() = default;
  template <std::integral Count>
  constexpr BasisSize(Count rows) : kind(Kind::count), value(static_cast<double>(rows)) {}  // NOLINT: .size = 576
  constexpr BasisSize(Kind kind, double value) : kind(kind), value(value) {}

  bool is_automatic() const { return kind == Kind::automatic; }
  /// Of rows that are `width` wide, where it is a count or a ratio; throws Error where that is no number of rows.
  std::int64_t rows(std::int64_t width) const {
    const double count = std::floor(kind == Kind::count ? value : value * static_cast<double>(width));
    if (!(count >= 1 && count <= 1e12))
      throw Error("SubspaceBasis", "a basis of " + Field("", count).value + " rows",
                  "give .size a number of rows, or ratio(0.75) of the row's width");
    return static_cast<std::int64_t>(count);
  }
  std::string text() const {
    if (kind == Kind::count) return std::to_string(static_cast<std::int64_t>(value));
    return (kind == Kind::ratio ? "ratio(" : "captures(") + Field("", value).value + ")";
  }
  friend constexpr bool operator==(const BasisSize&, const BasisSize&) = default;
};

/// A share of the row's width.
constexpr BasisSize ratio(double share) { return {BasisSize::Kind::ratio, share}; }
/// As few rows as capture this share of the energy of the first gradients.
constexpr BasisSize captures(double share) { return {BasisSize::Kind::automatic, share}; }
inline constexpr BasisSize automatic = captures(0.9);

}  // namespace persona
