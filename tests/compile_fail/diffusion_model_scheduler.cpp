// expect: [persona] not a DiffusionModel: needs 'scheduler() const' (docs/concepts/diffusion_model.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::DiffusionModel;
#else
using T = persona::archetype::Without<persona::archetype::DiffusionModel, persona::archetype::ModelPiece::scheduler>;
#endif
static_assert(persona::explain_diffusion_model<T>());
