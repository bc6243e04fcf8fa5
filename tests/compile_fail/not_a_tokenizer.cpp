// expect: [persona] not a Tokenizer: needs 'std::int64_t max_length() const' (docs/concepts/tokenizer.md)
#include <persona/explain.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

struct Words {
  std::vector<std::int64_t> encode(std::string_view) const { return {}; }
  std::int64_t bos_token_id() const { return 0; }
  std::int64_t eos_token_id() const { return 1; }
  std::int64_t pad_token_id() const { return 1; }
#ifdef PERSONA_POSITIVE_TWIN
  std::int64_t max_length() const { return 77; }
#endif
};

static_assert(persona::explain_tokenizer<Words>());
