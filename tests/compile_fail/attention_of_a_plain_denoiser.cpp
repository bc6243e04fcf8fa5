// expect: [persona] this regularizer reads attention maps, and the model's denoiser is not an AttentionDenoiser: needs 'Tensor predict(x_t, t, const Conditioning&, AttentionTap&) const' (docs/concepts/denoiser.md)
#include <persona/archetype.hpp>
#include <persona/train/bind.hpp>

using Unmix = persona::archetype::AttentionRegularizer;
using Rows = persona::archetype::RowParameterization;
#ifdef PERSONA_POSITIVE_TWIN
static_assert(persona::detail::explain_recipe_for<persona::archetype::FullDiffusionModel, Rows, Unmix>());
#else
static_assert(persona::detail::explain_recipe_for<persona::archetype::DiffusionModel, Rows, Unmix>());
#endif
