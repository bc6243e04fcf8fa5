#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/data/by_token.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/stored_rows.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// To what length NeTI's output is brought: that of the initial row.
enum class NeTINorm {
  row,  ///< the row alone (the paper)
  both  ///< row and bypass as one vector, so that each is shorter (the published code)
};

inline std::string_view to_string(NeTINorm norm) {
  switch (norm) {
    case NeTINorm::row: return "row";
    case NeTINorm::both: return "both";
  }
  return "";
}

/// NeTI (Alaluf et al. 2023): a small network gives the row, and a bypass of the text encoder's last
/// norm that only the values read, for every timestep t and cross-attention layer l. sin and cos of frozen random
/// frequencies of (t, l) pass a linear layer that starts as the encodings of anchors, two hidden layers with LayerNorm
/// and LeakyReLU, nested dropout, and the output layer. Of the initial row only the length is kept. Needs a
/// LayeredDenoiser, and for the bypass a SplitTextEncoder.
struct NeTIMapper {
  using plays = Plays<Role::row_parameterization>;
  bool bypass = true;
  double bypass_scale = 0.2;  ///< of the hidden state's norm
  NeTINorm norm = NeTINorm::row;
  double nested_dropout = 0.5;  ///< chance that a layer's hidden entries are cut from an index on in a training step
  std::int64_t truncate = 0;    ///< at sampling, keep so many hidden entries; 0: all
  std::int64_t hidden = 128;
  std::int64_t frequencies = 1024;
  std::int64_t anchors = 10;           ///< timesteps that have one, evenly from 0 on; times the layers
  double sigma_t = 0.03, sigma_l = 2;  ///< standard deviation of the frequencies
  /// To go on from, for every subject or for each by its token; the network's sizes, frequencies, norms and bypass are
  /// then its own.
  StoredRows given{};
  std::map<std::string, StoredRows> of_token{};

  /// From learned.of("<cat>") on, of a run or of a file, or from all of a Learned, each subject from its own token's,
  /// with these settings of training and sampling; throws Error where rows are of another kind.
  template <class L>
  NeTIMapper from(const L& learned) const {
    auto next = *this;
    detail::take_learned(learned, next.given, next.of_token, [](const auto& row) { return mapper_of(row); });
    return next;
  }

  struct State {
    /// Linear layers and norms, in the order of the data.
    enum Part {
      in_weight,
      in_bias,
      weight_1,
      bias_1,
      norm_1,
      shift_1,
      weight_2,
      bias_2,
      norm_2,
      shift_2,
      out_weight,
      out_bias,
      part_count
    };
    static constexpr std::array<const char*, part_count> names{
        "in.weight",       "in.bias",       "hidden_1.weight", "hidden_1.bias", "norm_1.weight", "norm_1.bias",
        "hidden_2.weight", "hidden_2.bias", "norm_2.weight",   "norm_2.bias",   "out.weight",    "out.bias"};
    std::array<Leaf, part_count> parts{};
    Tensor waves{};    ///< [frequencies, 2], frozen
    Tensor lengths{};  ///< [n, 1], of the initial rows
    std::int64_t layers = 0, truncate = 0, timesteps = 1000;
    bool bypass = true;
    double bypass_scale = 0.2, nested_dropout = 0.5;
    NeTINorm norm = NeTINorm::row;

    std::vector<Leaf> leaves() const { return {parts.begin(), parts.end()}; }
    /// [B, n, D] for timesteps [B] and a layer, and the bypass of the same shape.
    RowSet rows(const RowQuery& query) const {
      const auto& w = parts[in_weight].value;
      const auto t = query.t.to(w.device(), w.scalar_type());
      const auto x = at::stack({t, at::full_like(t, static_cast<double>(query.layer))}, 1);
      auto h = at::linear(encode(x, waves.to(w.scalar_type())), w, parts[in_bias].value);
      h = block(h, weight_1);
      h = block(h, weight_2);
      h = cut(h, query);
      const auto n = lengths.size(0);
      const auto out =
          at::linear(h, parts[out_weight].value, parts[out_bias].value).view({h.size(0), n, -1});  // [B, n, D or 2 D]
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
      for (Leaf& leaf : copy.parts) leaf = frozen(leaf);
      return copy;
    }

