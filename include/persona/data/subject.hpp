#pragma once

#include <persona/data/photos.hpp>
#include <persona/text/captions.hpp>
#include <persona/text/placeholder.hpp>

#include <cstdint>
#include <string>

namespace persona {

/// One thing to learn: the token that stands for it, its photos, and what is said of them.
struct Subject {
  std::string token{};       ///< "<ada>": not in the vocabulary
  std::string class_word{};  ///< "person": what kind of thing it is; TokenInit's and prior preservation's default
  Photos photos{};
  Captions captions{};       ///< object templates unless given
  std::int64_t vectors = 1;  ///< token rows, placed one after the other wherever the token stands
  std::string
      phrase{};  ///< what fills a template's {}; "{}" is the token; empty: the token alone. CI: "face of {} person"
  std::string prompt_token() const { return phrase.empty() ? token : fill_template(phrase, token); }
  Placeholder placeholder() const { return {.token = token, .vectors = vectors}; }
};

}  // namespace persona
