// expect: [persona] not a RowParameterization: layered rows also need 'snapshot() const', a copy whose leaves no longer follow the run (docs/concepts/row_parameterization.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct NoSnapshot {
  using plays = persona::Plays<persona::Role::row_parameterization>;
  struct State {
    std::vector<persona::Leaf> leaves() const;
    persona::RowSet rows(const persona::RowQuery&) const;
  };
  template <class Model>
  State bind(const persona::Tensor&, const Model&, const persona::BindContext&) const;
  persona::Description describe() const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::LayeredRowParameterization;
#else
using T = NoSnapshot;
#endif
static_assert(persona::explain_row_parameterization<T>());
