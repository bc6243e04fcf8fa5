#pragma once

#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
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
/// function of its arguments; for finite variants draw stays below the count, for others it is a seed. One that shows
/// the photo in a part of the picture also has mask(mask [1, h, w], pixels a cell, which), one that changes what is to
/// be said of it caption(text, which).
template <class A>
concept Augmentation =
    Component<A> && detail::HasVariants<A> && detail::HasDrawVariant<A> && detail::HasApplyVariant<A>;

namespace detail {
template <class A>
concept HasVariantMask = requires(const A& augmentation, const Tensor& mask, std::int64_t n) {
  { augmentation.mask(mask, n, n) } -> std::convertible_to<Tensor>;
};
template <class A>
concept HasVariantCaption = requires(const A& augmentation, std::string caption, std::int64_t variant) {
  { augmentation.caption(caption, variant) } -> std::convertible_to<std::string>;
};
}  // namespace detail

/// An augmentation whose type is forgotten. `mask` and `caption` are empty where no part has them.
struct BoundAugmentation {
  Variants variants_{};
  std::function<std::int64_t(at::Generator&)> draw_{};
  std::function<Tensor(const Tensor& image, std::int64_t variant)> apply_{};
  /// [1, h, w] of the loss, at `factor` pixels a cell -> the same shape: where a variant shows what the photo did.
  std::function<Tensor(const Tensor& mask, std::int64_t factor, std::int64_t variant)> mask_{};
  std::function<std::string(std::string caption, std::int64_t variant)> caption_{};

  Variants variants() const { return variants_; }
  std::int64_t draw(at::Generator& generator) const { return draw_(generator); }
  Tensor apply(const Tensor& image, std::int64_t variant) const { return apply_(image, variant); }
};

template <class A>
BoundAugmentation erase_augmentation(const A& augmentation) {
  const Variants variants = augmentation.variants();
  if (variants.kind != Variants::Kind::fresh && variants.count < 1)
    throw Error(augmentation.describe().name, "has " + std::to_string(variants.count) + " variants",
                "Variants::finite(n) and pool(n) are of at least one; fresh() is of any number");
  BoundAugmentation bound{
      .variants_ = variants,
      .draw_ = [augmentation](at::Generator& generator) -> std::int64_t { return augmentation.draw(generator); },
      .apply_ = [augmentation](const Tensor& image, std::int64_t variant) -> Tensor {
        return augmentation.apply(image, variant);
      }};
  if constexpr (detail::HasVariantMask<A>)
    bound.mask_ = [augmentation](const Tensor& mask, std::int64_t factor, std::int64_t variant) -> Tensor {
      return augmentation.mask(mask, factor, variant);
    };
  if constexpr (detail::HasVariantCaption<A>)
    bound.caption_ = [augmentation](std::string caption, std::int64_t variant) -> std::string {
      return augmentation.caption(std::move(caption), variant);
    };
  return bound;
}

namespace detail {
/// Which variant of each part one of the whole chain is: digits of a mixed-radix number where all are finite, else
/// drawn from it as a seed.
inline std::vector<std::int64_t> variants_of_parts(const std::vector<BoundAugmentation>& parts, Variants::Kind kind,
                                                   std::int64_t variant) {
  std::vector<std::int64_t> each(parts.size());
  if (kind == Variants::Kind::finite) {
    for (std::size_t i = parts.size(); i-- > 0; variant /= parts[i].variants_.count)
      each[i] = variant % parts[i].variants_.count;
  } else {
    auto generator = Random(static_cast<std::uint64_t>(variant)).on_host(Stream::augmentation);
    for (std::size_t i = 0; i < parts.size(); ++i) each[i] = parts[i].draw(generator);
  }
  return each;
}
}  // namespace detail

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
  const auto kind = all.kind;
  BoundAugmentation whole{.variants_ = all};
  if (kind == Variants::Kind::finite)
    whole.draw_ = [parts](at::Generator& generator) {
      std::int64_t index = 0;
      for (const auto& part : parts) index = index * part.variants_.count + part.draw(generator);
      return index;
    };
  else
    whole.draw_ = [](at::Generator& generator) -> std::int64_t {
      return at::randint(0, std::int64_t{1} << 52, {}, generator, at::kLong).item<std::int64_t>();
    };
  whole.apply_ = [parts, kind](Tensor image, std::int64_t variant) {
    const auto each = detail::variants_of_parts(parts, kind, variant);
    for (std::size_t i = 0; i < parts.size(); ++i) image = parts[i].apply(image, each[i]);
    return image;
  };
  if (std::ranges::any_of(parts, [](const auto& part) { return bool(part.mask_); }))
    whole.mask_ = [parts, kind](Tensor mask, std::int64_t factor, std::int64_t variant) {
      const auto each = detail::variants_of_parts(parts, kind, variant);
      for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].mask_) mask = parts[i].mask_(mask, factor, each[i]);
      return mask;
    };
  if (std::ranges::any_of(parts, [](const auto& part) { return bool(part.caption_); }))
    whole.caption_ = [parts, kind](std::string caption, std::int64_t variant) {
      const auto each = detail::variants_of_parts(parts, kind, variant);
      for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].caption_) caption = parts[i].caption_(std::move(caption), each[i]);
      return caption;
    };
  return whole;
}

}  // namespace persona
