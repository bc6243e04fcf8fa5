#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/text/placeholder.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

namespace persona {

/// Where the learned rows of a batch go: embeddings[batch[k], position[k]] = rows[row[k]], made on the host once a
/// batch.
struct SplicePlan {
  Tensor batch{}, position{}, row{};  ///< [k] long each, on the embeddings' device
  std::int64_t samples = 0, length = 0,
               rows = 0;  ///< the least sizes that fit: known on the host, so that nothing syncs

  bool empty() const { return !batch.defined() || batch.size(0) == 0; }
};

namespace detail {
// One pinned buffer where the device has a bus between: a single copy that the host does not wait for.
inline Tensor host_longs(at::IntArrayRef shape, at::Device device) {
  return at::empty(shape, at::TensorOptions().dtype(at::kLong).pinned_memory(device.is_cuda()));
}
}  // namespace detail

/// The plan of a batch of tokenized prompts, on `device`.
inline SplicePlan make_splice_plan(std::span<const PromptTokens> prompts, at::Device device = at::kCPU) {
  std::int64_t slots = 0;
  for (const PromptTokens& prompt : prompts) slots += static_cast<std::int64_t>(prompt.slots.size());
  const auto packed = detail::host_longs({3, slots}, device);
  SplicePlan plan{.samples = static_cast<std::int64_t>(prompts.size())};
  auto* batch = packed.mutable_data_ptr<std::int64_t>();
  auto *position = batch + slots, *row = position + slots;
  for (std::int64_t sample = 0; sample < plan.samples; ++sample) {
    const PromptTokens& prompt = prompts[static_cast<std::size_t>(sample)];
    plan.length = std::max(plan.length, static_cast<std::int64_t>(prompt.ids.size()));
    for (const Slot& slot : prompt.slots) {
      *batch++ = sample;
      *position++ = slot.position;
      *row++ = slot.row;
      plan.rows = std::max(plan.rows, slot.row + 1);
    }
  }
  const auto moved = packed.to(device, /*non_blocking=*/true);
  plan.batch = moved.select(0, 0);
  plan.position = moved.select(0, 1);
  plan.row = moved.select(0, 2);
  return plan;
}

/// The ids of a batch of tokenized prompts: [B, L] long, on `device`.
inline Tensor stack_ids(std::span<const PromptTokens> prompts, at::Device device = at::kCPU) {
  const auto length = prompts.empty() ? std::size_t{0} : prompts[0].ids.size();
  const auto ids =
      detail::host_longs({static_cast<std::int64_t>(prompts.size()), static_cast<std::int64_t>(length)}, device);
  auto* next = ids.mutable_data_ptr<std::int64_t>();
  for (const PromptTokens& prompt : prompts) {
    if (prompt.ids.size() != length)
      throw Error("stack_ids",
                  "prompts of " + std::to_string(length) + " and of " + std::to_string(prompt.ids.size()) + " ids",
                  "tokenize all with one tokenizer");
    next = std::copy(prompt.ids.begin(), prompt.ids.end(), next);
  }
  return ids.to(device, /*non_blocking=*/true);
}

namespace detail {
// The row of each slot, of rows [n, D] or [B, n, D]. at::embedding: its backward pass sums repeated rows in one order,
// so that two runs agree bit for bit.
inline Tensor rows_of_slots(const Tensor& rows, const SplicePlan& plan) {
  if (rows.dim() == 2) return at::embedding(rows, plan.row);
  return at::embedding(rows.reshape({-1, rows.size(2)}), plan.batch * rows.size(1) + plan.row);
}
}  // namespace detail

/// `embeddings` [B, L, D] with the learned `rows` [n, D] or [B, n, D] in their places: out of place, of fixed shape,
/// differentiable in both; the rows are cast to the embeddings' dtype here. An empty plan returns `embeddings`.
inline Tensor splice(const Tensor& embeddings, const SplicePlan& plan, const Tensor& rows) {
  if (plan.empty()) return embeddings;
  expect_shape(embeddings, {{plan.samples, "B"}, {plan.length, "L"}, "D"}, "splice: embeddings",
               "the plan is another batch's");
  const auto width = embeddings.size(2);
  const bool per_sample = rows.defined() && rows.dim() == 3;
  if (per_sample)
    expect_shape(rows, {{plan.samples, "B"}, "n", {width, "D"}}, "splice: rows");
  else
    expect_shape(rows, {"n", {width, "D"}}, "splice: rows", "rows as wide as the token embeddings");
  const auto n = rows.size(-2);
  if (n < plan.rows)
    throw Error("splice", "the prompts ask for " + std::to_string(plan.rows) + " rows, got " + std::to_string(n),
                "the placeholders' vectors add up to the number of rows");
  const auto chosen = as_compute(detail::rows_of_slots(rows, plan), embeddings);
  return at::index_put(embeddings, {plan.batch, plan.position}, chosen);
}

}  // namespace persona
