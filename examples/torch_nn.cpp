// A denoiser that is a torch::nn module of one's own: spectral shifts and low-rank changes of its layers, which the
// module reads while it is called and which are never written into it.

#include <persona/libtorch/module_denoiser.hpp>

#include "support/shapes.hpp"

#include <torch/nn/modules/container/modulelist.h>

namespace nn = torch::nn;

/// A residual block of dilated convolutions that is told the time and the prompt.
struct BlockImpl : nn::Module {
  BlockImpl(std::int64_t width, std::int64_t dilation)
      : norm(nn::GroupNormOptions(4, width)),
        first(nn::Conv2dOptions(width, width, 3).padding(dilation).dilation(dilation)),
        told(2 * shapes::words, width),
        second(nn::Conv2dOptions(width, width, 3).padding(1)) {
    register_module("norm", norm), register_module("first", first), register_module("told", told);
    register_module("second", second);
  }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& condition) {
    const auto h = first(at::silu(norm(x))) + told(condition).unsqueeze(-1).unsqueeze(-1);
    return x + second(at::silu(h));
  }
  nn::GroupNorm norm;
  nn::Conv2d first;
  nn::Linear told;
  nn::Conv2d second;
};
TORCH_MODULE(Block);

struct NetImpl : nn::Module {
  NetImpl() {
    for (const std::int64_t dilation : {1, 2, 4, 1}) blocks->push_back(Block(32, dilation));
    register_module("enter", enter), register_module("blocks", blocks), register_module("leave", leave);
  }
  /// x [B, 3, H, W], t [B], states [B, L, words] -> [B, 3, H, W].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& states) {
    const auto phase = t.to(at::kFloat).unsqueeze(1) * at::exp(at::linspace(0, -7, shapes::words / 2));
    const auto condition = at::cat({phase.sin(), phase.cos(), states.sum(1)}, 1);
    auto h = enter(x);
    for (const auto& block : *blocks) h = block->as<Block>()->forward(h, condition);
    return leave(at::silu(h));
  }
  nn::Conv2d enter{nn::Conv2dOptions(3, 32, 3).padding(1)};
  nn::ModuleList blocks;
  nn::Conv2d leave{nn::Conv2dOptions(32, 3, 3).padding(1)};
};
TORCH_MODULE(Net);

int main(int argc, char** argv) {
  const Net net;
  const auto forward = [&](const auto& x, const auto& t, const auto& states) {
    return Net(net)->forward(x, t, states);
  };
  return shapes::show(argc, argv, "persona: a torch::nn denoiser", "out/torch_nn", net->parameters(), forward,
                      persona::subsets::named("blocks."), 3e-3,
                      [&](const auto&) { return persona::ModuleDenoiser(net); });
}
