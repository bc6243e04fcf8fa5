#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>
#include <optional>
#include <utility>

namespace persona {

/// The learned rows that take the placeholders' positions: [n, D], or [B, n, D] where they differ by sample.
struct RowSet {
  Tensor rows{};
  Tensor bypass{};  ///< NeTI: direction [n, D] or [B, n, D] added to the hidden states that V reads; may be undefined
  double bypass_scale = 0.0;  ///< its length as a share of the hidden state's norm

  RowSet() = default;
  RowSet(Tensor rows) : rows(std::move(rows)) {}  // NOLINT: a parameterization without a bypass returns its rows
  RowSet(Tensor rows, Tensor bypass, double bypass_scale)
      : rows(std::move(rows)), bypass(std::move(bypass)), bypass_scale(bypass_scale) {}
};

/// What a layered row parameterization is asked for.
struct RowQuery {
  Tensor t{};                                ///< [B] long, the timestep of each sample
  std::int64_t layer = 0;                    ///< which conditioned layer of the denoiser
  std::int64_t num_layers = 1;               ///< how many it has
  bool training = false;                     ///< nested dropout and the like act only then
  std::optional<at::Generator> generator{};  ///< for what is drawn while training; none at sampling
};

}  // namespace persona
