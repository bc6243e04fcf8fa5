#pragma once

#include <persona/core/tensor.hpp>

#include <concepts>
#include <cstdint>

namespace persona {

/// The posterior of an autoencoder, before scaling: mean and standard deviation, [B, C, h, w] each.
struct Moments {
  Tensor mean{}, std{};
};

namespace detail {
template <class A>
concept HasEncodeImages = requires(const A& autoencoder, const Tensor& images) {
  { autoencoder.encode(images) } -> std::convertible_to<Moments>;
};
template <class A>
concept HasDecodeLatents = requires(const A& autoencoder, const Tensor& latents) {
  { autoencoder.decode(latents) } -> std::convertible_to<Tensor>;
};
template <class A>
concept HasLatentScale = requires(const A& autoencoder) {
  { autoencoder.scaling_factor() } -> std::convertible_to<double>;
  { autoencoder.vae_scale_factor() } -> std::convertible_to<std::int64_t>;
};
}  // namespace detail

/// encode(images [B, 3, H, W] in [-1, 1]) -> Moments; decode(unscaled latents) -> images; scaling_factor() multiplies
/// latents for the denoiser; vae_scale_factor() = H / h. A pixel-space model has none.
template <class A>
concept Autoencoder = detail::HasEncodeImages<A> && detail::HasDecodeLatents<A> && detail::HasLatentScale<A>;

}  // namespace persona
