// expect: [persona] this sum trains nothing: add an Initializer (TokenInit, CrossInit) or a RowParameterization for token rows, or a WeightParameterization for weights (docs/concepts/recipe.md)
#include <persona/archetype.hpp>
#include <persona/loss/l2.hpp>
#include <persona/train/bind.hpp>

using Model = persona::archetype::DiffusionModel;
#ifdef PERSONA_POSITIVE_TWIN
auto ok = persona::detail::explain_recipe_for<Model, persona::TokenInit, persona::L2Reg>();
#else
persona::Bound bound(Model& model, persona::BindContext context) {
  return persona::bind(model, persona::L2Reg{} + persona::AdamW{}, context);
}
#endif
