#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/model/conditioning.hpp>
#include <persona/model/text_encoder.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/splice.hpp>

#include <span>
#include <vector>

namespace persona {

namespace detail {
// h' = h + scale ||h|| b / ||b|| at the placeholders' positions (NeTI, Eq. 5); a direction of zeros moves nothing.
inline Tensor add_bypass(const Tensor& hidden, const SplicePlan& plan, const RowSet& set) {
  const auto at_slots = hidden.index({plan.batch, plan.position});
  const auto chosen = rows_of_slots(set.bypass, plan);
  const auto norm = at::linalg_vector_norm(chosen, 2, {-1}, true);
  const auto direction = as_compute(chosen / at::where(norm > 0, norm, at::ones_like(norm)), hidden);
  auto length = at::linalg_vector_norm(at_slots, 2, {-1}, true);
  length = set.bypass_scales.defined() ? length * as_compute(rows_of_slots(set.bypass_scales, plan), hidden)
                                       : set.bypass_scale * length;
  return at::index_put(hidden, {plan.batch, plan.position}, at_slots + length * direction);
}
}  // namespace detail

/// Embeds ids [B, L], splices the learned rows in and encodes: one set of rows for all layers gives
/// Conditioning::states, one set a layer gives Conditioning::layers, all layers in a single pass of the encoder.
template <TextEncoder E>
Conditioning encode_prompts(const E& encoder, const Tensor& ids, const SplicePlan& plan, std::span<const RowSet> sets) {
  const auto base = at::embedding(encoder.embedding_table(), ids);
  if (sets.empty()) return {.states = encoder.encode(base), .layers = {}, .pooled = {}};
  if (sets.size() == 1 && !sets[0].bypass.defined())
    return {.states = encoder.encode(splice(base, plan, sets[0].rows)), .layers = {}, .pooled = {}};

  std::vector<Tensor> embedded;
  for (const RowSet& set : sets) embedded.push_back(splice(base, plan, set.rows));
  const auto all = at::cat(embedded);
  Conditioning conditioning;
  if constexpr (SplitTextEncoder<E>) {
    const auto hidden = encoder.hidden(all).chunk(static_cast<std::int64_t>(sets.size()));
    std::vector<Tensor> halves;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      halves.push_back(hidden[i]);
      if (sets[i].bypass.defined()) halves.push_back(detail::add_bypass(hidden[i], plan, sets[i]));
    }
    const auto states = encoder.final_norm(at::cat(halves)).chunk(static_cast<std::int64_t>(halves.size()));
    std::size_t next = 0;
    for (const RowSet& set : sets) {
      const auto keys = states[next++];
      conditioning.layers.push_back({.key_states = keys, .value_states = set.bypass.defined() ? states[next++] : keys});
    }
  } else {
    for (const RowSet& set : sets)
      if (set.bypass.defined())
        throw Error("encode_prompts",
                    "these rows carry a bypass, and this text encoder has no 'hidden' and 'final_norm'",
                    "give the encoder both (SplitTextEncoder), or switch the bypass off");
    for (const auto& states : encoder.encode(all).chunk(static_cast<std::int64_t>(sets.size())))
      conditioning.layers.push_back({.key_states = states, .value_states = states});
  }
  conditioning.states = conditioning.layers.front().key_states;
  return conditioning;
}

}  // namespace persona
