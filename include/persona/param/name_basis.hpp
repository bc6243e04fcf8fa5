#pragma once

#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/init/name_rows.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// The mean of the names' c-th rows and their principal directions, for every column c.
struct NameBasis {
  Tensor means{};       ///< [n, D] fp32
  Tensor directions{};  ///< [n, K, D] fp32: orthonormal rows, of falling variance

  /// K is `components`, or what the names span where that is less: as many directions in every column.
  template <class Model>
  static NameBasis of(const Model& model, const std::vector<std::string>& names, std::int64_t n, NameColumns columns,
                      std::int64_t components, const std::string& who) {
    std::vector<Tensor> means, directions;
    std::int64_t most = components;
    if (components < 1)
      throw Error(who, "a basis of " + std::to_string(components) + " components", "give .components of at least 1");
    for (const Tensor& rows : name_rows(model, names, n, columns, who)) {
      const auto table = rows.to(at::kCPU, at::kDouble);
      const auto mean = table.mean(0);
      const auto [u, s, v] = at::linalg_svd(table - mean, /*full_matrices=*/false);
      const auto kept = (s > 1e-6 * s[0].clamp_min(1e-30)).sum().item<std::int64_t>();
      most = std::min(most, kept);
      // of the two signs of a direction, the one whose largest entry is positive: the same on every machine
      const auto largest = v.gather(1, v.abs().argmax(1, true));
      means.push_back(mean), directions.push_back(v * largest.sign());
    }
    if (most < 1)
      throw Error(who, "the names have one row in common and span nothing", "give it more and different names");
    for (Tensor& v : directions) v = v.slice(0, 0, most);
    const auto device = model.text_encoder().embedding_table().device();
    return {at::stack(means).to(device, at::kFloat), at::stack(directions).to(device, at::kFloat)};
  }

  /// Coefficients [n, K] -> rows [n, D].
  Tensor rows(const Tensor& coefficients, bool unit_norm) const {
    const auto a = unit_norm ? coefficients / at::linalg_vector_norm(coefficients, 2, {1}, true) : coefficients;
    return as_compute(means, a) + a.unsqueeze(1).matmul(as_compute(directions, a)).squeeze(1);
  }
  /// The coefficients [n, K] of what of rows [n, D] lies in the basis.
  Tensor project(const Tensor& rows) const {
    return directions.matmul((rows.to(means.device(), at::kFloat) - means).unsqueeze(2)).squeeze(2);
  }
};

}  // namespace persona
