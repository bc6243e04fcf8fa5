#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/warning.hpp>
#include <persona/data/batch.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/model/sample_options.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// DreamBooth's prior preservation (Ruiz et al. 2023): for every sample of a batch one of its class, drawn by the base
/// model before training, so that the class is not forgotten; loss = mean(instances) + weight * mean(class samples),
/// both in one pass of the denoiser. The class images are made once and kept as latents, in the run's cache folder
/// where it has one.
struct PriorPreservation {
  using plays = Plays<Role::contribution>;
  std::string prompt{};       ///< of all class images; empty: "a photo of a CLASS WORD" of each sample's subject
  double weight = 1.0;        ///< lambda
  std::int64_t images = 100;  ///< a prompt
  SampleOptions sampling{};   ///< how they are drawn

  struct State {
    double weight = 1.0;
    bool one_prompt = false;             ///< of all class images, whatever the subject
    std::vector<std::string> prompts{};  ///< by subject
    std::vector<Tensor> latents{};       ///< by subject, [n, C, h, w]; subjects of one prompt share them

    /// One class sample for each of the subjects' own.
    void contribute(Batch& batch, at::Generator& generator) const {
      std::vector<Tensor> added;
      const auto had = batch.size();
      for (std::size_t i = 0; i < static_cast<std::size_t>(had); ++i) {
        const auto owner = batch.subjects[i];
        if (owner < 0) continue;
        if (!batch.pairs.empty() && batch.pairs[i]) {
          const auto& pair = *batch.pairs[i];
          if (one_prompt)
            throw Error("PriorPreservation", "one .prompt for class images that CutMix puts side by side by class word",
                        "leave .prompt empty: each subject's class word makes its own");
          added.push_back(side_by_side(draw(pair.left, generator), draw(pair.right, generator)));
          batch.captions.push_back(pair.class_caption);
        } else {
          added.push_back(draw(owner, generator));
          batch.captions.push_back(prompts[static_cast<std::size_t>(owner)]);
        }
        batch.subjects.push_back(-1);
      }
      if (!batch.pairs.empty()) batch.pairs.resize(batch.captions.size());
      const auto n = static_cast<std::int64_t>(added.size());
      if (n == 0) return;
      batch.latents = at::cat({batch.latents, at::stack(added).to(batch.latents.device())});
      // The loss is the mean over all samples: weights that make it the sum of two means.
      const auto options = batch.latents.options().dtype(at::kFloat);
      const double all = static_cast<double>(had + n);
      const auto before = batch.weights.defined() ? batch.weights : at::ones({had}, options);
      batch.weights = at::cat(
          {before * (all / static_cast<double>(had)), at::full({n}, weight * all / static_cast<double>(n), options)});
      if (batch.mask.defined()) {
        auto shape = batch.mask.sizes().vec();
        shape[0] = n;
        batch.mask = at::cat({batch.mask, at::ones(shape, batch.mask.options())});
      }
    }

   private:
    Tensor draw(std::int64_t subject, at::Generator& generator) const {
      const auto& from = latents[static_cast<std::size_t>(subject)];
      return from[at::randint(0, from.size(0), {}, generator, at::kLong).item<std::int64_t>()];
    }
    static Tensor side_by_side(const Tensor& left, const Tensor& right) {
      const auto width = left.size(2), half = width / 2, rest = width - half;
      const auto middle = [width](const Tensor& latent, std::int64_t w) {
        return latent.narrow(2, (width - w) / 2, w);
      };
      return at::cat({middle(left, half), middle(right, rest)}, 2);
    }
  };

  template <class Model>
  State bind(const Model& model, const BindContext& context) const {
    if (images < 1 || !(weight >= 0))
      throw Error("PriorPreservation", ".images is " + std::to_string(images) + ", .weight " + std::to_string(weight),
                  "at least one image, and a weight of 0 or more");
    if (!context.sample)
      throw Error("PriorPreservation", "there is no model to draw class images where it is bound",
                  "begin the run with personalize()");
    State state{.weight = weight, .one_prompt = !prompt.empty()};
    const auto keyed = key_of_model(model, context);
    for (const Subject& subject : context.subjects) {
      state.prompts.push_back(prompt.empty() ? "a photo of a " + subject.class_word : prompt);
      if (prompt.empty() && subject.class_word.empty())
        throw Error("PriorPreservation", "the subject " + subject.token + " has no class word",
                    "give .class_word, or a .prompt for the class images");
      const auto known = std::ranges::find(state.prompts, state.prompts.back()) - state.prompts.begin();
      state.latents.push_back(known < std::ssize(state.latents) ? state.latents[static_cast<std::size_t>(known)]
                                                                : class_latents(state.prompts.back(), keyed, context));
    }
    return state;
  }

