// A denoiser that is a plain struct of persona's Weights and no UNet: a transformer over patches. Its layers call their
// weights, so that spectral shifts stay factored and low-rank changes stay thin.

#include "support/shapes.hpp"

namespace {
using persona::Tensor, persona::Weight;

constexpr std::int64_t patch = 4, side = shapes::size / patch, width = 96, heads = 4;

Weight linear(std::int64_t in, std::int64_t out) {
  static std::uint64_t seed = 0;
  const auto generator = persona::Random(++seed).at(persona::Stream::initialization);
  return {.kind = persona::WeightKind::linear, .base = at::randn({out, in}, generator) / std::sqrt(in)};
}

/// Self-attention over the patches, and a perceptron; each patch is told the time and the prompt.
struct Block {
  Weight to_qkv = linear(width, 3 * width), to_out = linear(width, width), up = linear(width, 4 * width),
         down = linear(4 * width, width);
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("to_qkv.weight", self.to_qkv), f("to_out.weight", self.to_out), f("up.weight", self.up),
        f("down.weight", self.down);
  }
  Tensor operator()(const Tensor& x) const {
    const auto n = x.size(0), l = x.size(1);
    const auto qkv = to_qkv.linear(at::layer_norm(x, {width}), {}).view({n, l, 3, heads, -1}).permute({2, 0, 3, 1, 4});
    const auto read = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    const auto h = x + to_out.linear(read.transpose(1, 2).reshape({n, l, width}), {});
    return h + down.linear(at::gelu(up.linear(at::layer_norm(h, {width}), {})), {});
  }
};

struct Transformer {
  Weight enter = linear(3 * patch * patch, width), words = linear(shapes::words, width),
         place = linear(1, side* side* width), time = linear(shapes::words, width),
         leave = linear(width, 3 * patch * patch);
  std::vector<Block> blocks = std::vector<Block>(4);

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("enter.weight", self.enter), f("words.weight", self.words), f("place.weight", self.place),
        f("time.weight", self.time);
    f("blocks", self.blocks), f("leave.weight", self.leave);
  }
  std::vector<persona::WeightRef> weights() { return persona::weight_refs(*this); }

  Tensor predict(const Tensor& x, const Tensor& t, const Tensor& states) const {
    const auto b = x.size(0);
    const auto patches =
        x.view({b, 3, side, patch, side, patch}).permute({0, 2, 4, 1, 3, 5}).reshape({b, side * side, -1});
    const auto phase = t.to(at::kFloat).unsqueeze(1) * at::exp(at::linspace(0, -7, shapes::words / 2));
    const auto when = time.linear(at::cat({phase.sin(), phase.cos()}, 1), {});
    const auto told = (when + words.linear(states.sum(1), {})).unsqueeze(1);
    auto h = enter.linear(patches, {}) + place.value().view({1, side * side, width});
    for (const Block& block : blocks) h = block(h + told);
    const auto out = leave.linear(at::layer_norm(h, {width}), {});
    return out.view({b, side, side, 3, patch, patch}).permute({0, 3, 1, 4, 2, 5}).reshape(x.sizes());
  }
};
static_assert(persona::explain_denoiser<Transformer>() && persona::explain_weight_host<Transformer>());
}  // namespace

int main(int argc, char** argv) {
  Transformer net;
  std::vector<Tensor> parameters;
  for (const persona::WeightRef& ref : net.weights()) parameters.push_back(ref.base);
  const auto forward = [&](const auto& x, const auto& t, const auto& states) { return net.predict(x, t, states); };
  return shapes::show(argc, argv, "persona: a denoiser of one's own", "out/own_denoiser", parameters, forward,
                      persona::subsets::named("blocks."), 1e-2, [&](const auto&) { return net; });
}
