#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace persona {

/// A mean over images, how sure it is, and what was left out of it.
struct Score {
  double mean =
      std::numeric_limits<double>::quiet_NaN();  ///< not a number where nothing was scored, or one value is none
  double standard_error = std::numeric_limits<double>::quiet_NaN();  ///< s / sqrt(n); not a number below two images
  std::int64_t count = 0;                                            ///< images that were scored
  std::int64_t left_out = 0;                                         ///< images that the rule passed over
};

/// The score of one value an image, [N].
inline Score score_of(const Tensor& values, std::int64_t left_out = 0) {
  if (values.dim() != 1)
    throw Error("score_of", "expected one value an image, [N], got " + std::to_string(values.dim()) + " axes");
  Score score{.count = values.size(0), .left_out = left_out};
  const auto v = values.to(at::kCPU, at::kDouble);
  if (score.count > 0) score.mean = v.mean().item<double>();
  if (score.count > 1) {
    const double n = static_cast<double>(score.count);
    score.standard_error = std::sqrt((v - score.mean).square().sum().item<double>() / (n - 1) / n);
  }
  return score;
}

namespace detail {
// Cosines of every row of a [N, D] with every row of b [M, D]: [N, M] fp32 on the CPU.
inline Tensor cosines(const Tensor& a, const Tensor& b, const char* where) {
  if (a.dim() != 2 || b.dim() != 2 || a.size(1) != b.size(1))
    throw Error(where, "features do not fit each other",
                "an embedder gives [N, D] with one D, for images as for texts");
  const auto unit = [](const Tensor& x) {
    const auto wide = x.to(at::kCPU, at::kFloat);
    return wide / at::linalg_vector_norm(wide, 2, {1}, true).clamp_min(1e-12);
  };
  return unit(a).matmul(unit(b).t());
}
}  // namespace detail

}  // namespace persona
