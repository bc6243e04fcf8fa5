#pragma once

#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/image.hpp>
#include <persona/data/prepare.hpp>
#include <persona/generate/generate.hpp>
#include <persona/generate/invert.hpp>

#include <string>
#include <utility>

namespace persona {

/// How a picture is edited.
struct EditOptions {
  SampleOptions sampling{.steps = 50, .guidance = 3.0, .sampler = "ddim", .eta = 0.5};
  bool invert = true;  ///< begin at the picture's own noise; false: at fresh noise, for large changes of pose or place
  double noise = 0;    ///< how far from the picture's own noise to fresh noise, on the arc between them (slerp)
  std::int64_t iterations = 1;  ///< of the inversion, a step
  bool center_crop = true;      ///< as the picture was learned (TrainOptions): the middle square; false: squeezed
};

/// The picture's latent [1, C, h, w], the posterior's mean, scaled; of its middle square, or of all of it squeezed.
template <LatentDiffusionModel Model>
Tensor encode_image(const Model& model, const Image& picture, bool center_crop = true) {
  const at::NoGradGuard no_grad;
  const auto [c, h, w] = model.latent_shape();
  const auto& vae = model.autoencoder();
  const auto image = prepare_photo(picture, h * vae.vae_scale_factor(), w * vae.vae_scale_factor(), center_crop)
                         .unsqueeze(0)
                         .to(model.text_encoder().embedding_table().device());
  return Moments(vae.encode(image)).mean.to(at::kFloat) * static_cast<double>(vae.scaling_factor());
}

/// SVDiff's single-image editing (Han et al. 2023, 3.4) on a model that was personalized with the picture and its
/// prompt: the picture's noise by DDIM inversion with the target prompt, perhaps moved toward fresh noise, drawn from
/// with the target prompt.
template <class Model>
Image edit(const Model& model, const Image& picture, const std::string& target, const EditOptions& options = {}) {
  if (!(options.noise >= 0 && options.noise <= 1))
    throw Error("edit: .noise", "is " + std::to_string(options.noise),
                "between 0, the picture's own, and 1, fresh noise");
  auto sampling = options.sampling;
  const auto [c, h, w] = model.latent_shape();
  const auto fresh = [&, c = c, h = h, w = w] {
    return at::randn({1, c, h, w}, Random(sampling.seed).at(Stream::sampling), at::TensorOptions().dtype(at::kFloat));
  };
  if (options.invert) {
    sampling.start = persona::invert(model, encode_image(model, picture, options.center_crop), {target},
                                     {.steps = sampling.steps, .iterations = options.iterations});
    if (options.noise > 0) sampling.start = slerp(sampling.start, fresh().to(sampling.start.device()), options.noise);
  }
  return generate(model, target, sampling);
}

}  // namespace persona
