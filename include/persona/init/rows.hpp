#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>

#include <cstdint>

namespace persona {

/// Rows that are given: goes on from what an earlier run or another tool learned,
/// RowsInit{import_embedding("cat.pt").of("<cat>").rows}. Moments of the optimizer are not in such a file: a run that
/// is to go on bit for bit resumes from its checkpoint.
struct RowsInit {
  using plays = Plays<Role::initializer>;
  Tensor given{};  ///< [n, D]

  /// [n, D]; throws Error where none were given. A width or number that does not fit is found when the sum is bound.
  template <class Model>
  Tensor rows(const Model&, const BindContext&) const {
    if (!given.defined()) throw Error("RowsInit", "no rows to start from", "give RowsInit{learned.of(\"<cat>\").rows}");
    return given.detach().to(at::kFloat);
  }
  Description describe() const {
    return {"RowsInit", {{"rows", given.defined() ? persona::hash_tensor(given) : std::uint64_t{0}}}};
  }
};

}  // namespace persona
