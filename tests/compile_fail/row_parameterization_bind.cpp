// expect: [persona] not a RowParameterization for this model: needs 'bind(const Tensor& rows, const Model&, const BindContext&) const' (docs/concepts/row_parameterization.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::RowParameterization;
#else
using T = persona::archetype::Without<persona::archetype::RowParameterization, persona::archetype::RowPiece::bind>;
#endif
static_assert(persona::explain_row_parameterization<T>());
