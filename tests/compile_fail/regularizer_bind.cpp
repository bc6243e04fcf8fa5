// expect: [persona] not a Regularizer for this model: 'bind' must take (const Model&, const BindContext&) (docs/concepts/regularizer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct BindsSomethingElse : persona::archetype::Regularizer {
  BindsSomethingElse bind(int) const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Regularizer;
#else
using T = BindsSomethingElse;
#endif
static_assert(persona::explain_regularizer<T>());
