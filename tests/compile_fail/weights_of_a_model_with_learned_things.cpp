// expect: [persona] this sum changes weights, and the model has learned things in it, whose weights are not lent; train on the base model, go on from rows with RowsInit::from, or bake what was learned of weights into a model of its own first (docs/how-to/many_subjects.md)
#include <persona/archetype.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/train/bind.hpp>

using Weights = persona::archetype::WeightParameterization;
using Full = persona::archetype::FullDiffusionModel;
#ifdef PERSONA_POSITIVE_TWIN
static_assert(persona::detail::explain_recipe_for<Full, Weights>());
#else
static_assert(persona::detail::explain_recipe_for<persona::Personalized<Full>, Weights>());
#endif
