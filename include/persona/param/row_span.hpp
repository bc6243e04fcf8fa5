#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>

namespace persona {

/// The span of rows that are added one by one, and its rank: each row is orthogonalized against those before it (twice,
/// which is enough), and counts where more than `tolerance` of its length is left. What BaTex's Algorithm 1 asks,
/// rank(E_M) >= d1, without a factorization from scratch for every M.
class RowSpan {
 public:
  /// Share of a row's length below which it says nothing new: rows in fp32 are dependent but for rounding.
  static constexpr double tolerance = 1e-5;

  explicit RowSpan(std::int64_t width)
      : directions_(at::zeros({width, width}, at::TensorOptions().dtype(at::kDouble))) {}

  std::int64_t rank() const { return rank_; }

  /// Adds a row [D]; true where it enlarges the span.
  bool add(const Tensor& row) {
    auto left = row.detach().to(at::kCPU, at::kDouble);
    const double length = at::linalg_vector_norm(left).item<double>();
    if (rank_ == directions_.size(0) || length == 0) return false;
    const auto known = directions_.slice(0, 0, rank_);
    for (int pass = 0; pass < 2; ++pass) left = left - known.t().matmul(known.matmul(left));
    const double rest = at::linalg_vector_norm(left).item<double>();
    if (rest <= tolerance * length) return false;
    directions_[rank_++].copy_(left / rest);
    return true;
  }

  /// What of rows [n, D] lies in the span.
  Tensor project(const Tensor& rows) const {
    const auto known = directions_.slice(0, 0, rank_);
    return rows.detach().to(at::kCPU, at::kDouble).matmul(known.t()).matmul(known);
  }

 private:
  Tensor directions_;
  std::int64_t rank_ = 0;
};

}  // namespace persona
