#pragma once

#include <persona/core/error.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace persona {

/// A named choice of weights. Choices compose: a && b, a || b, !a; one of your own is Subset{"name", predicate}, where
/// equal names must mean equal choices (checkpoints compare them).
struct Subset {
  std::string name{};
  std::function<bool(const WeightRef&)> selects{};

  /// Throws Error where there is no predicate.
  bool operator()(const WeightRef& ref) const {
    if (!selects)
      throw Error("Subset '" + name + "'", "has no predicate", "Subset{\"name\", predicate}, or one of subsets::");
    return selects(ref);
  }

  friend Subset operator&&(Subset a, Subset b) {
    auto name = a.name + " && " + b.name;
    return {std::move(name), [a = std::move(a), b = std::move(b)](const WeightRef& ref) { return a(ref) && b(ref); }};
  }
  friend Subset operator||(Subset a, Subset b) {
    auto name = "(" + a.name + " || " + b.name + ")";
    return {std::move(name), [a = std::move(a), b = std::move(b)](const WeightRef& ref) { return a(ref) || b(ref); }};
  }
  friend Subset operator!(Subset a) {
    auto name = "!(" + a.name + ")";
    return {std::move(name), [a = std::move(a)](const WeightRef& ref) { return !a(ref); }};
  }
};

/// The choices of SVDiff's Table 1, by the names that diffusers gives weights, and what they are made of. Biases and
/// token tables are in none of them.
namespace subsets {

/// Weights whose name holds `part`: named("attn1"), named("up_blocks.3.").
inline Subset named(std::string part) {
  auto name = "named " + part;
  return {std::move(name),
          [part = std::move(part)](const WeightRef& ref) { return ref.name.find(part) != std::string::npos; }};
}
/// Weights of one kind: kernels of convolutions are of conv2d, scales of norms of norm.
inline Subset of_kind(WeightKind kind, std::string name) {
  return {std::move(name), [kind](const WeightRef& ref) { return ref.kind == kind; }};
}
inline Subset host(std::string part) {
  auto name = part;
  return {std::move(name), [part = std::move(part)](const WeightRef& ref) { return ref.host == part; }};
}

/// Scales of norms, of whatever part.
inline Subset vectors() { return of_kind(WeightKind::norm, "vectors"); }
/// Linear layers, of whatever part.
inline Subset matrices() { return of_kind(WeightKind::linear, "matrices"); }
/// Convolutions, of whatever part.
inline Subset kernels() { return of_kind(WeightKind::conv2d, "kernels"); }
inline Subset everything() {
  auto all = vectors() || matrices() || kernels();
  all.name = "everything";
  return all;
}

inline Subset unet() { return host("unet") && everything(); }
/// The UNet's scales of norms, linear layers and convolutions (UNet-1D, UNet-2D, UNet-4D).
inline Subset unet_vectors() { return host("unet") && vectors(); }
inline Subset unet_matrices() { return host("unet") && matrices(); }
inline Subset unet_kernels() { return host("unet") && kernels(); }
inline Subset text_encoder() { return host("text_encoder") && everything(); }

/// to_q, to_k, to_v and to_out of the layers that read the prompt (UNet-CA).
inline Subset cross_attention() {
  auto chosen = host("unet") && matrices() && named("attn2.");
  chosen.name = "cross_attention";
  return chosen;
}
/// With to_out's bias: what Custom Diffusion's script trains as `crossattn`.
inline Subset cross_attention_with_bias() {
  auto chosen = cross_attention() || (host("unet") && named("attn2.to_out.0.bias"));
  chosen.name = "cross_attention_with_bias";
  return chosen;
}
/// Their to_k and to_v (UNet-CA-KV).
inline Subset cross_attention_kv() {
  auto chosen = cross_attention() && (named(".to_k.") || named(".to_v."));
  chosen.name = "cross_attention_kv";
  return chosen;
}
/// to_q, to_k, to_v and to_out of self- and cross-attention: LoRA's usual targets.
inline Subset attention() {
  auto chosen = host("unet") && matrices() && (named("attn1.") || named("attn2."));
  chosen.name = "attention";
  return chosen;
}
/// q_proj, k_proj, v_proj and out_proj of the text encoder.
inline Subset text_attention() {
  auto chosen = host("text_encoder") && matrices() && named(".self_attn.");
  chosen.name = "text_attention";
  return chosen;
}

inline Subset up_blocks() { return unet() && named("up_blocks."); }
inline Subset down_blocks() { return unet() && named("down_blocks."); }
inline Subset mid_block() { return unet() && named("mid_block."); }
inline Subset up_cross_attention() { return up_blocks() && cross_attention(); }
inline Subset down_cross_attention() { return down_blocks() && cross_attention(); }
inline Subset mid_cross_attention() { return mid_block() && cross_attention(); }

}  // namespace subsets

}  // namespace persona
