// expect: [persona] not an Autoencoder: needs 'double scaling_factor() const' and 'std::int64_t vae_scale_factor() const' (docs/concepts/autoencoder.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Autoencoder;
#else
using T = persona::archetype::Without<persona::archetype::Autoencoder, persona::archetype::AutoencoderPiece::scaling_factor>;
#endif
static_assert(persona::explain_autoencoder<T>());
