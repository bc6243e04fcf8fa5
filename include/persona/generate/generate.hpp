#pragma once

#include <persona/core/tensor.hpp>
#include <persona/data/image.hpp>
#include <persona/explain.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/sample.hpp>
#include <persona/text/row_set.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// How pictures are drawn: steps, guidance, seed, negative prompt, sampler and batch.
using GenerateOptions = SampleOptions;

namespace detail {
/// The learned tokens of a personalized model; none of any other.
template <class M>
SampleRows sample_rows(const M& model) {
  if constexpr (!HasLearnedRows<M>) {
    return {};
  } else {
    const auto& learned = model.learned_rows();
    if (learned.empty()) return {};
    SampleRows rows{.placeholders = model.placeholders()};
    rows.layered = std::ranges::any_of(learned, [](const LearnedRows& row) { return bool(row.layered); });
    rows.by_timestep =
        std::ranges::any_of(learned, [](const LearnedRows& row) { return row.layered && row.stored.by_timestep; });
    rows.rows = [learned](const RowQuery& query) -> RowSet {
      std::vector<RowSet> sets;
      for (const LearnedRows& row : learned) sets.push_back(row.layered ? row.layered(query) : RowSet(row.rows));
      return join_rows(sets);
    };
    return rows;
  }
}
}  // namespace detail

/// Scaled latents [N, C, h, w] -> images [N, 3, H, W], about [-1, 1]; in pixel space the latents themselves.
template <DiffusionModel Model>
Tensor decode(const Model& model, const Tensor& latents, std::int64_t batch = 8) {
  const at::NoGradGuard no_grad;
  if constexpr (LatentDiffusionModel<Model>) {
    std::vector<Tensor> parts;
    for (const auto& part : latents.split(std::max<std::int64_t>(batch, 1)))
      parts.push_back(model.autoencoder().decode(part / static_cast<double>(model.autoencoder().scaling_factor())));
    return at::cat(parts);
  } else {
    return latents;
  }
}

/// One picture a prompt; learned tokens of model.with(learned) may stand in any prompt. Picture i is the same whatever
/// .batch is. Throws Error where a sampler is unknown or a learned token falls off the end of a prompt.
template <class Model>
std::vector<Image> generate(const Model& model, const std::vector<std::string>& prompts,
                            const GenerateOptions& options = {}) {
  static_assert(explain_diffusion_model<Model>());
  static_assert(
      SamplingModel<Model>,
      "[persona] generate: the model cannot draw; needs 'sampler(std::string_view name) const' that gives a Sampler or a std::variant of Samplers (docs/concepts/diffusion_model.md)");
  return to_images(decode(model, sample_latents(model, prompts, options, detail::sample_rows(model)), options.batch));
}

/// One picture of one prompt.
template <class Model>
Image generate(const Model& model, std::string_view prompt, const GenerateOptions& options = {}) {
  return std::move(generate(model, std::vector<std::string>{std::string(prompt)}, options).front());
}

}  // namespace persona
