// expect: [persona] not a Regularizer: make 'loss' const (docs/concepts/regularizer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct NotConst {
  using plays = persona::Plays<persona::Role::regularizer>;
  persona::Tensor loss(const persona::StepView&);
  persona::Description describe() const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Regularizer;
#else
using T = NotConst;
#endif
static_assert(persona::explain_regularizer<T>());
