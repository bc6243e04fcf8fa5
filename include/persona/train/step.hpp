#pragma once

#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>
#include <persona/loss/denoising.hpp>
#include <persona/loss/step_view.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/encode_prompts.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/splice.hpp>
#include <persona/train/bound.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// What one differentiable step gives: nothing of it has left the device.
struct StepResult {
  Tensor loss{};                                        ///< scalar fp32: the denoising loss and all terms
  Tensor denoising{};                                   ///< its first part, detached
  std::vector<std::pair<std::string, Tensor>> terms{};  ///< what each regularizer added, detached
};

namespace detail {
inline void expect_one_a_sample(const Batch& batch) {
  const auto n = batch.size();
  const auto count = static_cast<std::size_t>(n);
  const auto expect = [n](const char* field, bool fits, const std::string& found) {
    if (!fits)
      throw Error("batch", std::to_string(n) + " latents, and ." + field + " of " + found,
                  "a contribution that adds samples adds to latents, captions and subjects, and to pairs, weights "
                  "and mask where they are set");
  };
  expect("captions", batch.captions.size() == count, std::to_string(batch.captions.size()));
  expect("subjects", batch.subjects.size() == count, std::to_string(batch.subjects.size()));
  if (!batch.pairs.empty()) expect("pairs", batch.pairs.size() == count, std::to_string(batch.pairs.size()));
  const auto& w = batch.weights;
  if (w.defined()) expect("weights", w.dim() == 1 && w.size(0) == n, "shape " + shape_string(w.sizes()));
  const auto& mask = batch.mask;
  if (mask.defined()) expect("mask", mask.dim() == 4 && mask.size(0) == n, "shape " + shape_string(mask.sizes()));
}
}  // namespace detail

/// Lets the contributions add to a batch of latents and captions, turns the captions into tokens, and draws noise and
/// timesteps. `tick` counts micro-steps: it keys the random streams, so that a resumed run draws the same.
template <class T>
void finish_batch(Batch& batch, const T& tokenizer, const Bound& bound, const Random& random, at::Device device,
                  std::int64_t tick = 0) {
  auto contributed = random.on_host(Stream::contribution, tick);
  for (const BoundContribution& contribution : bound.contributions)
    if (contribution.contribute) contribution.contribute(batch, contributed);

  detail::expect_one_a_sample(batch);

  const auto placeholders = bound.placeholders();
  batch.prompts.clear();
  for (const std::string& caption : batch.captions)
    batch.prompts.push_back(tokenize_prompt(tokenizer, caption, placeholders));
  batch.ids = stack_ids(batch.prompts, device);
  batch.plan = make_splice_plan(batch.prompts, device);

  batch.latents = batch.latents.to(device, at::kFloat);
  if (batch.weights.defined()) batch.weights = batch.weights.to(device, at::kFloat);
  if (batch.mask.defined()) batch.mask = batch.mask.to(device, at::kFloat);
  batch.noise = at::randn(batch.latents.sizes(), random.at(Stream::noise, tick), batch.latents.options());
  batch.t = at::randint(0, bound.scheduler.num_train_timesteps, {batch.size()}, random.at(Stream::timesteps, tick),
                        at::TensorOptions().device(device).dtype(at::kLong));
  const bool reweighs = std::ranges::any_of(bound.contributions, [](const auto& c) { return bool(c.reweigh); });
  if (!reweighs) return;
  const auto snr = bound.scheduler.snr(batch.t);
  expect_shape(snr, {{batch.size(), "B"}}, "the schedule's snr(t)", "one number a timestep");
  for (const BoundContribution& contribution : bound.contributions)
    if (contribution.reweigh) contribution.reweigh(batch, snr);
  detail::expect_one_a_sample(batch);
}

/// The rows of every conditioned layer (one set where they are uniform), differentiable in the leaves.
template <DiffusionModel Model>
std::vector<RowSet> row_sets(const Model& model, const Bound& bound, const Tensor& t,
                             std::optional<at::Generator> generator = {}, bool training = true) {
  if (bound.rows.empty()) return {};
  std::int64_t layers = 1;
  if constexpr (LayeredDenoiser<denoiser_t<Model>>) {
    if (bound.layered()) layers = model.denoiser().num_conditioned_layers();
  }
  std::vector<RowSet> sets;
  for (std::int64_t layer = 0; layer < layers; ++layer)
    sets.push_back(joined_rows(
        bound.rows, {.t = t, .layer = layer, .num_layers = layers, .training = training, .generator = generator}));
  return sets;
}

