#pragma once

#include <persona/core/tensor.hpp>

#include <string>
#include <utility>

namespace persona {

/// One trained fp32 tensor and how an optimizer is to treat it.
struct Leaf {
  std::string name{};          ///< unique within a run: "<ada>.rows", "unet.mid_block...to_k.weight.delta"
  Tensor value{};              ///< fp32, requires_grad, a leaf of the autograd graph
  double lr_scale = 1.0;       ///< factor on the optimizer's learning rate
  double weight_decay = -1.0;  ///< decoupled decay of this leaf; negative: the optimizer's own
  Tensor decay_toward{};       ///< where the decay pulls to; undefined: zero
};

/// A leaf made from `start`: a detached fp32 copy that requires a gradient.
inline Leaf make_leaf(std::string name, const Tensor& start) {
  auto value = start.detach().to(at::kFloat).clone(at::MemoryFormat::Contiguous);
  value.set_requires_grad(true);
  return Leaf{.name = std::move(name), .value = std::move(value)};
}

/// A leaf's values for a file: fp32, on the CPU.
inline Tensor stored_values(const Leaf& leaf) { return leaf.value.detach().to(at::kCPU, at::kFloat).contiguous(); }

/// The leaf as it is now: detached from the run that goes on training it.
inline Leaf frozen(Leaf leaf) {
  leaf.value = leaf.value.detach().clone();
  return leaf;
}

}  // namespace persona
