#pragma once

#include <persona/core/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// The id of a word that is exactly one token; throws Error, as `who`, where it is not.
template <class T>
std::int64_t single_token(const T& tokenizer, const std::string& word, const std::string& who) {
  std::vector<std::int64_t> ids;
  for (const std::int64_t id : tokenizer.encode(word)) ids.push_back(id);
  if (ids.size() != 1)
    throw Error(who, "'" + word + "' is " + std::to_string(ids.size()) + " tokens, not one",
                "choose a word that is one token of this vocabulary");
  return ids.front();
}

}  // namespace persona
