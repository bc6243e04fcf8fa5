#pragma once

#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/encode_prompts.hpp>
#include <persona/model/sample_options.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/splice.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

namespace detail {
template <class T>
inline constexpr bool is_variant_of_samplers = false;
template <class... S>
inline constexpr bool is_variant_of_samplers<std::variant<S...>> = (Sampler<S> && ...);
}  // namespace detail

/// A diffusion model that can draw: sampler(name) gives a Sampler, or a variant of Samplers.
template <class M>
concept SamplingModel = DiffusionModel<M> && requires(const M& model, std::string_view name) {
  { model.sampler(name) };
  requires Sampler<std::remove_cvref_t<decltype(model.sampler(name))>> ||
               detail::is_variant_of_samplers<std::remove_cvref_t<decltype(model.sampler(name))>>;
};

/// The learned rows of a sampling run by query, and their placeholders; both empty: none.
struct SampleRows {
  std::vector<Placeholder> placeholders{};
  std::function<RowSet(const RowQuery&)> rows{};
  bool layered = false;
  bool by_timestep = true;  ///< false: layered rows are the same at every timestep
};

namespace detail {

// The encoded prompts of one batch, unconditional half first. Prompts with rows that depend on the timestep are encoded
// anew at each.
template <DiffusionModel Model>
class PromptEncoder {
 public:
  PromptEncoder(const Model& model, std::span<const std::string> prompts, const SampleOptions& options,
                const SampleRows& rows)
      : model_(model), rows_(rows) {
    const auto device = model.text_encoder().embedding_table().device();
    std::vector<PromptTokens> tokens;
    if (options.guidance > 1)
      tokens.assign(prompts.size(), tokenize_prompt(model.tokenizer(), options.negative, rows.placeholders));
    for (const std::string& prompt : prompts) {
      tokens.push_back(tokenize_prompt(model.tokenizer(), prompt, rows.placeholders));
      warn_if_truncated(tokens.back(), prompt);
    }
    ids_ = stack_ids(tokens, device);
    plan_ = make_splice_plan(tokens, device);
  }

  const Conditioning& at(double t) {
    if (encoded_ && (plan_.empty() || !rows_.layered || !rows_.by_timestep)) return conditioning_;
    std::vector<RowSet> sets;
    if (rows_.rows && !plan_.empty()) {
      std::int64_t layers = 1;
      if constexpr (LayeredDenoiser<denoiser_t<Model>>) {
        if (rows_.layered) layers = model_.denoiser().num_conditioned_layers();
      }
      const auto times = at::full({ids_.size(0)}, static_cast<std::int64_t>(std::llround(t)), ids_.options());
      for (std::int64_t layer = 0; layer < layers; ++layer)
        sets.push_back(
            rows_.rows({.t = times, .layer = layer, .num_layers = layers, .training = false, .generator = {}}));
    }
    conditioning_ = encode_prompts(model_.text_encoder(), ids_, plan_, sets);
    encoded_ = true;
    return conditioning_;
  }

