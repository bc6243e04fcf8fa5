#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace persona {

/// The learned rows that take the placeholders' positions: [n, D], or [B, n, D] where they differ by sample.
struct RowSet {
  Tensor rows{};
  Tensor bypass{};  ///< NeTI: direction [n, D] or [B, n, D] added to the hidden states that V reads; may be undefined
  double bypass_scale = 0.0;  ///< its length as a share of the hidden state's norm
  Tensor bypass_scales{};  ///< [n, 1] or [B, n, 1]: the same by row, where joined rows differ in it; may be undefined

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

/// The rows of several tokens, one after the other, as one set: [n, D], or [B, n, D] where those of any differ by
/// sample. Rows that have no bypass beside some that have one get zeros, which move nothing.
inline RowSet join_rows(const std::vector<RowSet>& sets) {
  if (sets.size() == 1) return sets.front();
  std::int64_t samples = 0;  // 0: none differ
  const RowSet* moving = nullptr;
  bool one_scale = true;
  for (const RowSet& set : sets) {
    for (const Tensor& part : {set.rows, set.bypass, set.bypass_scales})
      if (part.defined() && part.dim() == 3) samples = part.size(0);
    if (!set.bypass.defined()) continue;
    if (!moving) moving = &set;
    one_scale = one_scale && !set.bypass_scales.defined() && set.bypass_scale == moving->bypass_scale;
  }
  const auto by_sample = [samples](const Tensor& part) {
    return samples > 0 && part.dim() == 2 ? part.unsqueeze(0).expand({samples, part.size(0), part.size(1)}) : part;
  };
  std::vector<Tensor> rows, bypasses, scales;
  for (const RowSet& set : sets) {
    rows.push_back(by_sample(set.rows));
    if (!moving) continue;
    const auto n = set.rows.size(-2);
    const auto options = moving->bypass.options();
    bypasses.push_back(by_sample(set.bypass.defined() ? set.bypass : at::zeros({n, moving->bypass.size(-1)}, options)));
    if (one_scale) continue;
    scales.push_back(
        by_sample(set.bypass_scales.defined() ? set.bypass_scales : at::full({n, 1}, set.bypass_scale, options)));
  }
  RowSet joined(at::cat(rows, -2));
  if (!moving) return joined;
  joined.bypass = at::cat(bypasses, -2);
  if (one_scale)
    joined.bypass_scale = moving->bypass_scale;
  else
    joined.bypass_scales = at::cat(scales, -2);
  return joined;
}

}  // namespace persona
