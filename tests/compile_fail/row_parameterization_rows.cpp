// expect: [persona] not a RowParameterization: what bind() returns needs 'Tensor rows() const' or 'RowSet rows(const RowQuery&) const' (docs/concepts/row_parameterization.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::RowParameterization;
#else
using T = persona::archetype::Without<persona::archetype::RowParameterization, persona::archetype::RowPiece::rows>;
#endif
static_assert(persona::explain_row_parameterization<T>());
