// expect: [persona] not an Augmentation: needs 'std::int64_t draw(at::Generator&) const' (docs/concepts/augmentation.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Augmentation;
#else
using T = persona::archetype::Without<persona::archetype::Augmentation, persona::archetype::AugmentationPiece::draw>;
#endif
static_assert(persona::explain_augmentation<T>());
