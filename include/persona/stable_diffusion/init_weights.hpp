#pragma once

#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/stable_diffusion/clip_text.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace persona {

namespace detail {
inline Tensor uniform(at::IntArrayRef shape, double bound, const at::Generator& generator) {
  return (2 * at::rand(shape, generator, at::TensorOptions().dtype(at::kFloat).device(generator.device())) - 1) * bound;
}
inline Tensor normal(at::IntArrayRef shape, double std, const at::Generator& generator) {
  return std * at::randn(shape, generator, at::TensorOptions().dtype(at::kFloat).device(generator.device()));
}
}  // namespace detail

/// Fills every weight of a module as PyTorch fills its layers: linear and convolution weights and their biases uniform
/// within 1 / sqrt(fan in), norms 1 and 0, tables N(0, 0.02^2).
template <class Module>
void initialize(Module& module, const at::Generator& generator) {
  double bias_bound = 0;  // of the layer whose weight came last
  bool after_norm = false;
  for_each_weight(module, [&](const std::string&, Weight& weight) {
    const auto shape = weight.base.sizes();
    const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(generator.device());
    switch (weight.kind) {
      case WeightKind::linear:
      case WeightKind::conv2d:
        bias_bound = 1.0 / std::sqrt(static_cast<double>(weight.base.numel() / shape[0]));
        after_norm = false;
        weight.base = detail::uniform(shape, bias_bound, generator);
        break;
      case WeightKind::norm:
        after_norm = true;
        weight.base = at::ones(shape, options);
        break;
      case WeightKind::bias:
        weight.base = after_norm ? at::zeros(shape, options) : detail::uniform(shape, bias_bound, generator);
        break;
      case WeightKind::embedding:
        weight.base = detail::normal(shape, 0.02, generator);
        break;
    }
  });
}

/// Fills a text model as CLIP was begun (Radford et al. 2021): tables N(0, 0.02^2), attention and MLP scaled by width
/// and depth.
inline void initialize(CLIPTextModel& model, const at::Generator& generator) {
  const auto& config = model.config();
  const double width = 1.0 / std::sqrt(static_cast<double>(config.hidden_size));
  const double depth = 1.0 / std::sqrt(2.0 * static_cast<double>(config.num_hidden_layers));
  for_each_weight(model, [&](const std::string& name, Weight& weight) {
    const auto shape = weight.base.sizes();
    const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(generator.device());
    const auto named = [&](const char* part) { return name.find(part) != std::string::npos; };
    switch (weight.kind) {
      case WeightKind::norm:
        weight.base = at::ones(shape, options);
        break;
      case WeightKind::bias:
        weight.base = at::zeros(shape, options);
        break;
      case WeightKind::embedding:
        weight.base = detail::normal(shape, 0.02, generator);
        break;
      default:
        weight.base = detail::normal(shape,
                                     named("fc1")        ? width / std::sqrt(2.0)
                                     : named("out_proj") ? width
                                                         : width * depth,
                                     generator);
    }
  });
}

}  // namespace persona
