#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/stable_diffusion/attention.hpp>
#include <persona/stable_diffusion/layers.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// transformers' CLIPTextConfig, as far as it changes the arithmetic; the defaults are its own.
struct CLIPTextConfig {
  std::int64_t vocab_size = 49408;
  std::int64_t hidden_size = 512, intermediate_size = 2048;
  std::int64_t num_hidden_layers = 12, num_attention_heads = 8;
  std::int64_t max_position_embeddings = 77;
  std::string hidden_act = "quick_gelu";  ///< or "gelu"
  double layer_norm_eps = 1e-5;
};

/// Causal self-attention and a two-layer MLP, each behind a layer norm and a residual.
struct CLIPEncoderLayer {
  LayerNorm layer_norm1{}, layer_norm2{};
  Linear q_proj{}, k_proj{}, v_proj{}, out_proj{}, fc1{}, fc2{};
  std::int64_t heads = 1;
  bool quick_gelu = true;

  CLIPEncoderLayer() = default;
  explicit CLIPEncoderLayer(const CLIPTextConfig& c)
      : layer_norm1(c.hidden_size, c.layer_norm_eps),
        layer_norm2(c.hidden_size, c.layer_norm_eps),
        q_proj(c.hidden_size, c.hidden_size),
        k_proj(c.hidden_size, c.hidden_size),
        v_proj(c.hidden_size, c.hidden_size),
        out_proj(c.hidden_size, c.hidden_size),
        fc1(c.hidden_size, c.intermediate_size),
        fc2(c.intermediate_size, c.hidden_size),
        heads(c.num_attention_heads),
        quick_gelu(c.hidden_act == "quick_gelu") {}

  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("layer_norm1", self.layer_norm1);
    f("layer_norm2", self.layer_norm2);
    f("mlp.fc1", self.fc1);
    f("mlp.fc2", self.fc2);
    f("self_attn.k_proj", self.k_proj);
    f("self_attn.out_proj", self.out_proj);
    f("self_attn.q_proj", self.q_proj);
    f("self_attn.v_proj", self.v_proj);
  }

  Tensor operator()(Tensor x) const {
    const auto normed = layer_norm1(x);
    const auto attended =
        detail::attend(detail::split_heads(q_proj(normed), heads), detail::split_heads(k_proj(normed), heads),
                       detail::split_heads(v_proj(normed), heads), /*causal=*/true);
    x = x + out_proj(detail::join_heads(attended));
    const auto inner = fc1(layer_norm2(x));
    return x + fc2(quick_gelu ? inner * at::sigmoid(1.702 * inner) : at::gelu(inner));
  }
};

/// CLIP's text transformer (Radford et al. 2021; transformers' CLIPTextModel), without its projection.
class CLIPTextModel {
 public:
  CLIPTextModel() = default;
  explicit CLIPTextModel(CLIPTextConfig config) : config_(std::move(config)) {
    if (config_.hidden_act != "quick_gelu" && config_.hidden_act != "gelu")
      throw Error("CLIPTextConfig", "hidden_act is '" + config_.hidden_act + "'", "supported: quick_gelu, gelu");
    if (config_.num_attention_heads < 1 || config_.hidden_size % config_.num_attention_heads != 0)
      throw Error("CLIPTextConfig", "hidden_size " + std::to_string(config_.hidden_size) +
                                        " is no multiple of num_attention_heads " +
                                        std::to_string(config_.num_attention_heads));
    token_embedding_ = unfilled_weight(WeightKind::embedding, {config_.vocab_size, config_.hidden_size});
    position_embedding_ =
        unfilled_weight(WeightKind::embedding, {config_.max_position_embeddings, config_.hidden_size});
    for (std::int64_t i = 0; i < config_.num_hidden_layers; ++i) layers_.emplace_back(config_);
    final_layer_norm_ = LayerNorm(config_.hidden_size, config_.layer_norm_eps);
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("text_model.embeddings.token_embedding.weight", self.token_embedding_);
    f("text_model.embeddings.position_embedding.weight", self.position_embedding_);
    f("text_model.encoder.layers", self.layers_);
    f("text_model.final_layer_norm", self.final_layer_norm_);
  }

  const CLIPTextConfig& config() const { return config_; }
  std::vector<WeightRef> weights() { return weight_refs(*this); }

  /// [V, D].
  Tensor embedding_table() const { return token_embedding_.value(); }

  /// embeddings [N, L, D] -> hidden states of the last layer, before the final norm; L may be shorter than the position
  /// table.
  Tensor hidden(const Tensor& embeddings) const {
    expect_shape(embeddings, {"N", "L", {config_.hidden_size, "D"}}, "CLIPTextModel: embeddings");
    const auto length = embeddings.size(1);
    if (length > config_.max_position_embeddings)
      throw Error("CLIPTextModel: embeddings", std::to_string(length) + " positions, and the model has " +
                                                   std::to_string(config_.max_position_embeddings));
    const auto positions = position_embedding_.value().slice(0, 0, length);
    auto x = embeddings.to(positions.scalar_type()) + positions;
    for (const auto& layer : layers_) x = layer(x);
    return x;
  }
  Tensor final_norm(const Tensor& hidden) const { return final_layer_norm_(hidden); }
  /// last_hidden_state: hidden() after the final layer norm, at all positions.
  Tensor encode(const Tensor& embeddings) const { return final_norm(hidden(embeddings)); }

 private:
  CLIPTextConfig config_{};
  Weight token_embedding_{}, position_embedding_{};
  std::vector<CLIPEncoderLayer> layers_{};
  LayerNorm final_layer_norm_{};
};

}  // namespace persona
