#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/data/bind_context.hpp>

#include <vector>

namespace persona {

/// The rows themselves are trained: v is free (Textual Inversion, Cross Initialization).
struct FreeRows {
  using plays = Plays<Role::row_parameterization>;

  struct State {
    Leaf leaf{};
    std::vector<Leaf> leaves() const { return {leaf}; }
    const Tensor& rows() const { return leaf.value; }
  };

  /// rows [n, D] -> one leaf of n x D floats.
  template <class Model>
  State bind(const Tensor& rows, const Model&, const BindContext&) const {
    return {make_leaf("rows", rows)};
  }
  double default_learning_rate() const { return 5e-3; }
  std::int64_t default_steps() const { return 3000; }
  Description describe() const { return {"FreeRows", {}}; }
};

}  // namespace persona
