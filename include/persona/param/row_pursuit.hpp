#pragma once

#include <persona/core/tensor.hpp>
#include <persona/param/row_span.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace persona {

/// The fewest rows of `table` [V, D] that a greedy search finds for `targets` [k, D] to lie in their span but for
/// 1 - share of their energy, each target counted alike: simultaneous orthogonal matching pursuit (Tropp, Gilbert,
/// Strauss 2006). `first` are taken beforehand, `excluded` never; at most `most` in all.
inline std::vector<std::int64_t> pursue_rows(const Tensor& table, const Tensor& targets, double share,
                                             std::vector<std::int64_t> first, const std::vector<std::int64_t>& excluded,
                                             std::int64_t most) {
  const at::NoGradGuard no_grad;
  const auto rows = table.detach().to(at::kFloat);
  const auto unit = rows / at::linalg_vector_norm(rows, 2, {1}, true).clamp_min(1e-12);
  auto wanted = targets.detach().to(at::kCPU, at::kDouble);
  wanted = wanted / at::linalg_vector_norm(wanted, 2, {1}, true).clamp_min(1e-300);
  auto open = at::ones({table.size(0)}, rows.options());
  RowSpan span(table.size(1));
  auto chosen = std::move(first);
  for (const std::int64_t id : excluded) open[id].zero_();
  for (const std::int64_t id : chosen) open[id].zero_(), span.add(rows[id]);
  while (std::ssize(chosen) < most) {
    const auto rest = wanted - span.project(wanted);
    if (rest.square().sum().item<double>() <= (1 - share) * static_cast<double>(wanted.size(0))) break;
    const auto fit = unit.matmul(rest.to(rows.options()).t()).square().sum(1) * open;
    const auto best = fit.argmax().item<std::int64_t>();
    if (fit[best].item<double>() <= 0) break;  // nothing that is left points there
    chosen.push_back(best), open[best].zero_(), span.add(rows[best]);
  }
  return chosen;
}

}  // namespace persona