    static constexpr const char* form = "neti_mapper";
    StoredRows stored() const {
      StoredRows kept{form, layers, {{"waves", waves.cpu()}, {"lengths", lengths.cpu()}}, timesteps};
      for (const Leaf& leaf : parts) kept.tensors[leaf.name] = leaf.value.detach().cpu();
      kept.tensors["settings"] =
          at::tensor({static_cast<double>(truncate), static_cast<double>(bypass), bypass_scale, nested_dropout,
                      static_cast<double>(static_cast<int>(norm)), static_cast<double>(timesteps)},
                     at::kDouble);
      return kept;
    }
    /// Throws Error where a part is missing, of another shape than its neighbours ask for, or not finite.
    static State from(const StoredRows& stored) {
      const auto part = [&](const char* name, std::initializer_list<Dim> shape) -> const Tensor& {
        const auto found = stored.tensors.find(name);
        const auto where = std::string("NeTIMapper: ") + name;
        if (found == stored.tensors.end()) throw Error(where, "is missing", "the file is cut or mixed up");
        expect_shape(found->second, shape, where, "the file is mixed up");
        if (!at::isFloatingType(found->second.scalar_type()) || !at::isfinite(found->second).all().item<bool>())
          throw Error(where, "holds numbers that are not finite floating-point ones",
                      "what learned them went wrong: take an earlier file");
        return found->second;
      };
      const auto settings = part("settings", {6}).to(at::kDouble).contiguous();
      const auto* s = settings.const_data_ptr<double>();
      const bool known = s[4] == static_cast<int>(NeTINorm::row) || s[4] == static_cast<int>(NeTINorm::both);
      if (!known || s[0] < 0 || s[0] > std::numeric_limits<std::int32_t>::max() || !(s[5] >= 1 && s[5] <= 1e9))
        throw Error("NeTIMapper",
                    "the file's norm is number " + Field("", s[4]).value + " and its .truncate " +
                        Field("", s[0]).value + ": not both are settings",
                    "it is of another version, or mixed up");
      State state{.layers = stored.layers,
                  .truncate = static_cast<std::int64_t>(s[0]),
                  .timesteps = static_cast<std::int64_t>(s[5]),
                  .bypass = s[1] != 0,
                  .bypass_scale = s[2],
                  .nested_dropout = s[3],
                  .norm = static_cast<NeTINorm>(static_cast<int>(s[4]))};
      state.waves = part("waves", {"frequencies", 2}), state.lengths = part("lengths", {"vectors", 1});
      const auto anchors = part("in.bias", {"anchors"}).size(0), hidden = part("hidden_1.bias", {"hidden"}).size(0);
      const auto out = part("out.bias", {"outputs"}).size(0), frequencies = state.waves.size(0);
      const auto row = state.lengths.size(0) * (state.bypass ? 2 : 1);
      if (anchors < 1 || hidden < 1 || frequencies < 1 || row < 1 || out < 1 || out % row != 0)
        throw Error("NeTIMapper",
                    "a network of " + std::to_string(out) + " outputs for " + std::to_string(state.lengths.size(0)) +
                        " vectors, " + std::to_string(hidden) + " hidden entries, " + std::to_string(anchors) +
                        " anchors and " + std::to_string(frequencies) + " frequencies",
                    "the file is cut or mixed up");
      const std::array<std::array<std::int64_t, 2>, part_count> shapes{{{anchors, 2 * frequencies},
                                                                        {anchors},
                                                                        {hidden, anchors},
                                                                        {hidden},
                                                                        {hidden},
                                                                        {hidden},
                                                                        {hidden, hidden},
                                                                        {hidden},
                                                                        {hidden},
                                                                        {hidden},
                                                                        {out, hidden},
                                                                        {out}}};
      for (std::size_t i = 0; i < part_count; ++i) {
        const auto [high, wide] = shapes[i];
        const Tensor& value = wide > 0 ? part(names[i], {high, wide}) : part(names[i], {high});
        state.parts[i] = {.name = names[i], .value = value};
      }
      return state;
    }

    /// (t, l) [N, 2] -> [N, 2 frequencies] of length one.
    static Tensor encode(const Tensor& x, const Tensor& waves) {
      const auto phase = x.matmul(waves.t());
      const auto v = at::cat({phase.sin(), phase.cos()}, 1);
      return v / at::linalg_vector_norm(v, 2, {1}, true);
    }

