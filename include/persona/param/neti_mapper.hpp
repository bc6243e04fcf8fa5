#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/text/row_set.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// To what length NeTI's output is brought: that of the initial row.
enum class NeTINorm {
  row,  ///< the row alone (the paper)
  both  ///< row and bypass as one vector, so that each is shorter (the published code)
};

/// NeTI (Alaluf et al., SIGGRAPH Asia 2023): a small network gives the row, and a bypass of the text encoder's last
/// norm that only the values read, for every timestep t and cross-attention layer l. sin and cos of frozen random
/// frequencies of (t, l) pass a linear layer that starts as the encodings of anchors, two hidden layers with LayerNorm
/// and LeakyReLU, nested dropout, and the output layer. Of the initial row only the length is kept. Needs a
/// LayeredDenoiser, and for the bypass a SplitTextEncoder.
struct NeTIMapper {
  using plays = Plays<Role::row_parameterization>;
  bool bypass = true;
  double bypass_scale = 0.2;  ///< of the hidden state's norm
  NeTINorm norm = NeTINorm::row;
  double nested_dropout = 0.5;  ///< chance that a training step cuts the hidden entries from an index on
  std::int64_t truncate = 0;    ///< at sampling, keep so many hidden entries; 0: all
  std::int64_t hidden = 128;
  std::int64_t frequencies = 1024;
  std::int64_t anchors = 10;           ///< timesteps that have one, evenly from 0 on; times the layers
  double sigma_t = 0.03, sigma_l = 2;  ///< standard deviation of the frequencies

  struct State {
    /// Linear layers and norms, in the order of the data.
    Leaf in_weight{}, in_bias{}, weight_1{}, bias_1{}, norm_1{}, shift_1{}, weight_2{}, bias_2{}, norm_2{}, shift_2{},
        out_weight{}, out_bias{};
    Tensor waves{};    ///< [frequencies, 2], frozen
    Tensor lengths{};  ///< [n, 1], of the initial rows
    std::int64_t width = 0, truncate = 0;
    bool bypass = true;
    double bypass_scale = 0.2, nested_dropout = 0.5;
    NeTINorm norm = NeTINorm::row;

    std::vector<Leaf> leaves() const {
      return {in_weight, in_bias, weight_1, bias_1,  norm_1,     shift_1,
              weight_2,  bias_2,  norm_2,   shift_2, out_weight, out_bias};
    }
    /// [B, n, D] for timesteps [B] and a layer, and the bypass of the same shape.
    RowSet rows(const RowQuery& query) const {
      const auto& w = in_weight.value;
      const auto t = query.t.to(w.device(), w.scalar_type());
      const auto x = at::stack({t, at::full_like(t, static_cast<double>(query.layer))}, 1);
      auto h = at::linear(encode(x, waves.to(w.scalar_type())), w, in_bias.value);
      h = block(h, weight_1, bias_1, norm_1, shift_1);
      h = block(h, weight_2, bias_2, norm_2, shift_2);
      h = cut(h, query);
      const auto n = lengths.size(0);
      const auto out = at::linear(h, out_weight.value, out_bias.value).view({h.size(0), n, -1});  // [B, n, D or 2 D]
      const auto target = lengths.to(out.scalar_type());
      const auto unit = [](const Tensor& v) { return v / at::linalg_vector_norm(v, 2, {-1}, true); };
      if (!bypass) return unit(out) * target;
      if (norm == NeTINorm::both) {
        const auto halves = (unit(out) * target).chunk(2, -1);
        return {halves[0], halves[1], bypass_scale};
      }
      const auto halves = out.chunk(2, -1);
      return {unit(halves[0]) * target, halves[1], bypass_scale};
    }
    State snapshot() const {
      State copy = *this;
      for (Leaf* leaf : {&copy.in_weight, &copy.in_bias, &copy.weight_1, &copy.bias_1, &copy.norm_1, &copy.shift_1,
                         &copy.weight_2, &copy.bias_2, &copy.norm_2, &copy.shift_2, &copy.out_weight, &copy.out_bias})
        *leaf = frozen(*leaf);
      return copy;
    }

    /// (t, l) [N, 2] -> [N, 2 frequencies] of length one.
    static Tensor encode(const Tensor& x, const Tensor& waves) {
      const auto phase = x.matmul(waves.t());
      const auto v = at::cat({phase.sin(), phase.cos()}, 1);
      return v / at::linalg_vector_norm(v, 2, {1}, true);
    }

