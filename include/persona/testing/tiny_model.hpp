#pragma once
// A deterministic model that answers every refinement of every concept, small enough for finite differences.

#include <persona/core/random.hpp>
#include <persona/model/diffusion_model.hpp>

#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona::testing {

/// Words to ids by a written list; an unknown word is cut into its letters.
class TinyTokenizer {
 public:
  TinyTokenizer() {
    for (const char* word : {"a", "photo", "of", "person", "face", "dog", "cat", "beach", "the", "on", "painting",
                             "ada", "lovelace", "grace", "hopper", "mary"})
      ids_.emplace(word, next_++);
    for (char letter = 'a'; letter <= 'z'; ++letter) ids_.emplace(std::string("#") + letter, next_++);
    for (const char bracket : {'<', '>'}) ids_.emplace(std::string("#") + bracket, next_++);
  }
  std::vector<std::int64_t> encode(std::string_view text) const {
    std::vector<std::int64_t> ids;
    std::string word;
    const auto flush = [&] {
      if (const auto found = ids_.find(word); found != ids_.end()) {
        ids.push_back(found->second);
      } else {
        for (const char letter : word) ids.push_back(ids_.at(std::string("#") + letter));
      }
      word.clear();
    };
    for (const unsigned char letter : text) {
      if (std::isalpha(letter) || letter == '<' || letter == '>')
        word += static_cast<char>(std::tolower(letter));
      else if (!word.empty())
        flush();
    }
    if (!word.empty()) flush();
    return ids;
  }
  std::int64_t bos_token_id() const { return 0; }
  std::int64_t eos_token_id() const { return 1; }
  std::int64_t pad_token_id() const { return 1; }
  std::int64_t max_length() const { return 24; }
  std::int64_t vocab_size() const { return next_; }

 private:
  std::int64_t next_ = 2;
  std::map<std::string, std::int64_t, std::less<>> ids_;
};

/// A causal running mean, a linear map, a layer norm.
struct TinyTextEncoder {
  Weight table, mix;

  TinyTextEncoder(std::int64_t vocab, std::int64_t width, at::ScalarType dtype, at::Generator generator)
      : table{.kind = WeightKind::embedding, .base = 0.3 * at::randn({vocab, width}, generator, dtype)},
        mix{.kind = WeightKind::linear, .base = at::randn({width, width}, generator, dtype) / std::sqrt(width)} {}

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("table", self.table);
    f("mix.weight", self.mix);
  }
  std::vector<WeightRef> weights() { return weight_refs(*this); }

  Tensor embedding_table() const { return table.value(); }
  Tensor hidden(const Tensor& embeddings) const {
    const auto counts = at::arange(1, embeddings.size(1) + 1, embeddings.options()).view({1, -1, 1});
    return embeddings + mix.linear(embeddings.cumsum(1) / counts, {}).tanh();
  }
  Tensor final_norm(const Tensor& hidden) const { return at::layer_norm(hidden, {hidden.size(-1)}); }
  Tensor encode(const Tensor& embeddings) const { return final_norm(hidden(embeddings)); }
};

/// Two cross-attention layers of one head between two convolutions.
struct TinyDenoiser {
  struct Layer {
    Weight to_q, to_k, to_v;
    template <class Self, class F>
    static void visit(Self& self, F&& f) {
      f("to_q.weight", self.to_q);
      f("to_k.weight", self.to_k);
      f("to_v.weight", self.to_v);
    }
  };
  Weight conv_in, norm, conv_out;
  std::vector<Layer> layers;

