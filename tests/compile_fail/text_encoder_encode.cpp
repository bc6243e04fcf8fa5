// expect: [persona] not a TextEncoder: needs 'Tensor encode(const Tensor& embeddings) const' (docs/concepts/text_encoder.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::SplitTextEncoder;
#else
using T = persona::archetype::Without<persona::archetype::SplitTextEncoder, persona::archetype::TextEncoderPiece::encode>;
#endif
static_assert(persona::explain_text_encoder<T>());
