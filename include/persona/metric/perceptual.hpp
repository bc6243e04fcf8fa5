#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/metric/score.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// feature_maps(images [N, 3, H, W] in [-1, 1]) -> one map a layer, [N, C, h, w] each.
template <class P>
concept FeaturePyramid = requires(const P& pyramid, const Tensor& images) {
  { pyramid.feature_maps(images) } -> std::ranges::input_range;
  requires std::convertible_to<std::ranges::range_value_t<decltype(pyramid.feature_maps(images))>, Tensor>;
};

template <class P>
consteval bool explain_feature_pyramid() {
  static_assert(
      FeaturePyramid<P>,
      "[persona] not a FeaturePyramid: needs 'std::vector<Tensor> feature_maps(const Tensor& images) const' (docs/concepts/metrics.md)");
  return FeaturePyramid<P>;
}

/// Perceptual distance of image i of `a` from image i of `b`, [N, 3, H, W] each: feature maps are made unit length
/// along the channels, the squared difference is weighted by channel, meaned over the pixels and added over the layers
/// (LPIPS, Zhang et al. 2018, Eq. 1). `channel_weights`: one [C] a layer; empty: 1 everywhere. SVDiff's image alignment
/// is 1 - this.
template <class P>
Score perceptual_distance(const P& pyramid, const Tensor& a, const Tensor& b,
                          const std::vector<Tensor>& channel_weights = {}) {
  static_assert(explain_feature_pyramid<P>());
  const at::NoGradGuard no_grad;
  if (a.sizes() != b.sizes())
    throw Error("perceptual_distance", "images of " + shape_string(a.sizes()) + " and of " + shape_string(b.sizes()),
                "as many, and of one size");
  const auto unit = [](const Tensor& map) {
    const auto wide = map.to(at::kFloat);
    return wide / (at::linalg_vector_norm(wide, 2, {1}, true) + 1e-10);
  };
  std::vector<Tensor> of_a, of_b;
  for (Tensor map : pyramid.feature_maps(a)) of_a.push_back(std::move(map));
  for (Tensor map : pyramid.feature_maps(b)) of_b.push_back(std::move(map));
  if (of_a.empty() || of_a.size() != of_b.size())
    throw Error(
        "perceptual_distance",
        "the network gave " + std::to_string(of_a.size()) + " and " + std::to_string(of_b.size()) + " feature maps",
        "as many for the one as for the other, and one at least");
  if (!channel_weights.empty() && channel_weights.size() != of_a.size())
    throw Error("perceptual_distance",
                std::to_string(of_a.size()) + " layers and weights for " + std::to_string(channel_weights.size()),
                "one tensor [C] a layer, or none");
  auto distance = at::zeros({a.size(0)}, at::kFloat);
  for (std::size_t layer = 0; layer < of_a.size(); ++layer) {
    const Tensor &one = of_a[layer], &other = of_b[layer];
    expect_shape(one, {{a.size(0), "N"}, "C", "h", "w"}, "perceptual_distance: a feature map");
    expect_shape(other, {{a.size(0), "N"}, {one.size(1), "C"}, {one.size(2), "h"}, {one.size(3), "w"}},
                 "perceptual_distance: a feature map");
    auto difference = (unit(one) - unit(other)).square();
    if (!channel_weights.empty()) {
      expect_shape(channel_weights[layer], {{difference.size(1), "C"}}, "perceptual_distance: channel_weights");
      difference = difference * channel_weights[layer].to(difference.device(), at::kFloat).view({1, -1, 1, 1});
    }
    distance = distance + difference.sum(1).mean({1, 2}).cpu();
  }
  return score_of(distance);
}

}  // namespace persona
