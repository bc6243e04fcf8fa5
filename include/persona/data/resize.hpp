#pragma once

#include <persona/core/error.hpp>
#include <persona/io/image.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

namespace persona {

/// The kernels of Pillow's Image.resize, widened when shrinking so that nothing aliases.
enum class Resample { bilinear, bicubic, lanczos };

namespace detail {

inline double kernel_support(Resample filter) {
  return filter == Resample::bilinear ? 1.0 : filter == Resample::bicubic ? 2.0 : 3.0;
}

inline double kernel(Resample filter, double x) {
  x = std::abs(x);
  switch (filter) {
    case Resample::bilinear:
      return x < 1 ? 1 - x : 0;
    case Resample::bicubic: {  // Keys' kernel, a = -0.5
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    }
    case Resample::lanczos: {
      if (x >= 3) return 0;
      const auto sinc = [](double v) { return v == 0 ? 1.0 : std::sin(v * std::numbers::pi) / (v * std::numbers::pi); };
      return sinc(x) * sinc(x / 3);
    }
  }
  return 0;
}

/// For one output position: the first input position and the weights of those from there on, in fixed point.
struct Taps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights{};
};
inline constexpr int tap_bits = 22;
inline constexpr std::int64_t half_a_level = std::int64_t{1} << (tap_bits - 1);

inline std::vector<Taps> resize_taps(std::int64_t in, std::int64_t out, Resample filter) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);
  const double support = kernel_support(filter) * stretch;
  std::vector<Taps> all;
  for (std::int64_t position = 0; position < out; ++position) {
    const double center = (static_cast<double>(position) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const auto last = std::min<std::int64_t>(static_cast<std::int64_t>(center + support + 0.5), in);
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t i = first; i < last; ++i) {
      weights.push_back(kernel(filter, (static_cast<double>(i) - center + 0.5) / stretch));
      sum += weights.back();
    }
    Taps taps{.first = first};
    for (const double weight : weights)
      taps.weights.push_back(static_cast<std::int32_t>(std::lround(weight / sum * (1 << tap_bits))));
    all.push_back(std::move(taps));
  }
  return all;
}

inline std::uint8_t from_fixed(std::int64_t sum) {
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> tap_bits, 0, 255));
}

}  // namespace detail

/// The width is resized, every row by itself.
inline Image resize_width(const Image& image, std::int64_t width, Resample filter) {
  const auto taps = detail::resize_taps(image.width, width, filter);
  Image result{.width = width, .height = image.height};
  result.pixels.resize(static_cast<std::size_t>(width * image.height * 3));
  auto* out = result.pixels.data();
  for (std::int64_t y = 0; y < image.height; ++y)
    for (const auto& tap : taps) {
      const auto* in = image.pixels.data() + (y * image.width + tap.first) * 3;
      std::int64_t sum[3] = {detail::half_a_level, detail::half_a_level, detail::half_a_level};
      for (const std::int64_t weight : tap.weights)
        for (auto& channel : sum) channel += weight * *in++;
      for (const auto channel : sum) *out++ = detail::from_fixed(channel);
    }
  return result;
}

/// The height is resized, every column by itself.
inline Image resize_height(const Image& image, std::int64_t height, Resample filter) {
  const auto taps = detail::resize_taps(image.height, height, filter);
  const auto stride = static_cast<std::size_t>(image.width * 3);
  Image result{.width = image.width, .height = height};
  result.pixels.resize(stride * static_cast<std::size_t>(height));
  std::vector<std::int64_t> sums(stride);
  auto* out = result.pixels.data();
  for (const auto& tap : taps) {
    std::ranges::fill(sums, detail::half_a_level);
    const auto* in = image.pixels.data() + static_cast<std::size_t>(tap.first) * stride;
    for (const std::int64_t weight : tap.weights) {
      for (std::size_t x = 0; x < stride; ++x) sums[x] += weight * in[x];
      in += stride;
    }
    for (const auto sum : sums) *out++ = detail::from_fixed(sum);
  }
  return result;
}

/// The image at another size, as Pillow's Image.resize(size, filter) makes it from 8-bit RGB: one axis after the other,
/// rounded to 8 bits between. Throws Error where a size is less than 1.
inline Image resize(const Image& image, std::int64_t width, std::int64_t height, Resample filter = Resample::bicubic) {
  image.check();
  if (width < 1 || height < 1)
    throw Error("resize", "the size asked for is " + std::to_string(width) + " x " + std::to_string(height));
  if (width == image.width && height == image.height) return image;
  if (width == image.width) return resize_height(image, height, filter);
  if (height == image.height) return resize_width(image, width, filter);
  // Since version 13 Pillow begins with the height where that loses more than twice as much as the width does; before,
  // it always began with the width. The rounding between makes the order visible.
  if (height < image.height && image.height - height > 2 * (image.width - width))
    return resize_width(resize_height(image, height, filter), width, filter);
  return resize_height(resize_width(image, width, filter), height, filter);
}

}  // namespace persona
