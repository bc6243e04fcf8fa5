#pragma once

#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/encode_prompts.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/splice.hpp>
#include <persona/train/bound.hpp>
#include <persona/train/step.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace persona {

namespace detail {

// [n, D] or [b, n, D] as [b, most, D]: every sample has its own subject's rows, from the first on.
inline Tensor per_sample(const Tensor& rows, std::int64_t samples, std::int64_t most) {
  const auto wide = rows.dim() == 3 ? rows : rows.unsqueeze(0).expand({samples, rows.size(0), rows.size(1)});
  return wide.size(1) == most ? wide : at::pad(wide, {0, 0, 0, most - wide.size(1)});
}

// One set of rows a layer for all samples, out of each subject's sets.
inline std::vector<RowSet> joined_sets(const std::vector<std::vector<RowSet>>& sets,
                                       const std::vector<Batch>& batches) {
  std::int64_t most = 0;
  for (const auto& of_one : sets) most = std::max(most, of_one.front().rows.size(-2));
  std::vector<RowSet> joined;
  for (std::size_t layer = 0; layer < sets.front().size(); ++layer) {
    const RowSet* moving = nullptr;  // one that has a bypass
    for (const auto& of_one : sets)
      if (of_one[layer].bypass.defined()) moving = &of_one[layer];
    std::vector<Tensor> rows, bypasses, scales;
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const RowSet& set = sets[i][layer];
      const auto samples = batches[i].size();
      rows.push_back(per_sample(set.rows, samples, most));
      if (!moving) continue;
      const auto options = moving->bypass.options();
      // No bypass: a direction of zeros, which moves nothing.
      bypasses.push_back(set.bypass.defined() ? per_sample(set.bypass, samples, most)
                                              : at::zeros({samples, most, moving->bypass.size(-1)}, options));
      scales.push_back(per_sample(
          set.bypass_scales.defined() ? set.bypass_scales : at::full({set.rows.size(-2), 1}, set.bypass_scale, options),
          samples, most));
    }
    RowSet set(at::cat(rows));
    if (moving) set.bypass = at::cat(bypasses), set.bypass_scales = at::cat(scales);
    joined.push_back(std::move(set));
  }
  return joined;
}

inline SplicePlan joined_plan(const std::vector<Batch>& batches) {
  SplicePlan plan;
  std::vector<Tensor> batch, position, row;
  for (const Batch& one : batches) {
    batch.push_back(one.plan.batch + plan.samples), position.push_back(one.plan.position), row.push_back(one.plan.row);
    plan.samples += one.plan.samples;
    plan.length = std::max(plan.length, one.plan.length), plan.rows = std::max(plan.rows, one.plan.rows);
  }
  plan.batch = at::cat(batch), plan.position = at::cat(position), plan.row = at::cat(row);
  return plan;
}

}  // namespace detail

/// One differentiable step of several independent subjects, each with its own bound sum over token rows and its own
/// batch, through one pass of text encoder and denoiser. Result i is what step() gives for subject i alone, but for
/// rounding.
template <DiffusionModel Model>
std::vector<StepResult> step_each(const Model& model, const std::vector<Batch>& batches,
                                  const std::vector<const Bound*>& bounds,
                                  const std::vector<std::optional<at::Generator>>& generators) {
  std::vector<std::vector<RowSet>> sets;
  std::vector<Tensor> ids, t, noised;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    sets.push_back(row_sets(model, *bounds[i], batches[i].t, generators[i]));
    ids.push_back(batches[i].ids), t.push_back(batches[i].t);
    noised.push_back(bounds[i]->scheduler.add_noise(batches[i].latents, batches[i].noise, batches[i].t));
  }
  const auto joined = detail::joined_sets(sets, batches);
  const auto conditioning = encode_prompts(model.text_encoder(), at::cat(ids), detail::joined_plan(batches), joined);
  AttentionTap tap;
  if (bounds.front()->wants_attention())
    tap.wants = [&](const AttentionLayer& layer) { return detail::any_wants(bounds.front()->regularizers, layer); };
  const auto prediction = detail::predict_with_maps(model, at::cat(noised), at::cat(t), conditioning, tap);

  std::vector<StepResult> results;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto end = first + batches[i].size();
    std::vector<AttentionTap::Map> maps;
    for (const auto& map : tap.maps) maps.push_back({map.layer, map.probabilities.slice(0, first, end)});
    results.push_back(
        detail::result_of(*bounds[i], batches[i], sets[i], noised[i], prediction.slice(0, first, end), maps));
    first = end;
  }
  return results;
}

}  // namespace persona
