#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/data/prepare.hpp>
#include <persona/model/autoencoder.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// SVDiff's Cut-Mix (Han et al. 2023, 3.3): with a probability a sample shows its subject beside another one, each in
/// one half of the picture, and its caption names both, so that their traits do not run together. The paper's geometry
/// and wording are in an appendix that is not public; here each photo's middle of half the width is taken, who is left
/// is drawn, and half of the captions say who is left and who is right. Stands before PriorPreservation in a sum.
struct CutMix {
  using plays = Plays<Role::contribution>;
  double probability = 0.6;  ///< of a mixed sample, as in the paper
  double sides = 0.5;        ///< of a mixed sample's caption saying who is left and who is right

  struct State {
    double probability = 0.6, sides = 0.5;
    std::vector<std::string> names{}, classes{};               ///< by subject, as captions say them
    std::vector<std::array<std::vector<Tensor>, 2>> halves{};  ///< by subject and side, its photos [3, H, W / 2]
    std::function<Moments(const Tensor&)> encode{};
    double scale = 1.0;
    std::map<std::array<std::int64_t, 4>, Moments> encoded{};  ///< of pairs that were drawn: both subjects and photos

    void contribute(Batch& batch, at::Generator& generator) {
      const auto n = static_cast<std::size_t>(batch.size());
      batch.pairs.resize(n);
      std::vector<Tensor> latents;
      for (std::size_t i = 0; i < n; ++i) {
        auto own = batch.latents[static_cast<std::int64_t>(i)];
        if (batch.subjects[i] < 0)
          throw Error("CutMix", "the batch has class samples already, which would be left as they are",
                      "put CutMix before PriorPreservation in the sum");
        if (uniform(generator) < probability) {
          auto other = below(std::ssize(names) - 1, generator);
          if (other >= batch.subjects[i]) ++other;
          const auto left = below(2, generator) == 0 ? batch.subjects[i] : other;
          if (batch.mask.defined())
            batch.mask[static_cast<std::int64_t>(i)].fill_(1);  // of the photo, which is left out
          own = mix(batch, i, left, left == other ? batch.subjects[i] : other, generator).to(own.device());
        }
        latents.push_back(own);
      }
      batch.latents = at::stack(latents);
    }

   private:
    static double uniform(at::Generator& generator) {
      return at::rand({}, generator, at::TensorOptions().dtype(at::kDouble)).item<double>();
    }
    static std::int64_t below(std::int64_t n, at::Generator& generator) {
      return at::randint(0, n, {}, generator, at::kLong).item<std::int64_t>();
    }
    Tensor mix(Batch& batch, std::size_t i, std::int64_t left, std::int64_t right, at::Generator& generator) {
      const auto &on_left = halves[static_cast<std::size_t>(left)][0],
                 &on_right = halves[static_cast<std::size_t>(right)][1];
      const auto a = below(std::ssize(on_left), generator), b = below(std::ssize(on_right), generator);
      const auto [found, fresh] = encoded.try_emplace({left, a, right, b});
      if (fresh)
        found->second = encode(
            at::cat({on_left[static_cast<std::size_t>(a)], on_right[static_cast<std::size_t>(b)]}, 2).unsqueeze(0));
      const auto& moments = found->second;
      const bool say_sides = uniform(generator) < sides, swap = !say_sides && below(2, generator) == 1;
      const auto caption = [&](const std::vector<std::string>& words) {
        const auto &l = words[static_cast<std::size_t>(left)], &r = words[static_cast<std::size_t>(right)];
        return say_sides ? "photo of a " + l + " on the left and a " + r + " on the right"
                         : "photo of a " + (swap ? r : l) + " and a " + (swap ? l : r);
      };
      batch.captions[i] = caption(names);
      batch.pairs[i] = SideBySide{.left = left, .right = right, .class_caption = caption(classes)};
      auto sample = moments.mean[0].to(at::kFloat);
      if (moments.std.defined()) {
        const auto noise = at::randn(sample.sizes(), generator, at::TensorOptions().dtype(at::kFloat));
        sample = sample + moments.std[0].to(at::kFloat) * noise.to(sample.device());
      }
      return sample * scale;
    }
  };

  template <class Model>
  State bind(const Model& model, const BindContext& context) const {
    if (context.subjects.size() < 2)
      throw Error("CutMix", "there is one subject, and it is mixed with others", "pass a span of two or more");
    if (!(probability >= 0 && probability <= 1) || !(sides >= 0 && sides <= 1))
      throw Error("CutMix", ".probability is " + std::to_string(probability) + ", .sides " + std::to_string(sides),
                  "between 0 and 1");
    State state{.probability = probability, .sides = sides};
    std::int64_t factor = 1;
    state.encode = [](const Tensor& image) { return Moments{.mean = image, .std = {}}; };
    if constexpr (requires { model.autoencoder(); }) {
      factor = model.autoencoder().vae_scale_factor();
      state.scale = model.autoencoder().scaling_factor();
      state.encode = [&model](const Tensor& image) {
        const at::NoGradGuard no_grad;
        return Moments(model.autoencoder().encode(image));
      };
    }
    const auto shape = model.latent_shape();
    const auto height = shape[1] * factor, width = shape[2] * factor;
    const auto device = model.text_encoder().embedding_table().device();
    for (const Subject& subject : context.subjects) {
      state.names.push_back(subject.prompt_token());
      state.classes.push_back(subject.class_word);
      if (subject.class_word.empty())
        throw Error("CutMix", "the subject " + subject.token + " has no class word", "give .class_word");
      if (subject.photos.empty()) throw Error("CutMix", "no photos of " + subject.token, "one is enough");
      std::array<std::vector<Tensor>, 2> sides_of;
      for (const Photo& photo : subject.photos) {
        sides_of[0].push_back(prepare_photo(photo.image, height, width / 2).to(device));
        sides_of[1].push_back(prepare_photo(photo.image, height, width - width / 2).to(device));
      }
      state.halves.push_back(std::move(sides_of));
    }
    return state;
  }
  Description describe() const { return {"CutMix", {{"probability", probability}, {"sides", sides}}}; }
};

}  // namespace persona
