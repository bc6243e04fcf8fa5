#pragma once

#include <persona/model/autoencoder.hpp>
#include <persona/model/denoiser.hpp>
#include <persona/model/text_encoder.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/schedule/scheduler.hpp>
#include <persona/text/tokenizer.hpp>

#include <array>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace persona {

/// [C, h, w] of what the denoiser denoises.
using LatentShape = std::array<std::int64_t, 3>;

namespace detail {
template <class M>
concept HasTokenizer = requires(const M& model) {
  { model.tokenizer() };
  requires Tokenizer<std::remove_cvref_t<decltype(model.tokenizer())>>;
};
template <class M>
concept HasTextEncoder = requires(const M& model) {
  { model.text_encoder() };
  requires TextEncoder<std::remove_cvref_t<decltype(model.text_encoder())>>;
};
template <class M>
concept HasDenoiser = requires(const M& model) {
  { model.denoiser() };
  requires Denoiser<std::remove_cvref_t<decltype(model.denoiser())>>;
};
template <class M>
concept HasScheduler = requires(const M& model) {
  { model.scheduler() };
  requires Scheduler<std::remove_cvref_t<decltype(model.scheduler())>>;
};
template <class M>
concept HasLatentShape = requires(const M& model) {
  { model.latent_shape() } -> std::convertible_to<LatentShape>;
};
}  // namespace detail

/// tokenizer(), text_encoder(), denoiser(), scheduler() and latent_shape(), all const. `ModelParts` makes one of your
/// own parts.
template <class M>
concept DiffusionModel = detail::HasTokenizer<M> && detail::HasTextEncoder<M> && detail::HasDenoiser<M> &&
                         detail::HasScheduler<M> && detail::HasLatentShape<M>;

/// A diffusion model with an autoencoder(): what the denoiser sees are scaled latents, not pixels.
template <class M>
concept LatentDiffusionModel = DiffusionModel<M> && requires(const M& model) {
  { model.autoencoder() };
  requires Autoencoder<std::remove_cvref_t<decltype(model.autoencoder())>>;
};

template <class M>
using text_encoder_t = std::remove_cvref_t<decltype(std::declval<const M&>().text_encoder())>;
template <class M>
using denoiser_t = std::remove_cvref_t<decltype(std::declval<const M&>().denoiser())>;

/// True where the denoiser lends its weights: a non-const model hands out a non-const denoiser with weights().
template <class M>
concept HasDenoiserWeights = DiffusionModel<M> && requires(M& model) {
  requires WeightHost<std::remove_reference_t<decltype(model.denoiser())>>;
};
/// The same for the text encoder.
template <class M>
concept HasTextEncoderWeights = DiffusionModel<M> && requires(M& model) {
  requires WeightHost<std::remove_reference_t<decltype(model.text_encoder())>>;
};

/// In the place of an autoencoder: the denoiser works on pixels.
struct PixelSpace {};

/// A diffusion model made of parts of one's own.
template <Tokenizer T, TextEncoder E, Denoiser D, Scheduler S, class A = PixelSpace>
class ModelParts {
 public:
  ModelParts(T tokenizer, E text_encoder, D denoiser, S scheduler, LatentShape latent_shape, A autoencoder = {})
      : tokenizer_(std::move(tokenizer)),
        text_encoder_(std::move(text_encoder)),
        denoiser_(std::move(denoiser)),
        scheduler_(std::move(scheduler)),
        latent_shape_(latent_shape),
        autoencoder_(std::move(autoencoder)) {}

  const T& tokenizer() const { return tokenizer_; }
  const E& text_encoder() const { return text_encoder_; }
  E& text_encoder() { return text_encoder_; }
  const D& denoiser() const { return denoiser_; }
  D& denoiser() { return denoiser_; }
  const S& scheduler() const { return scheduler_; }
  LatentShape latent_shape() const { return latent_shape_; }
  const A& autoencoder() const
    requires Autoencoder<A>
  {
    return autoencoder_;
  }

 private:
  T tokenizer_;
  E text_encoder_;
  D denoiser_;
  S scheduler_;
  LatentShape latent_shape_;
  A autoencoder_;
};

}  // namespace persona
