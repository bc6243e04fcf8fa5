#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/libtorch/rebound_weights.hpp>
#include <persona/model/weight_host.hpp>

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/instancenorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/pimpl.h>

#include <concepts>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// The weights of every linear layer, 2-D convolution, layer, group, batch and instance norm and embedding below a
/// torch::nn module, by the names of its state dict. A tensor that a module of your own registers is not among them,
/// since LibTorch does not say where the module reads it: `add` it, with a function that puts it there.
inline ReboundWeights rebound_weights(const std::shared_ptr<torch::nn::Module>& root) {
  ReboundWeights weights;
  std::set<const Tensor*> seen;  // a module may be registered under two names
  for (const auto& item : root->named_modules("", true)) {
    auto& module = *item.value();
    const auto lend = [&]<class Layer>(std::type_identity<Layer>, std::string_view layer) {
      auto* found = dynamic_cast<Layer*>(&module);
      if (!found) return false;
      const auto add = [&](const char* parameter, Tensor& member) {
        if (!member.defined() || !seen.insert(&member).second) return;
        if (const auto kind = detail::kind_of_parameter(layer, parameter, member.dim()))
          weights.add(detail::join_name(item.key(), parameter), *kind, member,
                      [root, at = &member](const Tensor& value) { *at = value; });
      };
      add("weight", found->weight);
      if constexpr (requires { found->bias; }) add("bias", found->bias);
      return true;
    };
    namespace nn = torch::nn;
    (void)(lend(std::type_identity<nn::LinearImpl>{}, "Linear") || lend(std::type_identity<nn::Conv2dImpl>{}, "Conv") ||
           lend(std::type_identity<nn::LayerNormImpl>{}, "Norm") ||
           lend(std::type_identity<nn::GroupNormImpl>{}, "Norm") ||
           lend(std::type_identity<nn::BatchNorm2dImpl>{}, "Norm") ||
           lend(std::type_identity<nn::InstanceNorm2dImpl>{}, "Norm") ||
           lend(std::type_identity<nn::EmbeddingImpl>{}, "Embedding"));
  }
  return weights;
}

namespace detail {
/// A norm that writes its running statistics in training mode.
inline bool keeps_statistics(const torch::nn::Module& module) {
  namespace nn = torch::nn;
  const auto tracks = [](const auto* norm) { return norm && norm->options.track_running_stats(); };
  return module.as<nn::BatchNorm1dImpl>() || module.as<nn::BatchNorm2dImpl>() || module.as<nn::BatchNorm3dImpl>() ||
         tracks(module.as<nn::InstanceNorm1dImpl>()) || tracks(module.as<nn::InstanceNorm2dImpl>()) ||
         tracks(module.as<nn::InstanceNorm3dImpl>());
}
}  // namespace detail

/// A torch::nn module as a Denoiser and a WeightHost: forward(x_t [B, C, H, W], t [B], states [B, L, C']) -> [B, C, H,
/// W], called in the dtype of its first parameter. Its tensors are never written, and are its own between calls. Copies
/// may be called from several threads. Throws Error where a norm that keeps statistics (batch norms, instance norms
/// that are told to) is in training mode, which writes; call eval() on a module with dropout, too.
template <class Impl>
class ModuleDenoiser {
 public:
  explicit ModuleDenoiser(std::shared_ptr<Impl> module)
      : module_(std::move(module)), weights_(rebound_weights(module_)) {
    for (const auto& item : module_->named_modules())
      if (item.value()->is_training() && detail::keeps_statistics(*item.value()))
        throw Error("ModuleDenoiser: " + item.key(), "is a norm in training mode, which writes its statistics",
                    "call eval() on the module first");
  }
  explicit ModuleDenoiser(const torch::nn::ModuleHolder<Impl>& holder) : ModuleDenoiser(holder.ptr()) {}

  Tensor predict(const Tensor& x_t, const Tensor& t, const Tensor& states) const
    requires requires(Impl& module, const Tensor& x) {
      { module.forward(x, x, x) } -> std::convertible_to<Tensor>;
    }
  {
    const ReboundWeights::Scope scope(weights_);
    const auto parameters = module_->parameters();
    const auto dtype = parameters.empty() ? x_t.scalar_type() : parameters.front().scalar_type();
    return module_->forward(x_t.to(dtype), t, states.to(dtype)).to(x_t.scalar_type());
  }
  std::vector<WeightRef> weights() { return weights_.refs(); }

 private:
  std::shared_ptr<Impl> module_;
  ReboundWeights weights_;
};

}  // namespace persona
