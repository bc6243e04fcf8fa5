// expect: [persona] not a WeightHost: needs 'std::vector<persona::WeightRef> weights()' (docs/concepts/weight_host.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::WeightHost;
#else
using T = persona::archetype::Denoiser;
#endif
static_assert(persona::explain_weight_host<T>());
