// expect: [persona] not a LayeredDenoiser: needs 'std::int64_t num_conditioned_layers() const' (docs/concepts/denoiser.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::LayeredDenoiser;
#else
using T = persona::archetype::AttentionDenoiser;
#endif
static_assert(persona::explain_layered_denoiser<T>());
