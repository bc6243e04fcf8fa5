#pragma once
// How examples and tables call what they learn.

#include <persona/data/subject.hpp>

#include <string>
#include <utility>
#include <vector>

namespace examples {

/// Where rows are learned. A person is "face of TOKEN person", two vectors as in Cross Initialization; of anything else
/// the token is the noun, one vector.
inline persona::Subject by_token(std::string token, const std::string& class_word, persona::Photos photos) {
  const bool person = class_word == "person";
  return {.token = std::move(token),
          .class_word = class_word,
          .photos = std::move(photos),
          .captions = {.templates = person ? persona::TemplateSet::mixed : persona::TemplateSet::object},
          .vectors = person ? 2 : 1,
          .phrase = person ? "face of {} person" : "{}"};
}

/// Where weights are learned: "sks CLASS", in one caption, as in DreamBooth.
inline persona::Subject by_rare_word(std::string word, const std::string& class_word, persona::Photos photos) {
  return {.token = std::move(word),
          .class_word = class_word,
          .photos = std::move(photos),
          .captions = persona::Captions::prompt("a photo of a {}"),
          .phrase = "{} " + class_word};
}

}  // namespace examples
