// expect: [persona] not a Tokenizer: needs 'bos_token_id() const', 'eos_token_id() const' and 'pad_token_id() const' (docs/concepts/tokenizer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Tokenizer;
#else
using T = persona::archetype::Without<persona::archetype::Tokenizer, persona::archetype::TokenizerPiece::bos_token_id>;
#endif
static_assert(persona::explain_tokenizer<T>());