  Description describe() const {
    return {"PriorPreservation",
            {{"prompt", prompt},
             {"weight", weight},
             {"images", images},
             {"sampling.steps", sampling.steps},
             {"sampling.guidance", sampling.guidance},
             {"sampling.seed", sampling.seed},
             {"sampling.negative", sampling.negative},
             {"sampling.sampler", sampling.sampler},
             {"sampling.eta", sampling.eta},
             {"sampling.first", sampling.first},
             {"sampling.start", sampling.start.defined() ? persona::hash_tensor(sampling.start) : std::uint64_t{0}}}};
  }

 private:
  // Kept under a hash of all that they depend on: how many are asked for and what they weigh is not of it.
  std::uint64_t key_of(const std::string& text, std::uint64_t model) const {
    auto key = hash_text(text, model);
    for (const Field& field : describe().fields)
      if (field.name.starts_with("sampling.")) key = hash_text(field.name + "=" + field.value, key);
    return key;
  }
  /// What of the model class images depend on: its tensors, the shape of its latents, its schedule. Nothing is kept
  /// where the run says nothing of its tensors.
  struct Keyed {
    std::optional<std::uint64_t> key{};
    std::array<std::int64_t, 3> shape{};
  };
  template <class Model>
  static Keyed key_of_model(const Model& model, const BindContext& context) {
    Keyed keyed{.shape = model.latent_shape()};
    if (context.cache.empty() || !context.model_fingerprint) return keyed;
    auto key = context.model_fingerprint();
    for (const auto size : keyed.shape) key = hash_text(std::to_string(size), key);
    // What the schedule makes of x0 = 1 and noise = 2, a sample a timestep.
    const at::NoGradGuard no_grad;
    const auto& schedule = model.scheduler();
    const auto options = at::TensorOptions().device(Tensor(model.text_encoder().embedding_table()).device());
    const auto t = at::arange(schedule.num_train_timesteps(), options.dtype(at::kLong));
    const auto x0 = at::ones({t.size(0), 1, 1, 1}, options.dtype(at::kFloat)), noise = 2 * x0;
    for (const Tensor& curve : {Tensor(schedule.add_noise(x0, noise, t)), Tensor(schedule.target(x0, noise, t))})
      key = persona::hash_tensor(curve.to(at::kCPU, at::kFloat).contiguous(), key);
    keyed.key = key;
    return keyed;
  }
  Tensor class_latents(const std::string& text, const Keyed& keyed, const BindContext& context) const {
    std::filesystem::path file;
    if (keyed.key) {
      const auto key = key_of(text, *keyed.key);
      char name[32];
      std::snprintf(name, sizeof name, "%016llx.safetensors", static_cast<unsigned long long>(key));
      file = context.cache / "class_images" / name;
    }
    // Batch by batch, so that a run that is stopped while they are drawn has lost one batch.
    Tensor latents = file.empty() ? Tensor() : kept_latents(file, keyed.shape);
    auto drawing = sampling;
    const auto batch = std::max<std::int64_t>(sampling.batch, 1), batches = (images + batch - 1) / batch;
    while (!latents.defined() || latents.size(0) < images) {
      const auto had = latents.defined() ? latents.size(0) : 0, n = std::min(images - had, batch);
      drawing.first = sampling.first + had;
      if (sampling.start.defined()) drawing.start = sampling.start.slice(0, had, had + n);
      if (context.progress && !sampling.progress)
        drawing.progress = [&](std::int64_t done, std::int64_t all) {
          context.progress(std::to_string(images) + " class images", had / batch * all + done, batches * all);
        };
      const auto drawn = context.sample(text, n, drawing).to(at::kCPU, at::kFloat);
      latents = latents.defined() ? at::cat({latents, drawn}) : drawn;
      if (file.empty()) continue;
      make_folder(file.parent_path(), "class images are kept there: give .cache a folder that can be written");
      write_safetensors(file, {{"latents", latents.contiguous()}}, {{"format", "pt"}, {"prompt", text}});
    }
    return latents;  // on the host: a run that finds them in the folder computes the same
  }
  // Undefined where there are none, or none that can be read.
  Tensor kept_latents(const std::filesystem::path& file, const std::array<std::int64_t, 3>& shape) const {
    if (!std::filesystem::exists(file)) return {};
    try {
      const auto kept = SafeTensors::open(file).load_finite("latents");
      if (kept.dim() == 4 && kept.size(0) > 0 && kept[0].sizes() == at::IntArrayRef(shape))
        return kept.slice(0, 0, images).clone();
      warn("PriorPreservation", file.string() + " does not hold these class images", "they are drawn anew");
    } catch (const Error& error) {
      warn("PriorPreservation", std::string("class images are drawn anew: ") + error.what());
    }
    return {};
  }
};

}  // namespace persona
