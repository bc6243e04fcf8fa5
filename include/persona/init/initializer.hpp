#pragma once

#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/model/archetype.hpp>
#include <persona/model/diffusion_model.hpp>

#include <concepts>

namespace persona {

namespace detail {
template <class I, class Model>
concept HasRowsOf = requires(const I& initializer, const Model& model, const BindContext& context) {
  { initializer.rows(model, context) } -> std::convertible_to<Tensor>;
};
}  // namespace detail

/// Where rows start: rows(model, context) -> [n, D] with n = context.current().vectors.
template <class I, class Model>
concept InitializerFor = Component<I> && DiffusionModel<Model> && detail::HasRowsOf<I, Model>;

/// An initializer that works with every model.
template <class I>
concept Initializer = InitializerFor<I, archetype::DiffusionModel>;

}  // namespace persona