  TinyDenoiser(std::int64_t channels, std::int64_t width, std::int64_t context, at::ScalarType dtype, at::Generator g) {
    const auto random = [&](WeightKind kind, std::vector<std::int64_t> shape, double fan_in) {
      return Weight{.kind = kind, .base = at::randn(shape, g, dtype) / std::sqrt(fan_in)};
    };
    conv_in = random(WeightKind::conv2d, {width, channels, 3, 3}, 9.0 * static_cast<double>(channels));
    norm = {.kind = WeightKind::norm, .base = at::ones({width}, dtype)};
    conv_out = random(WeightKind::conv2d, {channels, width, 3, 3}, 9.0 * static_cast<double>(width));
    const auto w = static_cast<double>(width), c = static_cast<double>(context);
    for (int i = 0; i < 2; ++i)
      layers.push_back({random(WeightKind::linear, {width, width}, w), random(WeightKind::linear, {width, context}, c),
                        random(WeightKind::linear, {width, context}, c)});
  }

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("conv_in.weight", self.conv_in);
    f("norm.weight", self.norm);
    f("attn2", self.layers);
    f("conv_out.weight", self.conv_out);
  }
  std::vector<WeightRef> weights() { return weight_refs(*this); }
  std::int64_t num_conditioned_layers() const { return static_cast<std::int64_t>(layers.size()); }

  Tensor predict(const Tensor& x_t, const Tensor& t, const Conditioning& c) const {
    AttentionTap none{.wants = [](const AttentionLayer&) { return false; }, .maps = {}};
    return predict(x_t, t, c, none);
  }
  Tensor predict(const Tensor& x_t, const Tensor& t, const Conditioning& c, AttentionTap& tap) const {
    const auto height = x_t.size(2), width = x_t.size(3);
    auto h = conv_in.conv2d(x_t.to(conv_in.base.scalar_type()), {}, {1, 1});
    h = h * norm.value().view({1, -1, 1, 1}) + (t.to(h.scalar_type()) * 0.01).sin().view({-1, 1, 1, 1});
    auto tokens = h.flatten(2).transpose(1, 2);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const auto& keys = c.layers.empty() ? c.states : c.layers.at(i).key_states;
      const auto& values = c.layers.empty() ? c.states : c.layers.at(i).value_states;
      const auto q = layers[i].to_q.linear(tokens, {}), k = layers[i].to_k.linear(keys.to(h.scalar_type()), {});
      const auto probabilities =
          at::softmax(q.matmul(k.transpose(1, 2)) / std::sqrt(static_cast<double>(q.size(2))), -1);
      const AttentionLayer layer{.index = static_cast<std::int64_t>(i), .height = height, .width = width};
      if (tap.wants(layer)) tap.maps.push_back({.layer = layer, .probabilities = probabilities.unsqueeze(1)});
      tokens = tokens + probabilities.matmul(layers[i].to_v.linear(values.to(h.scalar_type()), {}));
    }
    h = tokens.transpose(1, 2).reshape(h.sizes());
    return conv_out.conv2d(at::silu(h), {}, {1, 1});
  }
};

/// alphas_bar falls like a cosine over 100 timesteps; the target is the noise.
struct TinyScheduler {
  std::int64_t num_train_timesteps() const { return 100; }
  Tensor alpha_bar(const Tensor& t) const {
    return (t.to(at::kDouble) / 100.0 * 1.5).cos().square().view({-1, 1, 1, 1});
  }
  Tensor add_noise(const Tensor& x0, const Tensor& noise, const Tensor& t) const {
    const auto a = alpha_bar(t).to(x0.scalar_type());
    return a.sqrt() * x0 + (1 - a).sqrt() * noise;
  }
  Tensor target(const Tensor&, const Tensor& noise, const Tensor&) const { return noise; }
  Tensor snr(const Tensor& t) const {
    const auto a = alpha_bar(t).view({-1});
    return a / (1 - a);
  }
};

/// Averages 2x2 pixels; the posterior's spread is constant.
struct TinyAutoencoder {
  Moments encode(const Tensor& images) const {
    const auto b = images.size(0), h = images.size(2) / 2, w = images.size(3) / 2;
    const auto mean = images.reshape({b, 3, h, 2, w, 2}).mean({3, 5});
    return {.mean = mean, .std = at::full_like(mean, 0.05)};
  }
  Tensor decode(const Tensor& latents) const { return latents.repeat_interleave(2, 2).repeat_interleave(2, 3); }
  double scaling_factor() const { return 0.5; }
  std::int64_t vae_scale_factor() const { return 2; }
};

using TinyModel = ModelParts<TinyTokenizer, TinyTextEncoder, TinyDenoiser, TinyScheduler, TinyAutoencoder>;

/// The tiny model: token rows of width 6, latents [3, 4, 4], images [3, 8, 8]; equal seeds give equal weights.
inline TinyModel tiny_model(at::ScalarType dtype = at::kFloat, std::uint64_t seed = 1) {
  auto generator = Random(seed).at(Stream::initialization);
  TinyTokenizer tokenizer;
  TinyTextEncoder encoder(tokenizer.vocab_size(), 6, dtype, generator);
  TinyDenoiser denoiser(3, 8, 6, dtype, generator);
  return {tokenizer, encoder, denoiser, TinyScheduler{}, {3, 4, 4}, TinyAutoencoder{}};
}

}  // namespace persona::testing
