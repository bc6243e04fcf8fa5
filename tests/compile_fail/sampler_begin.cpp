// expect: [persona] not a Sampler: needs 'begin(std::int64_t steps) const' (docs/concepts/scheduler.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Sampler;
#else
using T = persona::archetype::Without<persona::archetype::Sampler, persona::archetype::SamplerPiece::begin>;
#endif
static_assert(persona::explain_sampler<T>());
