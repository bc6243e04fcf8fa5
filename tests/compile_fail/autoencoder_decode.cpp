// expect: [persona] not an Autoencoder: needs 'Tensor decode(const Tensor& latents) const' (docs/concepts/autoencoder.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Autoencoder;
#else
using T = persona::archetype::Without<persona::archetype::Autoencoder, persona::archetype::AutoencoderPiece::decode>;
#endif
static_assert(persona::explain_autoencoder<T>());
