// expect: [persona] not an Initializer for this model: needs 'Tensor rows(const Model&, const BindContext&) const' (docs/concepts/initializer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Initializer;
#else
using T = persona::archetype::Without<persona::archetype::Initializer, persona::archetype::ComponentPiece::work>;
#endif
static_assert(persona::explain_initializer<T>());
