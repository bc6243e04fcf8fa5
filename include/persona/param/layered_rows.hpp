#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/data/by_token.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/stored_rows.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace persona {

/// XTI (P+, Voynov et al. 2023): every cross-attention layer has rows of its own, 16 sets on Stable Diffusion; all
/// start as the initial rows, or where an earlier run ended. The prompt is encoded once for each layer, in one pass.
/// Needs a LayeredDenoiser.
struct LayeredRows {
  using plays = Plays<Role::row_parameterization>;
  Tensor given{};                            ///< [layers, n, D] to start from; undefined: all at the initial rows
  std::map<std::string, Tensor> of_token{};  ///< or [layers, n, D] for each subject by its token

  /// From learned.of("<cat>") on, of a run or of an XTI file, or from all of a Learned, each subject from its own
  /// token's; throws Error where rows are of another kind.
  template <class L>
  static LayeredRows from(const L& learned) {
    LayeredRows next;
    detail::take_learned(learned, next.given, next.of_token, [](const auto& row) { return by_layer(row); });
    return next;
  }

  struct State {
    Leaf leaf{};  ///< [layers, n, D]
    std::vector<Leaf> leaves() const { return {leaf}; }
    /// [n, D] of the layer that is asked for.
    RowSet rows(const RowQuery& query) const { return leaf.value[query.layer]; }
    State snapshot() const { return {frozen(leaf)}; }

    static constexpr const char* form = "layered_rows";
    StoredRows stored() const {
      return {
          form, leaf.value.size(0), {{"rows", leaf.value.detach().cpu()}}, /*timesteps=*/1000, /*by_timestep=*/false};
    }
    static State from(const StoredRows& stored) {
      const auto& rows = stored.tensors.at("rows");
      const auto layers = stored.layers > 0 ? Dim(stored.layers, "layers") : Dim("layers");
      expect_shape(rows, {layers, "vectors", "D"}, "layered rows");
      return {frozen({.name = "rows", .value = rows})};
    }
  };

  /// rows [n, D] -> one leaf of layers x n x D floats; throws Error where those that are given have another shape.
  template <class Model>
  State bind(const Tensor& rows, const Model& model, const BindContext& context) const {
    const std::int64_t layers = model.denoiser().num_conditioned_layers();
    const Tensor& from = of_token.empty() ? given : detail::by_token(of_token, context.current().token, "LayeredRows");
    if (from.defined()) {
      expect_shape(from, {{layers, "layers"}, {rows.size(0), "vectors"}, {rows.size(1), "D"}}, "LayeredRows::from",
                   "rows by layer go on on a model of as many layers, with as many vectors");
      return {make_leaf("rows", from.detach().to(rows.device()))};
    }
    return {make_leaf("rows", rows.unsqueeze(0).repeat({layers, 1, 1}))};
  }
  double default_learning_rate() const { return 5e-3; }
  std::int64_t default_steps() const { return 500; }
  Description describe() const {
    if (!given.defined() && of_token.empty()) return {"LayeredRows", {}};
    auto hash = given.defined() ? persona::hash_tensor(given) : std::uint64_t{0};
    for (const auto& [token, rows] : of_token) hash = persona::hash_tensor(rows, hash_text(token, hash));
    return {"LayeredRows", {{"given", hash}}};
  }

 private:
  template <class Rows>
  static Tensor by_layer(const Rows& learned) {
    if (learned.stored.form != State::form)
      throw Error(
          "LayeredRows", "the rows of '" + learned.token + "' are not rows by layer",
          learned.layered
              ? "a mapper goes on by NeTIMapper{}.from(learned.of(...)), others from their run's checkpoint ({.resume = folder})"
              : "start every layer at them: RowsInit::from(learned.of(...)) + LayeredRows{}");
    return learned.stored.tensors.at("rows");
  }
};

}  // namespace persona
