#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/augmentation.hpp>

#include <cstdint>
#include <string>

namespace persona {

/// Mirrors an image left to right with probability p: what every method here does unless told otherwise.
struct RandomFlip {
  using plays = Plays<Role::augmentation>;
  double p = 0.5;
  /// Throws Error where p is no probability.
  Variants variants() const {
    if (!(p >= 0 && p <= 1)) throw Error("RandomFlip", ".p is " + std::to_string(p), "between 0 and 1");
    return Variants::finite(p > 0 ? 2 : 1);
  }
  std::int64_t draw(at::Generator& generator) const {
    return at::rand({}, generator, at::kDouble).item<double>() < p ? 1 : 0;  // on the host: no device waits
  }
  Tensor apply(const Tensor& image, std::int64_t variant) const { return variant == 1 ? image.flip({-1}) : image; }
  Tensor mask(const Tensor& mask, std::int64_t, std::int64_t variant) const { return apply(mask, variant); }
  Description describe() const { return {"RandomFlip", {{"p", p}}}; }
};

/// Every image as it is.
struct NoAugmentation {
  using plays = Plays<Role::augmentation>;
  Variants variants() const { return Variants::finite(1); }
  std::int64_t draw(at::Generator&) const { return 0; }
  Tensor apply(const Tensor& image, std::int64_t) const { return image; }
  Description describe() const { return {"NoAugmentation", {}}; }
};

}  // namespace persona