 private:
  const Model& model_;
  const SampleRows& rows_;
  Tensor ids_{};
  SplicePlan plan_{};
  Conditioning conditioning_{};
  bool encoded_ = false;
};

template <DiffusionModel Model, Sampler S>
Tensor sample_batch(const Model& model, const S& sampler, std::span<const std::string> prompts, std::int64_t first,
                    std::int64_t batches, const SampleOptions& options, const SampleRows& rows) {
  const auto device = model.text_encoder().embedding_table().device();
  const auto [c, h, w] = model.latent_shape();
  const Random random(options.seed);
  auto run = sampler.begin(options.steps);
  const auto count = static_cast<std::int64_t>(prompts.size());
  // Image by image and on the host: a seed is the same image on every device, in every batch.
  const auto draw_noise = [&, c = c, h = h, w = w](std::int64_t key) {
    std::vector<Tensor> noise;
    for (std::int64_t i = first; i < first + count; ++i)
      noise.push_back(at::randn({c, h, w}, random.at(Stream::sampling, key + options.first + i), at::kFloat));
    return at::stack(noise);
  };
  const auto start = options.start.defined() ? options.start.slice(0, first, first + count) : draw_noise(0);
  auto x = start.to(device, at::kFloat) * static_cast<double>(run.init_noise_sigma());
  PromptEncoder<Model> encoder(model, prompts, options, rows);
  std::int64_t i = 0;
  for (const auto timestep : run.timesteps()) {
    const auto& conditioning = encoder.at(static_cast<double>(timestep));
    const Tensor input = run.scale_model_input(x, i);
    const bool guided = options.guidance > 1;
    const auto doubled = guided ? at::cat({input, input}) : input;
    // Some samplers stop between two timesteps.
    const double time = static_cast<double>(timestep);
    const auto t = at::full({doubled.size(0)}, time, at::TensorOptions().dtype(at::kDouble).device(device))
                       .to(time == std::floor(time) ? at::kLong : at::kFloat);
    auto prediction = predict(model.denoiser(), doubled, t, conditioning).to(at::kFloat);
    if (guided) {
      const auto halves = prediction.chunk(2);
      prediction = halves[0] + options.guidance * (halves[1] - halves[0]);
    }
    if constexpr (requires { run.step(prediction, i, x, x); })
      x = run.step(prediction, i, x, options.eta > 0 ? draw_noise((i + 1) << 32).to(device) : Tensor());
    else
      x = run.step(prediction, i, x);
    ++i;
    if (options.progress) {
      const auto passes = static_cast<std::int64_t>(std::ranges::size(run.timesteps()));
      options.progress(first / options.batch * passes + i, batches * passes);
    }
  }
  return x;
}

}  // namespace detail

/// Scaled latents [N, C, h, w] of N prompts, drawn by the model's sampler with classifier-free guidance.
template <SamplingModel Model>
Tensor sample_latents(const Model& model, const std::vector<std::string>& prompts, const SampleOptions& options = {},
                      const SampleRows& rows = {}) {
  if (options.steps < 1 || options.batch < 1)
    throw Error("sample", ".steps and .batch must be at least 1, got " + std::to_string(options.steps) + " and " +
                              std::to_string(options.batch));
  if (!std::isfinite(options.guidance))
    throw Error("sample", ".guidance is " + std::to_string(options.guidance),
                "a number such as 7.5; 1 draws without it");
  if (options.start.defined()) {
    const auto [c, h, w] = model.latent_shape();
    expect_shape(options.start, {{static_cast<std::int64_t>(prompts.size()), "N"}, {c, "C"}, {h, "h"}, {w, "w"}},
                 "sample: .start", "one noise a prompt");
  }
  const at::NoGradGuard no_grad;
  std::vector<Tensor> parts;
  const auto batches = (static_cast<std::int64_t>(prompts.size()) + options.batch - 1) / options.batch;
  const auto draw_by = [&](const auto& sampler) {
    for (std::size_t first = 0; first < prompts.size(); first += static_cast<std::size_t>(options.batch)) {
      const auto n = std::min(prompts.size() - first, static_cast<std::size_t>(options.batch));
      parts.push_back(detail::sample_batch(model, sampler, std::span(prompts).subspan(first, n),
                                           static_cast<std::int64_t>(first), batches, options, rows));
    }
  };
  const auto draw = [&](const auto& sampler) {
    if constexpr (requires { sampler.with_eta(options.eta); }) {
      options.eta != 0 ? draw_by(sampler.with_eta(options.eta)) : draw_by(sampler);
    } else {
      if (options.eta != 0)
        throw Error("sample", "the sampler '" + options.sampler + "' takes no .eta", "\"ddim\" does");
      draw_by(sampler);
    }
  };
  const auto sampler = model.sampler(options.sampler);
  if constexpr (Sampler<std::remove_cvref_t<decltype(sampler)>>)
    draw(sampler);
  else
    std::visit(draw, sampler);
  if (parts.empty()) throw Error("sample", "no prompt", "pass at least one");
  return at::cat(parts);
}

}  // namespace persona
