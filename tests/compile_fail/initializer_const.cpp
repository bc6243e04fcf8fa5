// expect: [persona] not an Initializer: make 'rows' const (docs/concepts/initializer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct NotConst {
  using plays = persona::Plays<persona::Role::initializer>;
  template <class Model>
  persona::Tensor rows(const Model&, const persona::BindContext&);
  persona::Description describe() const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Initializer;
#else
using T = NotConst;
#endif
static_assert(persona::explain_initializer<T>());
