// expect: [persona] not a Regularizer: needs 'Tensor loss(const StepView&) const' (docs/concepts/regularizer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Regularizer;
#else
using T = persona::archetype::Without<persona::archetype::Regularizer, persona::archetype::ComponentPiece::work>;
#endif
static_assert(persona::explain_regularizer<T>());
