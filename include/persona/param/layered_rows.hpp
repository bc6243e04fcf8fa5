#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/stored_rows.hpp>

#include <cstdint>
#include <vector>

namespace persona {

/// XTI (P+, Voynov et al. 2023): every cross-attention layer has rows of its own, 16 sets on Stable Diffusion; all
/// start as the initial rows, or where an earlier run ended. The prompt is encoded once for each layer, in one pass.
/// Needs a LayeredDenoiser.
struct LayeredRows {
  using plays = Plays<Role::row_parameterization>;
  Tensor given{};  ///< [layers, n, D] to start from; undefined: every layer at the initial rows

  /// From learned.of("<cat>") on, of a run or of an XTI file; throws Error where its rows are of another kind.
  template <class Rows>
  static LayeredRows from(const Rows& learned) {
    if (learned.stored.form != State::form)
      throw Error(
          "LayeredRows", "the rows of '" + learned.token + "' are not rows by layer",
          learned.layered
              ? "a mapper goes on by NeTIMapper{}.from(learned.of(...)), others from their run's checkpoint ({.resume = folder})"
              : "start every layer at them: RowsInit::from(learned.of(...)) + LayeredRows{}");
    return {learned.stored.tensors.at("rows")};
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
  State bind(const Tensor& rows, const Model& model, const BindContext&) const {
    const std::int64_t layers = model.denoiser().num_conditioned_layers();
    if (given.defined()) {
      expect_shape(given, {{layers, "layers"}, {rows.size(0), "vectors"}, {rows.size(1), "D"}}, "LayeredRows::given",
                   "rows by layer go on on a model of as many layers, with as many vectors");
      return {make_leaf("rows", given.detach().to(rows.device()))};
    }
    return {make_leaf("rows", rows.unsqueeze(0).repeat({layers, 1, 1}))};
  }
  double default_learning_rate() const { return 5e-3; }
  std::int64_t default_steps() const { return 500; }
  Description describe() const {
    if (!given.defined()) return {"LayeredRows", {}};
    return {"LayeredRows", {{"given", persona::hash_tensor(given)}}};
  }
};

}  // namespace persona
