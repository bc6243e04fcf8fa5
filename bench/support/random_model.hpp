#pragma once
// Models of Stable Diffusion's sizes with random weights: what a step costs does not depend on what they are.

#include <persona/core/placement.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/stable_diffusion.hpp>
#include <persona/stable_diffusion/init_weights.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

namespace bench {

/// Of these sizes, laid out as loading does; the tokenizer is a small one of as many positions.
inline persona::StableDiffusion random_model(const persona::UNet2DConditionConfig& unet,
                                             const persona::CLIPTextConfig& text, at::ScalarType dtype,
                                             at::ScalarType text_dtype) {
  persona::StableDiffusion sd(persona::CLIPTokenizer::from_folder(PERSONA_SOURCE "/tests/parity/data/tokenizer/old"),
                              persona::CLIPTextModel(text), persona::UNet2DConditionModel(unet),
                              persona::AutoencoderKL(persona::AutoencoderKLConfig{}), {});
  const auto generator = persona::Random(1).at(persona::Stream::initialization);
  persona::initialize(sd.denoiser(), generator), persona::initialize(sd.autoencoder(), generator),
      persona::initialize(sd.text_encoder(), generator);
  persona::to(sd.denoiser(), at::kCPU, dtype), persona::to(sd.autoencoder(), at::kCPU, dtype);
  persona::to(sd.text_encoder(), at::kCPU, text_dtype);
  persona::to_channels_last(sd.denoiser()), persona::to_channels_last(sd.autoencoder());
  return sd;
}

/// Stable Diffusion 1.5's widths with `layers` residual blocks a level (2 are its own), latents of `size` x `size`.
inline persona::StableDiffusion random_sd15(std::int64_t layers, std::int64_t size, at::ScalarType dtype) {
  persona::UNet2DConditionConfig unet{.sample_size = size, .cross_attention_dim = 768};
  unet.num_attention_heads = {8, 8, 8, 8}, unet.layers_per_block = {layers, layers, layers, layers};
  return random_model(unet,
                      {.vocab_size = 49408,
                       .hidden_size = 768,
                       .intermediate_size = 3072,
                       .num_hidden_layers = 12,
                       .num_attention_heads = 12},
                      dtype, at::kFloat);
}

/// Stable Diffusion 2.1's sizes.
inline persona::StableDiffusion random_sd21(at::ScalarType dtype, at::ScalarType text_dtype) {
  persona::UNet2DConditionConfig unet{.cross_attention_dim = 1024, .use_linear_projection = true};
  unet.num_attention_heads = {5, 10, 20, 20};
  return random_model(unet,
                      {.vocab_size = 49408,
                       .hidden_size = 1024,
                       .intermediate_size = 4096,
                       .num_hidden_layers = 23,
                       .num_attention_heads = 16,
                       .hidden_act = "gelu"},
                      dtype, text_dtype);
}

/// SpectralShift with factors of noise in place of a decomposition, which would take minutes and changes neither a
/// step's time nor its memory.
struct RandomShift {
  using plays = persona::Plays<persona::Role::weight_parameterization>;
  persona::SpectralShift shift{};

  bool selects(const persona::WeightRef& ref) const { return shift.selects(ref); }
  std::shared_ptr<const persona::Replacement> bind(const persona::WeightRef& ref,
                                                   const persona::BindContext& context) const {
    if (ref.base.dim() == 1) return shift.bind(ref, context);
    const auto m = ref.base.size(0), n = ref.base.numel() / m, r = std::min(m, n);
    const auto options = ref.base.options();
    persona::ThinSvd svd{at::randn({m, r}, options).mul_(1 / std::sqrt(double(m))),
                         at::ones({r}, options.dtype(at::kFloat)),
                         at::randn({r, n}, options).mul_(1 / std::sqrt(double(n)))};
    return std::make_shared<persona::SpectralFactors>(persona::make_leaf("delta", at::zeros({r})), std::move(svd),
                                                      shift.plan);
  }
  persona::Description describe() const { return shift.describe(); }
};

}  // namespace bench
