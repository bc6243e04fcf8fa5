// expect: [persona] not a DiffusionModel: needs 'text_encoder() const' (docs/concepts/diffusion_model.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::DiffusionModel;
#else
using T = persona::archetype::Without<persona::archetype::DiffusionModel, persona::archetype::ModelPiece::text_encoder>;
#endif
static_assert(persona::explain_diffusion_model<T>());
