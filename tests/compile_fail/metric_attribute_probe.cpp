// expect: [persona] not an AttributeProbe: needs 'Tensor answers(const Tensor& images) const' (docs/concepts/metrics.md)
#include <persona/metric.hpp>

#ifdef PERSONA_POSITIVE_TWIN
struct T {
  persona::Tensor answers(const persona::Tensor&) const;
};
#else
struct T {
  persona::Tensor answers() const;
};
#endif
static_assert(persona::explain_attribute_probe<T>());
