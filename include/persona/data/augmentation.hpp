#pragma once

#include <persona/core/random.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

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

/// variants(), draw(generator) -> which one, apply(image [3, H, W] in [-1, 1], which) -> image. Means: apply is a
/// function of its arguments; for finite variants draw stays below the count, for others it is a seed.
template <class A>
concept Augmentation =
    Component<A> && detail::HasVariants<A> && detail::HasDrawVariant<A> && detail::HasApplyVariant<A>;

/// An augmentation whose type is forgotten.
struct BoundAugmentation {
  Variants variants_{};
  std::function<std::int64_t(at::Generator&)> draw_{};
  std::function<Tensor(const Tensor& image, std::int64_t variant)> apply_{};

  Variants variants() const { return variants_; }
  std::int64_t draw(at::Generator& generator) const { return draw_(generator); }
  Tensor apply(const Tensor& image, std::int64_t variant) const { return apply_(image, variant); }
};

template <class A>
BoundAugmentation erase_augmentation(const A& augmentation) {
  return {.variants_ = augmentation.variants(),
          .draw_ = [augmentation](at::Generator& generator) -> std::int64_t { return augmentation.draw(generator); },
          .apply_ = [augmentation](const Tensor& image, std::int64_t variant) -> Tensor {
            return augmentation.apply(image, variant);
          }};
}

/// Several augmentations, one after the other, as one.
inline BoundAugmentation chain(std::vector<BoundAugmentation> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  Variants all = Variants::finite(1);
  for (const BoundAugmentation& part : parts) {
    if (part.variants_.kind == Variants::Kind::fresh) all.kind = Variants::Kind::fresh;
    if (part.variants_.kind == Variants::Kind::pool && all.kind != Variants::Kind::fresh)
      all.kind = Variants::Kind::pool;
    if (part.variants_.kind != Variants::Kind::fresh) all.count *= part.variants_.count;
  }
  if (all.kind == Variants::Kind::finite) {  // a mixed-radix number: which variant of each part
    const auto radix = [](const BoundAugmentation& part) { return part.variants_.count; };
    return {.variants_ = all,
            .draw_ =
                [parts, radix](at::Generator& generator) {
                  std::int64_t index = 0;
                  for (const auto& part : parts) index = index * radix(part) + part.draw(generator);
                  return index;
                },
            .apply_ =
                [parts, radix](Tensor image, std::int64_t index) {
                  std::vector<std::int64_t> digits(parts.size());
                  for (std::size_t i = parts.size(); i-- > 0; index /= radix(parts[i]))
                    digits[i] = index % radix(parts[i]);
                  for (std::size_t i = 0; i < parts.size(); ++i) image = parts[i].apply(image, digits[i]);
                  return image;
                }};
  }
  return {.variants_ = all,
          .draw_ = [](at::Generator& generator) -> std::int64_t {
            return at::randint(0, std::int64_t{1} << 52, {}, generator, at::kLong).item<std::int64_t>();
          },
          .apply_ =
              [parts](Tensor image, std::int64_t seed) {
                auto generator = Random(static_cast<std::uint64_t>(seed)).on_host(Stream::augmentation);
                for (const auto& part : parts) image = part.apply(image, part.draw(generator));
                return image;
              }};
}

}  // namespace persona
