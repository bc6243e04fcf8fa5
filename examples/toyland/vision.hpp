#pragma once
// A small convolutional network: the body of all that looks at pictures, probe, recogniser and pair.

#include <persona/stable_diffusion/layers.hpp>

#include <vector>

namespace toyland {

/// Pictures [B, 3, 64, 64] -> features [B, width], through `stages` of strided and plain 3x3 convolutions.
struct ConvTower {
  std::vector<persona::Conv2d> down{}, keep{};
  std::vector<persona::GroupNorm> down_norm{}, keep_norm{};
  persona::Linear out{};

  ConvTower() = default;
  ConvTower(std::vector<std::int64_t> widths, std::int64_t features) {
    std::int64_t in = 3;
    for (const auto width : widths) {
      down.emplace_back(in, width, 3, persona::Conv2dShape{.stride = 2, .padding = 1});
      keep.emplace_back(width, width, 3, persona::Conv2dShape{.stride = 1, .padding = 1});
      down_norm.emplace_back(8, width, 1e-5), keep_norm.emplace_back(8, width, 1e-5);
      in = width;
    }
    out = persona::Linear(in * 16, features);
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("down", self.down), f("keep", self.keep), f("down_norm", self.down_norm), f("keep_norm", self.keep_norm),
        f("out", self.out);
  }
  /// What each stage makes of the pictures, [B, C, h, w]: 32 x 32 pixels after the first, 4 x 4 after the fourth.
  std::vector<persona::Tensor> feature_maps(const persona::Tensor& images) const {
    std::vector<persona::Tensor> maps;
    auto h = images.to(out.weight.base.scalar_type());
    for (std::size_t i = 0; i < down.size(); ++i) {
      h = at::silu(down_norm[i](down[i](h)));
      if (i > 0) h = h + at::silu(keep_norm[i](keep[i](h)));
      maps.push_back(h);
    }
    return maps;
  }
  /// The last 4 x 4 are read place by place.
  persona::Tensor operator()(const persona::Tensor& images) const {
    return out(feature_maps(images).back().flatten(1));
  }
};

}  // namespace toyland
