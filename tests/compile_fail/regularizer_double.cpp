// expect: [persona] not a Regularizer: 'loss' must return a Tensor, else no gradient flows (docs/concepts/regularizer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct Number {};
struct GivesADouble {
  using plays = persona::Plays<persona::Role::regularizer>;
  Number loss(const persona::StepView&) const;
  persona::Description describe() const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Regularizer;
#else
using T = GivesADouble;
#endif
static_assert(persona::explain_regularizer<T>());
