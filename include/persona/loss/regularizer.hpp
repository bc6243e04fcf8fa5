#pragma once

#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bound.hpp>
#include <persona/loss/step_view.hpp>
#include <persona/model/archetype.hpp>

#include <concepts>

namespace persona {

namespace detail {
template <class R>
concept HasLoss = requires(const R& regularizer, const StepView& view) {
  { regularizer.loss(view) } -> std::convertible_to<Tensor>;
};
template <class R>
concept WantsAttention = requires(const R& regularizer, const AttentionLayer& layer) {
  { regularizer.wants(layer) } -> std::convertible_to<bool>;
};
}  // namespace detail

/// loss(const StepView&) -> scalar, its weight included, added to the denoising loss. One that also has
/// wants(AttentionLayer) -> bool is handed those cross-attention maps, and needs an AttentionDenoiser.
template <class R, class Model>
concept RegularizerFor = Component<R> && Bindable<R, Model> && detail::HasLoss<bound_t<R, Model>>;

/// A regularizer that works with every model.
template <class R>
concept Regularizer = RegularizerFor<R, archetype::DiffusionModel>;

}  // namespace persona
