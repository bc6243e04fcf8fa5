// expect: [persona] not an AttentionDenoiser: needs 'Tensor predict(x_t, t, const Conditioning&, AttentionTap&) const' (docs/concepts/denoiser.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::AttentionDenoiser;
#else
using T = persona::archetype::LayeredDenoiser;
#endif
static_assert(persona::explain_attention_denoiser<T>());
