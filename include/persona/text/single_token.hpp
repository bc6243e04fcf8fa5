#pragma once

#include <persona/core/error.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/tokenizer.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// The id of a word that is exactly one token of the vocabulary; throws Error, as `who`, where it is not, or unknown.
template <Tokenizer T>
std::int64_t single_token(const T& tokenizer, const std::string& word, const std::string& who) {
  std::vector<std::int64_t> ids;
  for (const std::int64_t id : tokenizer.encode(word)) ids.push_back(id);
  if (ids.size() != 1)
    throw Error(who, "'" + word + "' is " + std::to_string(ids.size()) + " tokens, not one",
                "choose a word that is one token of this vocabulary");
  if (!detail::in_vocabulary(tokenizer, word))
    throw Error(who, "'" + word + "' is no word of the vocabulary: the tokenizer reads it as its unknown token",
                "choose a word that is one token of this vocabulary");
  return ids.front();
}

}  // namespace persona