   private:
    static Tensor block(const Tensor& h, const Leaf& weight, const Leaf& bias, const Leaf& scale, const Leaf& shift) {
      const auto y = at::linear(h, weight.value, bias.value);
      return at::leaky_relu(at::layer_norm(y, {y.size(-1)}, scale.value, shift.value), 0.01);
    }
    // Nested dropout: whether a step cuts is drawn once, where it cuts for every sample.
    Tensor cut(const Tensor& h, const RowQuery& query) const {
      const auto index = at::arange(h.size(1), h.options().dtype(at::kLong)).unsqueeze(0);
      if (query.training && query.generator && nested_dropout > 0) {
        const auto options = at::TensorOptions().device(query.generator->device());
        const auto dropped = at::rand({1}, query.generator, options) < nested_dropout;
        const auto first = at::randint(0, h.size(1), {h.size(0), 1}, query.generator, options.dtype(at::kLong));
        const auto kept = index.lt(first.to(h.device())).logical_or(dropped.logical_not().to(h.device()));
        return h * kept.to(h.scalar_type());
      }
      if (!query.training && truncate > 0) return h * index.lt(truncate).to(h.scalar_type());
      return h;
    }
  };

  /// rows [n, D] -> the network. Throws Error where an initial row has no length, or a count is no count.
  template <class Model>
  State bind(const Tensor& rows, const Model& model, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    if (hidden < 1 || frequencies < 1 || anchors < 1)
      throw Error("NeTIMapper", "a network without entries", "give .hidden, .frequencies and .anchors of at least 1");
    const auto start = rows.detach().to(at::kFloat);
    State state{.width = rows.size(1),
                .truncate = truncate,
                .bypass = bypass,
                .bypass_scale = bypass_scale,
                .nested_dropout = nested_dropout,
                .norm = norm};
    state.lengths = at::linalg_vector_norm(start, 2, {1}, true);
    if ((state.lengths <= 0).any().template item<bool>())
      throw Error("NeTIMapper", "an initial row is zero, and its length is what the output is brought to",
                  "start from a word: TokenInit{\"cat\"}");
    auto generator = context.random.on_host(Stream::initialization);
    const auto device = start.device();
    const auto sigma = at::tensor({sigma_t, sigma_l}, at::kFloat);
    const auto waves = at::randn({frequencies, 2}, generator) * sigma;
    const std::int64_t layers = model.denoiser().num_conditioned_layers();
    const auto last = static_cast<double>(model.scheduler().num_train_timesteps());
    std::vector<Tensor> points;
    for (std::int64_t i = 0; i < anchors; ++i)
      for (std::int64_t layer = 0; layer < layers; ++layer)
        points.push_back(at::tensor(
            {std::floor(last * static_cast<double>(i) / static_cast<double>(anchors)), static_cast<double>(layer)},
            at::kFloat));
    const auto first = State::encode(at::stack(points), waves);  // [anchors layers, 2 frequencies]
    const auto leaf = [&](const char* name, const Tensor& value) { return make_leaf(name, value.to(device)); };
    const auto uniform = [&](std::vector<std::int64_t> shape, std::int64_t fan_in) {
      return (2 * at::rand(shape, generator) - 1) / std::sqrt(static_cast<double>(fan_in));  // torch's default
    };
    const auto out = rows.size(0) * rows.size(1) * (bypass ? 2 : 1);
    state.waves = waves.to(device);
    state.in_weight = leaf("in.weight", first);
    state.in_bias = leaf("in.bias", uniform({first.size(0)}, first.size(1)));
    state.weight_1 = leaf("hidden_1.weight", uniform({hidden, first.size(0)}, first.size(0)));
    state.bias_1 = leaf("hidden_1.bias", uniform({hidden}, first.size(0)));
    state.norm_1 = leaf("norm_1.weight", at::ones({hidden})), state.shift_1 = leaf("norm_1.bias", at::zeros({hidden}));
    state.weight_2 = leaf("hidden_2.weight", uniform({hidden, hidden}, hidden));
    state.bias_2 = leaf("hidden_2.bias", uniform({hidden}, hidden));
    state.norm_2 = leaf("norm_2.weight", at::ones({hidden})), state.shift_2 = leaf("norm_2.bias", at::zeros({hidden}));
    state.out_weight = leaf("out.weight", uniform({out, hidden}, hidden));
    state.out_bias = leaf("out.bias", uniform({out}, hidden));
    return state;
  }
  double default_learning_rate() const { return 1e-3; }
  std::int64_t default_steps() const { return 1000; }
  Description describe() const {
    return {"NeTIMapper",
            {{"bypass", bypass},
             {"bypass_scale", bypass_scale},
             {"norm", norm},
             {"nested_dropout", nested_dropout},
             {"truncate", truncate},
             {"hidden", hidden},
             {"frequencies", frequencies},
             {"anchors", anchors},
             {"sigma_t", sigma_t},
             {"sigma_l", sigma_l}}};
  }
};

}  // namespace persona
