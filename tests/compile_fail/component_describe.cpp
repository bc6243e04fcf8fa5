// expect: [persona] not a Component: needs 'persona::Description describe() const' that names its fields (docs/how-to/write_a_component.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Regularizer;
#else
using T = persona::archetype::Without<persona::archetype::Regularizer, persona::archetype::ComponentPiece::describe>;
#endif
static_assert(persona::explain_component<T>());
