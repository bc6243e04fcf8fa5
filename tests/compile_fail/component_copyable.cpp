// expect: [persona] not a Component: must be copyable, as a value of a sum (docs/how-to/write_a_component.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#include <memory>

struct Unique : persona::archetype::Regularizer {
  std::unique_ptr<int> held;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Regularizer;
#else
using T = Unique;
#endif
static_assert(persona::explain_component<T>());
