#pragma once

#include <persona/core/error.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

namespace detail {
// Is `id`, which `word` was read as, more than the token that stands for all that is unknown?
template <class T>
bool is_known(const T& tokenizer, std::string_view word, std::int64_t id) {
  if constexpr (requires {
                  { tokenizer.contains(word) } -> std::convertible_to<bool>;
                })
    if (tokenizer.contains(word)) return true;
  if constexpr (requires {
                  { tokenizer.unk_token_id() } -> std::convertible_to<std::int64_t>;
                })
    return id != static_cast<std::int64_t>(tokenizer.unk_token_id());
  else
    return true;
}
}  // namespace detail

/// The id of a word that is exactly one token of the vocabulary; throws Error, as `who`, where it is not, or unknown.
template <class T>
std::int64_t single_token(const T& tokenizer, const std::string& word, const std::string& who) {
  std::vector<std::int64_t> ids;
  for (const std::int64_t id : tokenizer.encode(word)) ids.push_back(id);
  if (ids.size() != 1)
    throw Error(who, "'" + word + "' is " + std::to_string(ids.size()) + " tokens, not one",
                "choose a word that is one token of this vocabulary");
  if (!detail::is_known(tokenizer, word, ids.front()))
    throw Error(who, "'" + word + "' is no word of the vocabulary: the tokenizer reads it as its unknown token",
                "choose a word that is one token of this vocabulary");
  return ids.front();
}

}  // namespace persona
