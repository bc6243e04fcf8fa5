#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/explain.hpp>
#include <persona/generate/generate.hpp>
#include <persona/model/sample.hpp>

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <string>
#include <variant>
#include <vector>

namespace persona {

/// How a latent is taken back to noise.
struct InvertOptions {
  std::int64_t steps = 50;      ///< as many as are drawn with afterwards
  std::int64_t iterations = 1;  ///< a step; 1 is DDIM inversion, more solve each step the better, and cost as much each
  std::int64_t batch = 8;       ///< latents a pass
};

namespace detail {
template <DiffusionModel Model, class S>
Tensor invert_batch(const Model& model, const S& sampler, const Tensor& latents,
                    const std::vector<std::string>& prompts, const InvertOptions& options, const SampleRows& rows) {
  const auto run = sampler.begin(options.steps);
  PromptEncoder<Model> encoder(model, prompts, {.guidance = 1}, rows);
  auto&& all = run.timesteps();  // may be a value
  const std::vector<double> times(std::ranges::begin(all), std::ranges::end(all));
  auto x = latents;
  for (auto i = std::ssize(times) - 1; i >= 0; --i) {
    const double time = times[static_cast<std::size_t>(i)];
    const auto& conditioning = encoder.at(time);
    const auto t =
        at::full({x.size(0)}, static_cast<std::int64_t>(time), at::TensorOptions().dtype(at::kLong).device(x.device()));
    // x_t solves x_t = step_back(prediction(x_t)): begun at the latent before, which is what DDIM inversion takes.
    auto x_t = x;
    for (std::int64_t k = 0; k < options.iterations; ++k)
      x_t = run.step_back(predict(model.denoiser(), x_t, t, conditioning).to(at::kFloat), i, x);
    x = x_t;
  }
  return x;
}
}  // namespace detail

/// DDIM inversion (Song et al. 2021; SVDiff, Eq. 6): the noise z_T [N, C, h, w] from which DDIM draws the latents
/// [N, C, h, w] again with the same prompts, without guidance. Deterministic. Throws Error where there is not one
/// prompt a latent, or the model has no "ddim" sampler.
template <SamplingModel Model>
Tensor invert(const Model& model, const Tensor& latents, const std::vector<std::string>& prompts,
              const InvertOptions& options = {}) {
  const auto [c, h, w] = model.latent_shape();
  expect_shape(latents, {{static_cast<std::int64_t>(prompts.size()), "N"}, {c, "C"}, {h, "h"}, {w, "w"}}, "invert",
               "one prompt a latent, of the model's size");
  if (options.steps < 1 || options.iterations < 1 || options.batch < 1)
    throw Error("invert", ".steps, .iterations and .batch must be at least 1");
  const at::NoGradGuard no_grad;
  const auto rows = detail::sample_rows(model);
  const auto x = latents.to(model.text_encoder().embedding_table().device(), at::kFloat);
  std::vector<Tensor> parts;
  const auto go_back = [&](const auto& sampler) {
    if constexpr (requires { sampler.begin(1).step_back(x, 0, x); }) {
      for (std::int64_t first = 0; first < x.size(0); first += options.batch) {
        const auto last = std::min(first + options.batch, x.size(0));
        parts.push_back(detail::invert_batch(model, sampler, x.slice(0, first, last),
                                             {prompts.begin() + first, prompts.begin() + last}, options, rows));
      }
    } else {
      throw Error("invert", "the model's 'ddim' cannot step back",
                  "give its run 'step_back(prediction, i, x_earlier)'");
    }
  };
  const auto sampler = model.sampler("ddim");
  if constexpr (Sampler<std::remove_cvref_t<decltype(sampler)>>)
    go_back(sampler);
  else
    std::visit(go_back, sampler);
  return at::cat(parts);
}

/// Between two noises [N, ...] on the arc of each sample's angle (SVDiff, Eq. 7): a = 0 gives the first, 1 the second.
inline Tensor slerp(const Tensor& first, const Tensor& second, double a) {
  if (first.sizes() != second.sizes())
    throw Error("slerp", "shapes " + shape_string(first.sizes()) + " and " + shape_string(second.sizes()),
                "two noises of one shape");
  const auto x = first.flatten(1), y = second.flatten(1);
  const auto cosine = (x * y).sum(1) / (at::linalg_vector_norm(x, 2, {1}) * at::linalg_vector_norm(y, 2, {1}));
  const auto angle = cosine.clamp(-1, 1).acos().unsqueeze(1);
  const auto sine = angle.sin();
  const auto arc = ((1 - a) * angle).sin() / sine * x + (a * angle).sin() / sine * y;
  // Where the two point one way there is no arc.
  return at::where(sine > 1e-6, arc, (1 - a) * x + a * y).view(first.sizes());
}

}  // namespace persona
