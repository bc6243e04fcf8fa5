// expect: [persona] not a LayeredDenoiser: needs 'Tensor predict(x_t, t, const Conditioning&) const' (docs/concepts/denoiser.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::LayeredDenoiser;
#else
using T = persona::archetype::Denoiser;
#endif
static_assert(persona::explain_layered_denoiser<T>());
