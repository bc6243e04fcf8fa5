// expect: [persona] not a WeightParameterization: bind() must return a std::shared_ptr to a persona::Replacement or a persona::Delta (docs/concepts/weight_parameterization.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

struct GivesATensor {
  using plays = persona::Plays<persona::Role::weight_parameterization>;
  bool selects(const persona::WeightRef&) const;
  persona::Tensor bind(const persona::WeightRef&, const persona::BindContext&) const;
  persona::Description describe() const;
};

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::WeightParameterization;
#else
using T = GivesATensor;
#endif
static_assert(persona::explain_weight_parameterization<T>());
