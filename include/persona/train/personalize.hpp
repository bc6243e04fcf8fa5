#pragma once

#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/random.hpp>
#include <persona/data/latents.hpp>
#include <persona/data/prepare.hpp>
#include <persona/data/subject.hpp>
#include <persona/explain.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/sample.hpp>
#include <persona/recipe.hpp>
#include <persona/train/bind.hpp>
#include <persona/train/checkpoint.hpp>
#include <persona/train/hooks.hpp>
#include <persona/train/options.hpp>
#include <persona/train/run.hpp>
#include <persona/train/session.hpp>
#include <persona/train/step.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace persona {

namespace detail {

/// The model of a run: borrowed where it is an lvalue and only rows are trained, kept where it is an rvalue, copied
/// where its weights are changed, so that the caller's stays as it is (the copy shares every base tensor).
template <bool adapts_weights, class Model>
auto hold(Model&& model) {
  using M = std::remove_cvref_t<Model>;
  if constexpr (adapts_weights || !std::is_lvalue_reference_v<Model>) {
    static_assert(
        std::constructible_from<M, Model>,
        "[persona] personalize: this sum changes weights, and the model cannot be copied; hand it over with std::move (docs/concepts/weight_host.md)");
    return std::make_shared<M>(std::forward<Model>(model));
  } else {
    return std::shared_ptr<const M>(std::shared_ptr<const M>(), &model);
  }
}

template <class Model, class F>
void for_each_base(const Model& model, F&& f) {
  f(model.text_encoder().embedding_table());
  const auto visit = [&](const auto& host) {
    using H = std::remove_cvref_t<decltype(host)>;
    if constexpr (requires(H& h) { weight_refs(h); } && requires { H::visit(host, [](auto, auto&) {}); })
      for_each_weight(host, [&](const std::string&, const Weight& weight) { f(weight.base); });
  };
  visit(model.text_encoder());
  visit(model.denoiser());
}

inline void require_captions(const std::vector<std::string>& captions, const std::string& token) {
  for (const std::string& caption : captions) require_token(caption, token, "captions of " + token);
}

/// Photos as images of the model's size, captions drawn up and checked, latents cached where they can be.
template <class Model>
TrainingData prepare(const std::shared_ptr<Model>& model, const Subject& subject, const Bound& bound, bool trains_rows,
                     const TrainOptions& options, const Random& random) {
  const auto shape = model->latent_shape();
  std::int64_t factor = 1;
  double scale = 1.0;
  EncodeImages encode = [](const Tensor& images) { return Moments{.mean = images, .std = {}}; };
  if constexpr (LatentDiffusionModel<std::remove_const_t<Model>>) {
    factor = model->autoencoder().vae_scale_factor();
    scale = model->autoencoder().scaling_factor();
    encode = [model](const Tensor& images) { return Moments(model->autoencoder().encode(images)); };
  }
  if (subject.photos.empty())
    throw Error("personalize", "no photos of " + subject.token,
                "one is enough: persona::photos(\"folder\"), or a vector of images");
  const auto device = model->text_encoder().embedding_table().device();
  std::vector<Tensor> images;
  std::vector<std::vector<std::string>> captions;
  std::uint64_t fingerprint = 0;
  for (const Photo& photo : subject.photos) {
    const auto image = prepare_photo(photo.image, shape[1] * factor, shape[2] * factor, options.center_crop);
    fingerprint = hash_tensor(image, fingerprint);
    images.push_back(image.to(device));
    std::vector<std::string> said;
    if (subject.captions.source != Captions::Source::files)
      said = captions_of(subject.captions, subject.prompt_token());
    else if (photo.caption)
      said = {fill_template(*photo.caption, subject.prompt_token())};
    else
      throw Error("captions of " + subject.token, "the photo '" + photo.name + "' has no caption",
                  "write one into a file of its name and the ending .txt beside it");
    if (trains_rows) require_captions(said, subject.token);
    for (const std::string& caption : said) fingerprint = hash_text(caption, fingerprint);
    captions.push_back(std::move(said));
  }
  return {.latents = LatentSource(std::move(images), chain(bound.augmentations), std::move(encode), scale, random),
          .captions = std::move(captions),
          .fingerprint = fingerprint};
}

template <class Model>
std::function<Tensor(const std::string&, std::int64_t)> sampler_of(const std::shared_ptr<Model>& model,
                                                                   const Random& random) {
  if constexpr (SamplingModel<std::remove_const_t<Model>>) {
    return [model, random](const std::string& prompt, std::int64_t n) {
      return sample_latents(*model, std::vector<std::string>(static_cast<std::size_t>(n), prompt),
                            {.seed = random.seed()});
    };
  } else {
    return [](const std::string&, std::int64_t) -> Tensor {
      throw Error("personalize",
                  "a component asks for images of the base model, and the model has no 'sampler(name) const'",
                  "give it one (docs/concepts/diffusion_model.md)");
    };
  }
}

template <class Model>
ErasedModel erase_model(const std::shared_ptr<Model>& model, const std::shared_ptr<const Bound>& bound,
                        const Random& random) {
  const auto device = model->text_encoder().embedding_table().device();
  return {.keep = model,
          .finish = [model, bound, random, device](
                        Batch& batch,
                        std::int64_t tick) { finish_batch(batch, model->tokenizer(), *bound, random, device, tick); },
          .forward =
              [model, bound](const Batch& batch, std::optional<at::Generator> generator) {
                return step(std::as_const(*model), batch, *bound, std::move(generator));
              },
          .fingerprint =
              [model] {
                std::uint64_t hash = 0;
                for_each_base(*model, [&](const Tensor& base) { hash = hash_tensor(base, hash); });
                return hash;
              },
          .versions =
              [model] {
                std::int64_t sum = 0;
                for_each_base(*model, [&](const Tensor& base) { sum += base.is_inference() ? 0 : base._version(); });
                return sum;
              }};
}

}  // namespace detail

