// expect: [persona] this row parameterization gives each layer rows of its own, and the model's denoiser is not a LayeredDenoiser: needs 'num_conditioned_layers() const' and 'predict(x_t, t, const Conditioning&) const' (docs/concepts/denoiser.md)
#include <persona/archetype.hpp>
#include <persona/train/bind.hpp>

using Rows = persona::archetype::LayeredRowParameterization;
#ifdef PERSONA_POSITIVE_TWIN
static_assert(persona::detail::explain_recipe_for<persona::archetype::FullDiffusionModel, Rows>());
#else
static_assert(persona::detail::explain_recipe_for<persona::archetype::DiffusionModel, Rows>());
#endif
