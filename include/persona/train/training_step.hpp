#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// Mean Euclidean norm of rows [..., D].
inline double mean_norm(const Tensor& rows) { return at::linalg_vector_norm(rows, 2, {-1}).mean().item<double>(); }

/// Mean cosine of rows [..., n, D] to `start` [n, D].
inline double mean_cosine(const Tensor& rows, const Tensor& start) {
  const auto norms = at::linalg_vector_norm(rows, 2, {-1}) * at::linalg_vector_norm(start, 2, {-1});
  return ((rows * start).sum(-1) / norms.clamp_min(1e-12)).mean().item<double>();
}

/// One finished step of a run. Its numbers stay on the device until they are asked for.
class Step {
 public:
  std::int64_t index = 0;  ///< counted from 1
  std::int64_t steps = 0;  ///< of the whole run
  double seconds = 0.0;    ///< since this session's first step began, on the host's clock
  double rate = 0.0;       ///< steps a second so far

  double loss() const { return loss_.item<double>(); }
  double denoising_loss() const { return denoising_.item<double>(); }
  /// What each regularizer added.
  std::vector<std::pair<std::string, double>> terms() const {
    std::vector<std::pair<std::string, double>> list;
    for (const auto& [name, value] : terms_) list.emplace_back(name, value.item<double>());
    return list;
  }
  /// Mean Euclidean norm of the learned rows after this step; 0 where none are trained, or each layer has its own.
  double row_norm() const { return rows_.defined() ? mean_norm(rows_) : 0.0; }
  /// Mean cosine of the learned rows to where they started; 1 where none are trained, or each layer has its own.
  double cosine_to_start() const { return rows_.defined() ? mean_cosine(rows_, start_) : 1.0; }

 private:
  friend class Session;
  Tensor loss_{}, denoising_{}, rows_{}, start_{};
  std::vector<std::pair<std::string, Tensor>> terms_{};
};

}  // namespace persona
