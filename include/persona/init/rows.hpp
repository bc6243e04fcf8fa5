#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>

#include <cstdint>
#include <string>

namespace persona {

/// Rows that are given: goes on from what an earlier run or another tool learned,
/// RowsInit::from(import_embedding("cat.pt").of("<cat>")). Moments of the optimizer are not in such a file: a run that
/// is to go on bit for bit resumes from its checkpoint. CelebMapper looks at no start: what it learned goes on in
/// CelebBasis{.unit_norm = true}.
struct RowsInit {
  using plays = Plays<Role::initializer>;
  Tensor given{};  ///< [n, D]

  /// Of learned.of("<cat>"); throws Error where its rows differ by layer or timestep, and one set would say another
  /// thing.
  template <class Rows>
  static RowsInit from(const Rows& learned) {
    if (learned.layered)
      throw Error(
          "RowsInit", "the rows of '" + learned.token + "' differ by layer or timestep",
          learned.stored.form == "layered_rows"
              ? "go on with LayeredRows::from(learned.of(\"" + learned.token + "\"))"
              : "a mapper goes on by NeTIMapper{}.from(learned.of(...)), others from their run's checkpoint ({.resume = folder})");
    return {learned.rows};
  }

  /// [n, D]; throws Error where none were given. A width or number that does not fit is found when the sum is bound.
  template <class Model>
  Tensor rows(const Model&, const BindContext&) const {
    if (!given.defined())
      throw Error("RowsInit", "no rows to start from", "give RowsInit::from(learned.of(\"<cat>\"))");
    return given.detach().to(at::kFloat);
  }
  Description describe() const {
    return {"RowsInit", {{"rows", given.defined() ? persona::hash_tensor(given) : std::uint64_t{0}}}};
  }
};

}  // namespace persona
