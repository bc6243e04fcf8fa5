#pragma once

#include <persona/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <ranges>

namespace persona {

namespace detail {
template <class S>
concept HasNumTrainTimesteps = requires(const S& scheduler) {
  { scheduler.num_train_timesteps() } -> std::convertible_to<std::int64_t>;
};
template <class S>
concept HasAddNoise = requires(const S& scheduler, const Tensor& x) {
  { scheduler.add_noise(x, x, x) } -> std::convertible_to<Tensor>;
};
template <class S>
concept HasTarget = requires(const S& scheduler, const Tensor& x) {
  { scheduler.target(x, x, x) } -> std::convertible_to<Tensor>;
};
template <class S>
concept HasSnr = requires(const S& scheduler, const Tensor& t) {
  { scheduler.snr(t) } -> std::convertible_to<Tensor>;
};
template <class S>
concept HasBegin = requires(const S& sampler, std::int64_t steps) { sampler.begin(steps); };
template <class R>
concept SamplerRun = requires(R& run, std::int64_t i, const Tensor& x) {
  { run.timesteps() } -> std::ranges::input_range;
  requires std::ranges::sized_range<decltype(run.timesteps())>;
  requires std::convertible_to<std::ranges::range_value_t<decltype(run.timesteps())>, double>;
  { run.init_noise_sigma() } -> std::convertible_to<double>;
  { run.scale_model_input(x, i) } -> std::convertible_to<Tensor>;
  { run.step(x, i, x) } -> std::convertible_to<Tensor>;
};
}  // namespace detail

/// The forward process and its regression target: add_noise(x0, noise, t), target(x0, noise, t), snr(t), with
/// x [B, C, H, W] and t [B] long in [0, num_train_timesteps()). Means: no host synchronization in any of them.
template <class S>
concept Scheduler =
    detail::HasNumTrainTimesteps<S> && detail::HasAddNoise<S> && detail::HasTarget<S> && detail::HasSnr<S>;

/// The way back: begin(n) gives the state of one generation with timesteps(), init_noise_sigma(), scale_model_input(x,
/// i) and step(model_output, i, x_t) -> x_{t-1}; a multistep solver keeps its history there, so a sampler is a value.
template <class S>
concept Sampler = detail::HasBegin<S> && requires(const S& sampler, std::int64_t steps) {
  requires detail::SamplerRun<std::remove_cvref_t<decltype(sampler.begin(steps))>>;
};

}  // namespace persona
