// expect: [persona] not a WeightParameterization: needs 'bind(const WeightRef&, const BindContext&) const' (docs/concepts/weight_parameterization.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::WeightParameterization;
#else
using T = persona::archetype::Without<persona::archetype::WeightParameterization, persona::archetype::WeightPiece::bind>;
#endif
static_assert(persona::explain_weight_parameterization<T>());
