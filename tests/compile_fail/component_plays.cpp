// expect: [persona] not a Component: needs 'using plays = persona::Plays<persona::Role::...>;' (docs/how-to/write_a_component.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct NoPlays {
  persona::Description describe() const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Regularizer;
#else
using T = NoPlays;
#endif
static_assert(persona::explain_component<T>());
