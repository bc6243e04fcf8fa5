#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/libtorch/rebound_weights.hpp>
#include <persona/model/weight_host.hpp>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/error_report.h>
#include <torch/csrc/jit/serialization/import.h>

#include <exception>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// The weights of a TorchScript module, traced or scripted, by the names of its state dict; none of one that
/// torch.jit.freeze has made constants of.
inline ReboundWeights rebound_weights(const torch::jit::Module& root) {
  ReboundWeights weights;
  std::set<const void*> seen;  // a module may be registered under two names
  for (const auto& below : root.named_modules()) {
    if (!seen.insert(below.value._ivalue().get()).second) continue;
    const auto layer = below.value.type()->name() ? below.value.type()->name()->name() : std::string();
    for (const auto& parameter : below.value.named_parameters(/*recurse=*/false))
      if (const auto kind = detail::kind_of_parameter(layer, parameter.name, parameter.value.dim()))
        weights.add(detail::join_name(below.name, parameter.name), *kind, parameter.value,
                    [module = below.value, name = parameter.name](const Tensor& value) mutable {
                      module.setattr(name, value);
                    });
  }
  return weights;
}

/// A TorchScript module as a Denoiser and a WeightHost: forward(x_t [B, C, H, W], t [B], states [B, L, C']) -> [B, C,
/// H, W], called in the dtype of its first parameter (fp32 where it has none). Its tensors are never written, and are
/// its own between calls.
class ScriptDenoiser {
 public:
  explicit ScriptDenoiser(torch::jit::Module module) : module_(std::move(module)), weights_(rebound_weights(module_)) {
    if (!module_.find_method("forward"))
      throw Error("ScriptDenoiser", "the module has no forward", "save a module with torch.jit.save, not a tensor");
    for (const auto& below : module_.named_modules())
      if (below.value.type()->name() && below.value.type()->name()->name().find("BatchNorm") != std::string::npos &&
          below.value.is_training())
        throw Error("ScriptDenoiser: " + below.name, "is a batch norm in training mode, which writes its statistics",
                    "call eval() on the module first");
    for (const Tensor& parameter : module_.parameters()) {
      dtype_ = parameter.scalar_type();
      break;
    }
  }
  /// What torch.jit.save wrote. Throws Error where the file is none of these.
  static ScriptDenoiser load(const std::filesystem::path& file, at::Device device = at::kCPU) {
    if (!std::filesystem::exists(file))
      throw Error(file.string(), "there is no such file", "give what torch.jit.save wrote");
    try {
      auto module = torch::jit::load(file.string(), device);
      module.eval();
      return ScriptDenoiser(std::move(module));
    } catch (const c10::Error& error) {
      throw Error(file.string(), std::string("is not read as a TorchScript module: ") + error.what_without_backtrace(),
                  "give what torch.jit.save wrote");
    } catch (const torch::jit::ErrorReport& error) {
      throw Error(file.string(), std::string("is not read as a TorchScript module: ") + error.what(),
                  "was it saved by a newer LibTorch, or with operators of its own?");
    }
  }

  Tensor predict(const Tensor& x_t, const Tensor& t, const Tensor& states) const {
    const ReboundWeights::Scope scope(weights_);
    auto module = module_;  // forward is not const; the handle's copy is the same module
    return module.forward({x_t.to(dtype_), t, states.to(dtype_)}).toTensor().to(x_t.scalar_type());
  }
  std::vector<WeightRef> weights() { return weights_.refs(); }

 private:
  torch::jit::Module module_;
  ReboundWeights weights_;
  at::ScalarType dtype_ = at::kFloat;
};

}  // namespace persona
