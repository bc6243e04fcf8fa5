#pragma once

#include <persona/core/tensor.hpp>
#include <persona/init/name_rows.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// The mean rows [n, D] fp32 of a list of names: row i over the names that have a word or piece for it; names that
/// occur twice count twice. Throws Error where there are no names, or no name reaches row i.
template <class Model>
Tensor mean_of_names(const Model& model, const std::vector<std::string>& names, std::int64_t n,
                     NameColumns columns = NameColumns::words) {
  std::vector<Tensor> means;
  for (const Tensor& rows : name_rows(model, names, n, columns)) means.push_back(rows.mean(0));
  return at::stack(means);
}

}  // namespace persona
