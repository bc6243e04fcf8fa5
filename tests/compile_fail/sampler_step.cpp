// expect: [persona] not a Sampler: what begin() returns needs 'timesteps()', 'init_noise_sigma()', 'scale_model_input(x, i)' and 'step(model_output, i, x_t)' (docs/concepts/scheduler.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Sampler;
#else
using T = persona::archetype::Without<persona::archetype::Sampler, persona::archetype::SamplerPiece::step>;
#endif
static_assert(persona::explain_sampler<T>());
