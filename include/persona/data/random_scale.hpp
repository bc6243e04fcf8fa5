#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/augmentation.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

namespace persona {

/// Custom Diffusion's augmentation (Kumari et al. 2023): a photo is made smaller and put anywhere on grey, or larger
/// and cut, its caption says so, and the loss is over what shows it. Stands after augmentations that change the photo
/// alone.
struct RandomScale {
  using plays = Plays<Role::augmentation>;
  double smaller = 0.66;     ///< probability of a smaller photo, else it is larger
  double least = 1.0 / 3;    ///< of its size, up to all of it
  double larger_from = 1.2;  ///< of its size
  double larger_to = 1.4;
  double far_below = 0.6;  ///< of its size: said to be far away or very small
  std::int64_t pool = 0;   ///< 0: encoded anew at every step; n: n versions a photo, encoded once

  /// Throws Error where a share or size is none.
  Variants variants() const {
    if (!(smaller >= 0 && smaller <= 1) || !(least > 0 && least <= 1) || !(larger_from >= 1) ||
        !(larger_to >= larger_from) || pool < 0)
      throw Error("RandomScale", "a field is out of its range: " + to_string(describe()),
                  ".smaller 0 to 1, .least above 0 to 1, 1 <= .larger_from <= .larger_to, .pool 0 or more");
    return pool > 0 ? Variants::pool(pool) : Variants::fresh();
  }
  std::int64_t draw(at::Generator& generator) const {
    return at::randint(0, std::int64_t{1} << 52, {}, generator, at::kLong).item<std::int64_t>();
  }

  Tensor apply(const Tensor& image, std::int64_t variant) const {
    const auto box = place(variant, image.size(-2), image.size(-1));
    const auto scaled = at::_upsample_bilinear2d_aa(image.unsqueeze(0), {box.height, box.width}, false).squeeze(0);
    if (box.ratio > 1)
      return scaled.slice(1, box.top, box.top + image.size(-2)).slice(2, box.left, box.left + image.size(-1));
    auto canvas = at::zeros_like(image);  // grey: images are in [-1, 1]
    canvas.slice(1, box.top, box.top + box.height).slice(2, box.left, box.left + box.width).copy_(scaled);
    return canvas;
  }
  /// A smaller photo's cells without those at its border, which see grey; of a photo that has no others, all its cells.
  Tensor mask(const Tensor& mask, std::int64_t factor, std::int64_t variant) const {
    const auto h = mask.size(-2), w = mask.size(-1);
    const auto box = place(variant, h * factor, w * factor);
    if (box.ratio > 1) return mask;
    auto shown = at::zeros_like(mask);
    const auto range = [&](std::int64_t from, std::int64_t length, std::int64_t cells) {
      const auto first = from / factor + 1, last = (from + length) / factor - 1;
      return last > first ? std::pair(first, last)
                          : std::pair(from / factor, std::min((from + length + factor - 1) / factor, cells));
    };
    const auto [top, bottom] = range(box.top, box.height, h);
    const auto [left, right] = range(box.left, box.width, w);
    shown.slice(1, top, bottom).slice(2, left, right).fill_(1);
    return mask * shown;
  }
  std::string caption(std::string text, std::int64_t variant) const {
    const auto [ratio, second, height, width, top, left] = place(variant, 1, 1);
    if (ratio > 1) return (second ? "close up " : "zoomed in ") + text;
    if (ratio < far_below) return (second ? "very small " : "a far away ") + text;
    return text;
  }
  Description describe() const {
    return {"RandomScale",
            {{"smaller", smaller},
             {"least", least},
             {"larger_from", larger_from},
             {"larger_to", larger_to},
             {"far_below", far_below},
             {"pool", pool}}};
  }

 private:
  struct Box {
    double ratio = 1;
    bool second = false;  // which of the two things to say
    std::int64_t height = 0, width = 0;
    std::int64_t top = 0, left = 0;  // of the photo in the picture, or of the part in the larger photo
  };
  Box place(std::int64_t variant, std::int64_t height, std::int64_t width) const {
    auto generator = Random(static_cast<std::uint64_t>(variant)).on_host(Stream::augmentation);
    const auto drawn = at::rand({5}, generator, at::TensorOptions().dtype(at::kDouble));
    const auto* u = drawn.const_data_ptr<double>();
    const auto between = [](double low, double high, double share) { return low + (high - low) * share; };
    Box box{.ratio = u[0] < smaller ? between(least, 1, u[1]) : between(larger_from, larger_to, u[1]),
            .second = u[2] < 0.5};
    const auto scaled = [&](std::int64_t length) {
      return std::max<std::int64_t>(std::llround(box.ratio * static_cast<double>(length)), 1);
    };
    const auto offset = [](std::int64_t room, double share) {
      return std::min(static_cast<std::int64_t>(share * static_cast<double>(room + 1)), room);
    };
    box.height = scaled(height), box.width = scaled(width);
    box.top = offset(std::abs(box.height - height), u[3]), box.left = offset(std::abs(box.width - width), u[4]);
    return box;
  }
};

}  // namespace persona