namespace detail {
// Per subject, as regularizers see them: [n, D], or [layers, (B,) n, D] where each layer has its own.
inline std::vector<Tensor> rows_by_subject(const Bound& bound, const std::vector<RowSet>& sets) {
  std::vector<Tensor> list;
  std::int64_t first = 0;
  for (const BoundRows& rows : bound.rows) {
    std::vector<Tensor> layers;
    for (const RowSet& set : sets) layers.push_back(set.rows.slice(-2, first, first + rows.placeholder.vectors));
    list.push_back(rows.layered ? at::stack(layers) : layers.front());
    first += rows.placeholder.vectors;
  }
  return list;
}

inline bool any_wants(const std::vector<BoundRegularizer>& regularizers, const AttentionLayer& layer) {
  return std::ranges::any_of(regularizers, [&](const auto& r) { return r.wants && r.wants(layer); });
}

// From the prediction to the loss: the denoising loss, and what the regularizers add to it.
inline StepResult result_of(const Bound& bound, const Batch& batch, const std::vector<RowSet>& sets, const Tensor& x_t,
                            const Tensor& prediction, const std::vector<AttentionTap::Map>& attention) {
  const auto target = bound.scheduler.target(batch.latents, batch.noise, batch.t).to(at::kFloat);
  if (prediction.sizes() != target.sizes())
    throw Error("step",
                "the denoiser predicts " + shape_string(prediction.sizes()) + ", the schedule's target is " +
                    shape_string(target.sizes()),
                "both are shaped like the latents");
  StepResult result;
  result.loss = denoising_loss(prediction, target, batch);
  result.denoising = result.loss.detach();
  if (bound.regularizers.empty()) return result;

  const auto rows = rows_by_subject(bound, sets);
  std::vector<Tensor> initial;
  for (const BoundRows& row : bound.rows) initial.push_back(row.initial);
  const auto snr = bound.scheduler.snr(batch.t);
  for (const BoundRegularizer& regularizer : bound.regularizers) {
    std::vector<AttentionTap::Map> maps;
    if (regularizer.wants)
      for (const auto& map : attention)
        if (regularizer.wants(map.layer)) maps.push_back(map);
    const StepView view{.batch = batch,
                        .rows = rows,
                        .initial_rows = initial,
                        .leaves = bound.leaves,
                        .x_t = x_t,
                        .prediction = prediction,
                        .target = target,
                        .attention = maps,
                        .snr = snr};
    const auto term = regularizer.loss(view);
    if (!term.defined() || term.numel() != 1)
      throw Error(
          regularizer.name,
          "its loss is " + (term.defined() ? "of shape " + shape_string(term.sizes()) : std::string("undefined")),
          "give one number: sum() or mean() of it");
    result.terms.emplace_back(regularizer.name, term.detach());
    result.loss = result.loss + term.reshape({}).to(result.loss.device(), at::kFloat);
  }
  return result;
}

// The denoiser's answer, and the attention maps that `wants` asks it for.
template <DiffusionModel Model>
Tensor predict_with_maps(const Model& model, const Tensor& x_t, const Tensor& t, const Conditioning& conditioning,
                         AttentionTap& tap) {
  if constexpr (AttentionDenoiser<denoiser_t<Model>>) {
    if (tap.wants) return model.denoiser().predict(x_t, t, conditioning, tap).to(at::kFloat);
  }
  return predict(model.denoiser(), x_t, t, conditioning).to(at::kFloat);
}
}  // namespace detail

/// One differentiable step of the sum, nothing hidden: encode the captions with the learned rows spliced in, noise x0,
/// predict, compare with the target, add the regularizers. Call backward() on the result's loss and the leaves have
/// their gradients.
template <DiffusionModel Model>
StepResult step(const Model& model, const Batch& batch, const Bound& bound,
                std::optional<at::Generator> generator = {}) {
  for (const Attachment& attachment : bound.attachments) attachment.refresh();
  const auto sets = row_sets(model, bound, batch.t, generator);
  const auto conditioning = encode_prompts(model.text_encoder(), batch.ids, batch.plan, sets);
  const auto x_t = bound.scheduler.add_noise(batch.latents, batch.noise, batch.t);
  AttentionTap tap;
  if (bound.wants_attention())
    tap.wants = [&](const AttentionLayer& layer) { return detail::any_wants(bound.regularizers, layer); };
  const auto prediction = detail::predict_with_maps(model, x_t, batch.t, conditioning, tap);
  return detail::result_of(bound, batch, sets, x_t, prediction, tap.maps);
}

}  // namespace persona
