#pragma once

#include <persona/learned/personalized.hpp>
#include <persona/model/attachment.hpp>
#include <persona/model/diffusion_model.hpp>

#include <functional>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

/// A copy of the model whose weights are what was learned, as plain tensors: nothing is computed beside a layer any
/// more, and save_folder writes it for other tools. Weights that did not change are shared; token rows stay apart.
template <DiffusionModel Model>
Model bake(const Model& model, const Learned& learned) {
  const at::NoGradGuard no_grad;
  Model baked = model;
  std::vector<std::pair<WeightSlot, Tensor>> values;
  {
    auto weights = learned.weights;
    const auto attachments = detail::attach_changes(baked, weights);
    for (const Attachment& attachment : attachments)
      values.emplace_back(attachment.ref().slot, attachment.written().detach().clone());
  }
  for (const auto& [slot, value] : values) {
    if (auto* const* weight = std::get_if<Weight*>(&slot)) (*weight)->base = value;
    if (auto* const* tensor = std::get_if<Tensor*>(&slot)) **tensor = value;
    if (auto* set = std::get_if<std::function<void(const Tensor&)>>(&slot)) (*set)(value);
  }
  return baked;
}

}  // namespace persona
