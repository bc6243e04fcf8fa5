#pragma once

#include <persona/core/random.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>

#include <concepts>
#include <cstdint>

namespace persona {

/// How many results an augmentation can have: that decides whether an image's latent moments can be kept.
struct Variants {
  enum class Kind { finite, pool, fresh };
  Kind kind = Kind::fresh;
  std::int64_t count = 0;

  /// Exactly n results: all are encoded once, and the run equals one that encodes at every step.
  static Variants finite(std::int64_t n) { return {Kind::finite, n}; }
  /// Infinitely many results of which n are drawn once: cheaper, and an approximation.
  static Variants pool(std::int64_t n) { return {Kind::pool, n}; }
  /// Infinitely many, encoded anew at every step.
  static Variants fresh() { return {Kind::fresh, 0}; }
};

namespace detail {
template <class A>
concept HasVariants = requires(const A& augmentation) {
  { augmentation.variants() } -> std::convertible_to<Variants>;
};
template <class A>
concept HasDrawVariant = requires(const A& augmentation, at::Generator& generator) {
  { augmentation.draw(generator) } -> std::convertible_to<std::int64_t>;
};
template <class A>
concept HasApplyVariant = requires(const A& augmentation, const Tensor& image, std::int64_t variant) {
  { augmentation.apply(image, variant) } -> std::convertible_to<Tensor>;
};
}  // namespace detail

/// variants(), draw(generator) -> which one, apply(image [3, H, W] in [-1, 1], which) -> image. Means: apply is a function of
/// its arguments; for finite variants draw stays below the count, for others it is a seed.
template <class A>
concept Augmentation =
    Component<A> && detail::HasVariants<A> && detail::HasDrawVariant<A> && detail::HasApplyVariant<A>;

}  // namespace persona
