#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/weight.hpp>

#include <concepts>
#include <functional>
#include <ranges>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

/// Where a changed weight goes: persona's own Weight, any tensor that a module reads, or a function that takes the
/// tensor.
using WeightSlot = std::variant<Weight*, Tensor*, std::function<void(const Tensor&)>>;

/// One weight that a module lends to be adapted.
struct WeightRef {
  std::string name{};  ///< as in the module's state dict: "mid_block.attentions.0....to_k.weight"
  std::string host{};  ///< "unet" or "text_encoder": which part of the model it belongs to; the library fills it
  WeightKind kind = WeightKind::linear;
  Tensor base{};  ///< the untouched value
  WeightSlot slot{};

  /// "unet.mid_block.attentions.0....to_k.weight".
  std::string full_name() const { return detail::join_name(host, name); }
};

/// A stored tensor as a leaf on the weight's device, a value that is not trained; throws Error naming weight and tensor
/// where there is none, or where it has another shape.
inline Leaf stored_leaf(const StoredChange& stored, const std::string& name, const WeightRef& ref,
                        at::IntArrayRef shape) {
  const auto found = stored.tensors.find(name);
  if (found == stored.tensors.end())
    throw Error(ref.full_name(), "its '" + stored.form + "' has no '" + name + "'", "the file is cut or mixed up");
  if (found->second.sizes() != shape)
    throw Error(ref.full_name(),
                "'" + name + "' has shape " + shape_string(found->second.sizes()) + ", this model's weight asks for " +
                    shape_string(shape),
                "was it learned on another kind of model?");
  return frozen({.name = name, .value = found->second.to(ref.base.device(), at::kFloat).contiguous()});
}

/// The references of a module made of Weights (see for_each_weight).
template <class Module>
std::vector<WeightRef> weight_refs(Module& module) {
  std::vector<WeightRef> refs;
  for_each_weight(module, [&](const std::string& name, Weight& weight) {
    refs.push_back({.name = name, .host = {}, .kind = weight.kind, .base = weight.base, .slot = &weight});
  });
  return refs;
}

/// weights() -> range of WeightRef. Means: every name once, in a fixed order; what a slot is given, the module's next
/// call uses. Any module can be one, a text encoder too.
template <class H>
concept WeightHost = requires(H& host) {
  { host.weights() } -> std::ranges::input_range;
  requires std::convertible_to<std::ranges::range_value_t<decltype(host.weights())>, WeightRef>;
};

}  // namespace persona
