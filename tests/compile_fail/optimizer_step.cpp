// expect: [persona] not an Optimizer: what bind() returns needs 'void step(const OptimizerStep&)' (docs/concepts/optimizer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Optimizer;
#else
using T = persona::archetype::Without<persona::archetype::Optimizer, persona::archetype::OptimizerPiece::step>;
#endif
static_assert(persona::explain_optimizer<T>());
