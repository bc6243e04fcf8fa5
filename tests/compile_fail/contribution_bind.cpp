// expect: [persona] not a Contribution for this model: 'bind' must take (const Model&, const BindContext&) (docs/concepts/contribution.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct BindsSomethingElse : persona::archetype::Contribution {
  BindsSomethingElse bind(int) const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Contribution;
#else
using T = BindsSomethingElse;
#endif
static_assert(persona::explain_contribution<T>());