   private:
    // Linear, norm, LeakyReLU: four parts from `first` on.
    Tensor block(const Tensor& h, int first) const {
      const auto part = [&](int i) { return parts[static_cast<std::size_t>(first + i)].value; };
      const auto y = at::linear(h, part(0), part(1));
      return at::leaky_relu(at::layer_norm(y, {y.size(-1)}, part(2), part(3)), 0.01);
    }
    // Nested dropout, as the code has it: every layer draws whether it cuts, and where for every sample.
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
    if (!(nested_dropout >= 0 && nested_dropout <= 1))
      throw Error("NeTIMapper", ".nested_dropout is a chance, got " + std::to_string(nested_dropout), "0 to 1");
    for (const auto& [name, value] :
         {std::pair{".bypass_scale", bypass_scale}, std::pair{".sigma_t", sigma_t}, std::pair{".sigma_l", sigma_l}})
      if (!std::isfinite(value))
        throw Error("NeTIMapper", std::string(name) + " is " + std::to_string(value), "give a finite number");
    if (!of_token.empty())
      return going_on(detail::by_token(of_token, context.current().token, "NeTIMapper"), rows, model);
    if (!given.form.empty()) return going_on(given, rows, model);
    expect_truncate_of(hidden);
    const auto start = rows.detach().to(at::kFloat);
    State state{.layers = model.denoiser().num_conditioned_layers(),
                .truncate = truncate,
                .timesteps = model.scheduler().num_train_timesteps(),
                .bypass = bypass,
                .bypass_scale = bypass_scale,
                .nested_dropout = nested_dropout,
                .norm = norm};
    state.lengths = at::linalg_vector_norm(start, 2, {1}, true);
    if ((state.lengths <= 0).any().template item<bool>())
      throw Error("NeTIMapper", "an initial row is zero, and its length is what the output is brought to",
                  "start from a word: TokenInit{\"cat\"}");
    auto generator = context.generator();
    const auto device = start.device();
    const auto sigma = at::tensor({sigma_t, sigma_l}, at::kFloat);
    const auto waves = at::randn({frequencies, 2}, generator) * sigma;
    const auto last = static_cast<double>(model.scheduler().num_train_timesteps());
    std::vector<Tensor> points;
    for (std::int64_t i = 0; i < anchors; ++i)
      for (std::int64_t layer = 0; layer < state.layers; ++layer)
        points.push_back(at::tensor(
            {std::floor(last * static_cast<double>(i) / static_cast<double>(anchors)), static_cast<double>(layer)},
            at::kFloat));
    const auto first = State::encode(at::stack(points), waves);  // [anchors layers, 2 frequencies]
    const auto uniform = [&](std::vector<std::int64_t> shape, std::int64_t fan_in) {
      return (2 * at::rand(shape, generator) - 1) / std::sqrt(static_cast<double>(fan_in));  // torch's default
    };
    const auto out = rows.size(0) * rows.size(1) * (bypass ? 2 : 1);
    state.waves = waves.to(device);
    const std::array<Tensor, State::part_count> values{first,
                                                       uniform({first.size(0)}, first.size(1)),
                                                       uniform({hidden, first.size(0)}, first.size(0)),
                                                       uniform({hidden}, first.size(0)),
                                                       at::ones({hidden}),
                                                       at::zeros({hidden}),
                                                       uniform({hidden, hidden}, hidden),
                                                       uniform({hidden}, hidden),
                                                       at::ones({hidden}),
                                                       at::zeros({hidden}),
                                                       uniform({out, hidden}, hidden),
                                                       uniform({out}, hidden)};
    for (std::size_t i = 0; i < values.size(); ++i) state.parts[i] = make_leaf(State::names[i], values[i].to(device));
    return state;
  }
  double default_learning_rate() const { return 1e-3; }
  std::int64_t default_steps() const { return 1000; }
  Description describe() const {
    std::uint64_t from = 0;
    const auto take = [&from](const StoredRows& rows) {
      for (const auto& [name, value] : rows.tensors) from = persona::hash_tensor(value, hash_text(name, from));
    };
    take(given);
    for (const auto& [token, rows] : of_token) from = hash_text(token, from), take(rows);
    return {"NeTIMapper",
            {{"given", from},
             {"bypass", bypass},
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

 private:
  void expect_truncate_of(std::int64_t entries) const {
    if (truncate < 0 || truncate > entries)
      throw Error("NeTIMapper", ".truncate is " + std::to_string(truncate) + " of " + std::to_string(entries),
                  "keep so many hidden entries at sampling; 0 keeps all");
  }
  template <class Rows>
  static StoredRows mapper_of(const Rows& learned) {
    if (learned.stored.form != State::form)
      throw Error(
          "NeTIMapper", "the rows of '" + learned.token + "' are no mapper's",
          "a mapper goes on from a mapper: run another one from a word, or RowsInit::from(learned) + FreeRows{}");
    return learned.stored;
  }
  template <class Model>
  State going_on(const StoredRows& from, const Tensor& rows, const Model& model) const {
    auto state = State::from(from);
    const std::int64_t layers = model.denoiser().num_conditioned_layers();
    const auto outputs = state.lengths.size(0) * rows.size(1) * (state.bypass ? 2 : 1);
    if (state.layers != layers || state.lengths.size(0) != rows.size(0) ||
        state.parts[State::out_bias].value.size(0) != outputs)
      throw Error("NeTIMapper",
                  "a mapper of " + std::to_string(state.layers) + " layers for " +
                      std::to_string(state.lengths.size(0)) + " vectors goes on with " + std::to_string(layers) +
                      " layers and " + std::to_string(rows.size(0)) + " vectors of " + std::to_string(rows.size(1)),
                  "it goes on on a model of as many layers, with as many vectors");
    expect_truncate_of(state.parts[State::out_bias - 1].value.size(1));
    const auto device = rows.device();
    state.truncate = truncate, state.nested_dropout = nested_dropout;
    state.waves = state.waves.to(device, at::kFloat), state.lengths = state.lengths.to(device, at::kFloat);
    for (Leaf& part : state.parts) part = make_leaf(part.name, part.value.detach().to(device, at::kFloat).clone());
    return state;
  }
};

}  // namespace persona
