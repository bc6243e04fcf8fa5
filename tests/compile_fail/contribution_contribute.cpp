// expect: [persona] not a Contribution: needs 'void contribute(Batch&, at::Generator&)' or 'void reweigh(Batch&, const Tensor& snr)' (docs/concepts/contribution.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Contribution;
#else
using T = persona::archetype::Without<persona::archetype::Contribution, persona::archetype::ComponentPiece::work>;
#endif
static_assert(persona::explain_contribution<T>());
