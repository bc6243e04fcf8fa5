// expect: [persona] this sum changes weights, and neither the model's denoiser nor its text encoder lends any: needs 'std::vector<persona::WeightRef> weights()', and a non-const 'denoiser()' or 'text_encoder()' (docs/concepts/weight_host.md)
#include <persona/archetype.hpp>
#include <persona/train/bind.hpp>

using Weights = persona::archetype::WeightParameterization;
#ifdef PERSONA_POSITIVE_TWIN
static_assert(persona::detail::explain_recipe_for<persona::archetype::FullDiffusionModel, Weights>());
#else
static_assert(persona::detail::explain_recipe_for<persona::archetype::DiffusionModel, Weights>());
#endif
