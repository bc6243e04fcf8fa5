// expect: [persona] not a Denoiser: needs 'Tensor predict(x_t, t, const Conditioning&) const' or 'Tensor predict(x_t, t, states) const' (docs/concepts/denoiser.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Denoiser;
#else
using T = persona::archetype::Scheduler;
#endif
static_assert(persona::explain_denoiser<T>());
