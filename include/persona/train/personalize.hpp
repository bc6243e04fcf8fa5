#pragma once

#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/random.hpp>
#include <persona/data/latents.hpp>
#include <persona/data/prepare.hpp>
#include <persona/data/subject.hpp>
#include <persona/explain.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/sample.hpp>
#include <persona/recipe.hpp>
#include <persona/train/base_tensors.hpp>
#include <persona/train/bind.hpp>
#include <persona/train/checkpoint.hpp>
#include <persona/train/hooks.hpp>
#include <persona/train/options.hpp>
#include <persona/train/run.hpp>
#include <persona/train/session.hpp>
#include <persona/train/step.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <set>
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

/// Every base tensor of a model that it shows, by visit or by the weights() that it lends, and what hangs on it
/// already.
template <class Model>
std::vector<Tensor> base_tensors(const Model& model) {
  std::vector<Tensor> bases{model.text_encoder().embedding_table()};
  const auto collect = [&](const auto& host) {
    using H = std::remove_cvref_t<decltype(host)>;
    if constexpr (requires { H::visit(host, [](auto, auto&) {}); }) {
      for_each_weight(host, [&](const std::string&, const Weight& weight) {
        bases.push_back(weight.base);
        const auto learned = [&](const Adapter& adapter) {
          for (const Leaf& leaf : adapter.leaves()) bases.push_back(leaf.value);
        };
        if (weight.replacement) learned(*weight.replacement);
        for (const auto& delta : weight.deltas) learned(*delta);
      });
    } else if constexpr (WeightHost<H> && std::copy_constructible<H>) {
      H lends = host;  // weights() is not const; the copy's tensors are the same ones
      for (const WeightRef& ref : lends.weights()) bases.push_back(ref.base);
    }
  };
  collect(model.text_encoder());
  collect(model.denoiser());
  if constexpr (LatentDiffusionModel<Model>) collect(model.autoencoder());
  std::erase_if(bases, [](const Tensor& base) { return !base.defined(); });
  return bases;
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
  const auto device = model->text_encoder().embedding_table().device();
  std::vector<Tensor> images;
  std::vector<std::vector<std::string>> captions;
  auto fingerprint = hash_text(subject.class_word);  // class images and mixed captions follow from it
  for (const Photo& photo : subject.photos) {
    const auto image = prepare_photo(photo.image, shape[1] * factor, shape[2] * factor, options.center_crop);
    fingerprint = persona::hash_tensor(image, fingerprint);
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
std::function<Tensor(const std::string&, std::int64_t, const SampleOptions&)> sampler_of(
    const std::shared_ptr<Model>& model) {
  if constexpr (SamplingModel<std::remove_const_t<Model>>) {
    return [model](const std::string& prompt, std::int64_t n, const SampleOptions& options) {
      return sample_latents(*model, std::vector<std::string>(static_cast<std::size_t>(n), prompt), options);
    };
  } else {
    return [](const std::string&, std::int64_t, const SampleOptions&) -> Tensor {
      throw Error("personalize",
                  "a component asks for images of the base model, and the model has no 'sampler(name) const'",
                  "give it one (docs/concepts/diffusion_model.md)");
    };
  }
}

template <class Model>
ErasedModel erase_model(const std::shared_ptr<Model>& model, const BaseTensors& bases,
                        const std::shared_ptr<const Bound>& bound, const Random& random) {
  const auto device = model->text_encoder().embedding_table().device();
  return {.keep = model,
          .finish = [model, bound, random, device](
                        Batch& batch,
                        std::int64_t tick) { finish_batch(batch, model->tokenizer(), *bound, random, device, tick); },
          .forward =
              [model, bound](const Batch& batch, std::optional<at::Generator> generator) {
                return step(std::as_const(*model), batch, *bound, std::move(generator));
              },
          .fingerprint = [bases] { return bases.fingerprint(); },
          .base_writes = [bases] { return bases.writes(); }};
}

/// The gradients of the denoising loss in one subject's rows, free and alone, over the first batches of a run, without
/// what contributions and regularizers add: [batches, n, D]. Nothing is updated.
template <class Model>
Tensor early_gradients(const std::shared_ptr<Model>& model, const Subject& subject, const Tensor& rows,
                       std::int64_t batches, const BoundScheduler& scheduler,
                       const std::vector<BoundAugmentation>& augmentations, TrainOptions options,
                       const Random& random) {
  options.steps = batches, options.accumulate = 1;
  auto bound = std::make_shared<Bound>();
  auto free = FreeRows{}.bind(rows.detach(), *model, {});
  const auto leaf = free.leaves().front();
  bound->rows.push_back(erase_rows(std::move(free), subject));
  bound->rows.front().initial = rows.detach();
  bound->scheduler = scheduler, bound->augmentations = augmentations;
  collect_leaves(*bound, rows.device());
  std::vector<TrainingData> data{prepare(model, subject, *bound, true, options, random)};
  Session session(erase_model(model, BaseTensors{}, bound, random), bound, std::move(data), random, options);
  std::vector<Tensor> gradients;
  const at::AutoGradMode grad(true);
  for (std::int64_t i = 0; i < batches; ++i) {
    session.resume_at(i), session.begin_step();
    session.take(session.model().forward(session.draw(0), session.generator(0)))
        .backward({}, std::nullopt, false, session.leaf_values());
    gradients.push_back(leaf.value.grad().detach().clone());
  }
  return at::stack(gradients);
}

/// What can be said of subjects before anything is computed.
template <class Model>
void check_subjects(const Model& model, std::span<const Subject> subjects, bool trains_rows) {
  std::vector<Placeholder> placeholders;
  for (const Subject& subject : subjects) {
    if (subject.photos.empty())
      throw Error("personalize", "no photos of " + subject.token,
                  "one is enough: persona::photos(\"folder\"), or a vector of images");
    placeholders.push_back(subject.placeholder());
  }
  if (trains_rows) check_placeholders(model.tokenizer(), placeholders);
  if constexpr (HasLearnedRows<Model>) {
    for (const LearnedRows& row : model.learned_rows())
      for (const Subject& subject : subjects)
        if (row.token == subject.token)
          throw Error("personalize", "the model has learned '" + row.token + "' already",
                      "learn it under another token");
  }
}

/// Says once of every caption what of it the model will not read; throws Error where a caption speaks of what this
/// model learned, since its rows take no part in training.
template <class Model>
void check_captions(const Model& model, const std::vector<TrainingData>& data, const std::vector<Placeholder>& tokens) {
  std::set<std::string> seen;
  for (const TrainingData& subject : data)
    for (const auto& photo : subject.captions)
      for (const std::string& caption : photo) {
        if (!seen.insert(caption).second) continue;
        if constexpr (HasLearnedRows<Model>) {
          auto both = tokens;
          for (const LearnedRows& row : model.learned_rows()) both.push_back({row.token, row.vectors()});
          std::int64_t own = 0;
          for (const Placeholder& token : tokens) own += token.vectors;
          for (const Slot& slot : tokenize_prompt(model.tokenizer(), caption, both).slots)
            if (slot.row >= own)
              throw Error("captions", "'" + caption + "' speaks of a token that this model has learned",
                          "learned tokens take no part in training: learn both together, as two subjects");
        }
        warn_if_truncated(tokenize_prompt(model.tokenizer(), caption, tokens), caption);
      }
}

}  // namespace detail

/// Begins a run: learns the subjects (one, or several that are trained together) into the model by the sum. Photos are
/// encoded here; no step is computed until the run is looped over. Lvalue models are borrowed and must outlive the run;
/// base tensors are never written. A model handed over with std::move is the run's own: base weights that spectral
/// factors or trained copies stand in for are let go of, unless someone else holds them.
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

  constexpr bool trains_rows =
      Recipe<C...>::template count<Role::initializer> + Recipe<C...>::template count<Role::row_parameterization> > 0;
  detail::check_subjects<M>(model, subjects, trains_rows);

  constexpr bool adapts = Recipe<C...>::template count<Role::weight_parameterization> > 0;
  auto held = detail::hold<adapts>(std::forward<Model>(model));
  const auto device = held->text_encoder().embedding_table().device();
  const Random random(options.seed, device);
  BindContext context{
      .subjects = subjects, .subject = 0, .random = random, .cache = options.cache, .sample = detail::sampler_of(held)};
  context.progress = options.progress;
  context.let_go = adapts && !std::is_lvalue_reference_v<Model>;
  // Before the run hangs its own changes on the weights.
  const detail::BaseTensors bases(detail::base_tensors(*held), /*keep=*/!context.let_go);
  context.model_fingerprint = [bases] { return bases.fingerprint(); };
  context.row_gradients = [held, options, random, recipe, context](const Subject& subject, const Tensor& rows,
                                                                   std::int64_t batches) {
    const auto& model = std::as_const(*held);
    return detail::early_gradients(held, subject, rows, batches, detail::bind_scheduler(model, recipe),
                                   detail::bind_augmentations(model, recipe, context), options, random);
  };
  auto bound = std::make_shared<Bound>(persona::bind(*held, recipe, context));
  std::vector<TrainingData> data;
  for (const Subject& subject : subjects)
    data.push_back(detail::prepare(held, subject, *bound, trains_rows, options, random));
  detail::check_captions<M>(*held, data, bound->placeholders());
  auto session = std::make_shared<Session>(detail::erase_model(held, bases, bound, random), bound, std::move(data),
                                           random, options);
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

/// A fit that ended early, with what was learned until then.
class Interrupted : public Error {
 public:
  Interrupted(const Error& cause, Learned so_far) : Error(cause), learned(std::move(so_far)) {}
  Learned learned;
};

/// Personalizes to the end and returns what was learned; hooks are told of the beginning, of every step and of the end.
/// An exception on the way arrives as Interrupted, which has what was learned until then.
template <class Model, class S, class R, class... Hooks>
Learned fit(Model&& model, const S& subjects, const R& sum, TrainOptions options = {}, Hooks&&... hooks) {
  auto run = personalize(std::forward<Model>(model), subjects, sum, std::move(options));
  try {
    drain(run, hooks...);
  } catch (const Error& error) {
    throw Interrupted(error, run.learned());
  } catch (const std::exception& error) {
    throw Interrupted(Error("fit", error.what()), run.learned());
  }
  return run.learned();
}

}  // namespace persona