/// Begins a run: learns the subjects (one, or several that are trained together) into the model by the sum. Nothing is
/// computed until the run is looped over. Lvalue models are borrowed and must outlive the run; base tensors are never
/// written.
template <class Model, class... C>
Run personalize(Model&& model, std::span<const Subject> subjects, const Recipe<C...>& recipe,
                TrainOptions options = {}) {
  using M = std::remove_cvref_t<Model>;
  static_assert(explain_diffusion_model<M>());
  static_assert(detail::explain_recipe_for<M, C...>());
  if (subjects.empty()) throw Error("personalize", "no subject", "pass one Subject, or a span of them");
  if (options.batch < 1 || options.accumulate < 1)
    throw Error("personalize", ".batch and .accumulate must be at least 1, got " + std::to_string(options.batch) +
                                   " and " + std::to_string(options.accumulate));

  constexpr bool adapts = Recipe<C...>::template count<Role::weight_parameterization> > 0;
  auto held = detail::hold<adapts>(std::forward<Model>(model));
  const auto device = held->text_encoder().embedding_table().device();
  const Random random(options.seed, device);
  const BindContext context{.subjects = subjects,
                            .subject = 0,
                            .random = random,
                            .cache = options.cache,
                            .sample = detail::sampler_of(held, random)};
  auto bound = std::make_shared<Bound>(bind(*held, recipe, context));
  check_placeholders(held->tokenizer(), bound->placeholders());

  std::vector<TrainingData> data;
  for (const Subject& subject : subjects)
    data.push_back(detail::prepare(held, subject, *bound, !bound->rows.empty(), options, random));
  auto session =
      std::make_shared<Session>(detail::erase_model(held, bound, random), bound, std::move(data), random, options);
  if (!options.resume.empty()) load_checkpoint(*session, options.resume);
  return Run(std::move(session));
}

template <class Model, class... C>
Run personalize(Model&& model, const Subject& subject, const Recipe<C...>& recipe, TrainOptions options = {}) {
  return personalize(std::forward<Model>(model), std::span<const Subject>(&subject, 1), recipe, std::move(options));
}

/// A single component is a sum of one.
template <class Model, class S, Component C>
Run personalize(Model&& model, const S& subjects, const C& component, TrainOptions options = {}) {
  return personalize(std::forward<Model>(model), subjects, recipe(component), std::move(options));
}

/// Personalizes to the end and returns what was learned; hooks are told of the beginning, of every step and of the end.
template <class Model, class S, class R, class... Hooks>
Learned fit(Model&& model, const S& subjects, const R& sum, TrainOptions options = {}, Hooks&&... hooks) {
  auto run = personalize(std::forward<Model>(model), subjects, sum, std::move(options));
  drain(run, hooks...);
  return run.learned();
}

}  // namespace persona
