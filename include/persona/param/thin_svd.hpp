#pragma once

#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace persona {

/// W = U diag(s) V^T of W [m, n]: u [m, r], s [r] descending, vt [r, n], r = min(m, n).
struct ThinSvd {
  Tensor u{}, s{}, vt{};

  /// The matrix again, [m, n].
  Tensor product() const { return (u * s).matmul(vt); }
};

/// The thin singular value decomposition of a matrix, computed in fp64 through the smaller Gram matrix, which costs a
/// fraction of a bidiagonalization; singular values below 1e-9 of the largest are 0, their vectors any that complete
/// the others. Returns fp64 on the matrix's device.
inline ThinSvd thin_svd(const Tensor& matrix) {
  const at::NoGradGuard no_grad;
  const auto w = matrix.detach().to(at::kDouble);
  const bool wide = w.size(0) <= w.size(1);
  const auto a = wide ? w : w.t();
  const auto known = [&](const Tensor& of) {  // left vectors, and the rows that they leave: as long as the values
    const auto vectors = std::get<1>(at::linalg_eigh(of.matmul(of.t())));
    const auto rows = vectors.t().matmul(of);
    const auto order =
        std::get<1>(at::linalg_vector_norm(rows, 2, {1}).sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
    return std::pair{vectors.index_select(1, order), rows.index_select(0, order)};
  };
  auto [left, projected] = known(a);
  auto s = at::linalg_vector_norm(projected, 2, {1});
  // A Gram matrix squares, and knows the vectors of values far below its largest badly: these are found anew in what is
  // left once the others are taken out.
  for (std::int64_t sure = 0; s[0].item<double>() > 0;) {
    sure += (s.slice(0, sure) > 1e-4 * s[sure]).sum().item<std::int64_t>();
    if (sure >= s.size(0) || !(s[sure] > 1e-9 * s[0]).item<bool>()) break;
    const auto right = projected.slice(0, 0, sure) / s.slice(0, 0, sure).unsqueeze(1);
    const auto tail = projected.slice(0, sure);
    const auto [turned, rows] = known(tail - tail.matmul(right.t()).matmul(right));
    left = at::cat({left.slice(1, 0, sure), left.slice(1, sure).matmul(turned)}, 1);
    projected = at::cat({projected.slice(0, 0, sure), rows});
    s = at::linalg_vector_norm(projected, 2, {1});
  }

  const auto rank = (s > 1e-9 * s[0]).sum().item<std::int64_t>(), r = s.size(0);
  auto right = projected.slice(0, 0, rank) / s.slice(0, 0, rank).unsqueeze(1);
  if (rank < r) {
    // What is left of anything else once the rows that are known are taken out of it.
    const auto other =
        at::randn({r - rank, a.size(1)}, Random(1).at(Stream::initialization), at::TensorOptions().dtype(at::kDouble));
    const auto basis = std::get<0>(at::linalg_qr(at::cat({right, other.to(a.device())}).t()));
    right = at::cat({right, basis.slice(1, rank, r).t()});
    s.slice(0, rank, r).zero_();
  }
  return wide ? ThinSvd{left, s, right} : ThinSvd{right.t(), s, left.t()};
}

}  // namespace persona
