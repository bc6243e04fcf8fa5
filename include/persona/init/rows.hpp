#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/data/by_token.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace persona {

/// Rows that are given: goes on from what an earlier run or another tool learned,
/// RowsInit::from(import_embedding("cat.safetensors").of("<cat>")). Moments of the optimizer are not in such a file: a
/// run that is to go on bit for bit resumes from its checkpoint. CelebMapper looks at no start: what it learned goes on
/// in CelebBasis{.unit_norm = true}.
struct RowsInit {
  using plays = Plays<Role::initializer>;
  Tensor given{};                            ///< [n, D], for every subject
  std::map<std::string, Tensor> of_token{};  ///< or [n, D] for each by its token

  /// Of learned.of("<cat>"), or of all of a Learned, where each subject goes on from its own token's; throws Error
  /// where rows differ by layer or timestep, and one set would say another thing.
  template <class L>
  static RowsInit from(const L& learned) {
    RowsInit init;
    detail::take_learned(learned, init.given, init.of_token, [](const auto& row) { return one_set(row); });
    return init;
  }

  /// [n, D]; throws Error where none were given. A width or number that does not fit is found when the sum is bound.
  template <class Model>
  Tensor rows(const Model&, const BindContext& context) const {
    if (!of_token.empty())
      return detail::by_token(of_token, context.current().token, "RowsInit").detach().to(at::kFloat);
    if (!given.defined())
      throw Error("RowsInit", "no rows to start from", "give RowsInit::from(learned.of(\"<cat>\"))");
    return given.detach().to(at::kFloat);
  }
  Description describe() const {
    auto hash = given.defined() ? persona::hash_tensor(given) : std::uint64_t{0};
    for (const auto& [token, rows] : of_token) hash = persona::hash_tensor(rows, hash_text(token, hash));
    return {"RowsInit", {{"rows", hash}}};
  }

 private:
  template <class Rows>
  static Tensor one_set(const Rows& learned) {
    if (learned.layered)
      throw Error(
          "RowsInit", "the rows of '" + learned.token + "' differ by layer or timestep",
          learned.stored.form == "layered_rows"
              ? "go on with LayeredRows::from(learned.of(\"" + learned.token + "\"))"
              : "a mapper goes on by NeTIMapper{}.from(learned.of(...)), others from their run's checkpoint ({.resume = folder})");
    return learned.rows;
  }
};

}  // namespace persona
