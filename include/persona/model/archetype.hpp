#pragma once
// The smallest types that satisfy the model concepts: declared, never defined, so they can only be type-checked.
// A component that works on them asks for nothing that its concept does not promise.

#include <persona/model/diffusion_model.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace persona::archetype {

struct Tokenizer {
  std::vector<std::int64_t> encode(std::string_view) const;
  std::int64_t bos_token_id() const;
  std::int64_t eos_token_id() const;
  std::int64_t pad_token_id() const;
  std::int64_t max_length() const;
};

struct TextEncoder {
  Tensor embedding_table() const;
  Tensor encode(const Tensor&) const;
};

struct SplitTextEncoder : TextEncoder {
  Tensor hidden(const Tensor&) const;
  Tensor final_norm(const Tensor&) const;
};

struct Denoiser {
  Tensor predict(const Tensor&, const Tensor&, const Tensor&) const;
};

struct LayeredDenoiser {
  Tensor predict(const Tensor&, const Tensor&, const Conditioning&) const;
  std::int64_t num_conditioned_layers() const;
};

struct AttentionDenoiser {
  Tensor predict(const Tensor&, const Tensor&, const Conditioning&) const;
  Tensor predict(const Tensor&, const Tensor&, const Conditioning&, AttentionTap&) const;
};

struct Autoencoder {
  Moments encode(const Tensor&) const;
  Tensor decode(const Tensor&) const;
  double scaling_factor() const;
  std::int64_t vae_scale_factor() const;
};

struct WeightHost {
  std::vector<WeightRef> weights();
};

struct Scheduler {
  std::int64_t num_train_timesteps() const;
  Tensor add_noise(const Tensor&, const Tensor&, const Tensor&) const;
  Tensor target(const Tensor&, const Tensor&, const Tensor&) const;
  Tensor snr(const Tensor&) const;
};

struct SamplerRun {
  std::vector<std::int64_t> timesteps() const;
  double init_noise_sigma() const;
  Tensor scale_model_input(const Tensor&, std::int64_t) const;
  Tensor step(const Tensor&, std::int64_t, const Tensor&);
};
struct Sampler {
  SamplerRun begin(std::int64_t) const;
};

/// A model in pixel space that lends no weights: what every component may count on.
struct DiffusionModel {
  const Tokenizer& tokenizer() const;
  const TextEncoder& text_encoder() const;
  const Denoiser& denoiser() const;
  const Scheduler& scheduler() const;
  LatentShape latent_shape() const;
};

/// One that answers every refinement.
struct FullDenoiser : LayeredDenoiser, WeightHost {
  using LayeredDenoiser::predict;
  Tensor predict(const Tensor&, const Tensor&, const Conditioning&, AttentionTap&) const;
};
struct FullTextEncoder : SplitTextEncoder, WeightHost {};
struct FullDiffusionModel {
  const Tokenizer& tokenizer() const;
  const FullTextEncoder& text_encoder() const;
  FullTextEncoder& text_encoder();
  const FullDenoiser& denoiser() const;
  FullDenoiser& denoiser();
  const Scheduler& scheduler() const;
  const Autoencoder& autoencoder() const;
  LatentShape latent_shape() const;
};

}  // namespace persona::archetype
