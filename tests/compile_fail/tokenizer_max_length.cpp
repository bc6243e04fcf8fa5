// expect: [persona] not a Tokenizer: needs 'std::int64_t max_length() const' (docs/concepts/tokenizer.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Tokenizer;
#else
using T = persona::archetype::Without<persona::archetype::Tokenizer, persona::archetype::TokenizerPiece::max_length>;
#endif
static_assert(persona::explain_tokenizer<T>());
