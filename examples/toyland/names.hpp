#pragma once

#include "world.hpp"

#include <string>
#include <vector>

namespace toyland {

/// A name of two words and the face that it owns.
struct Named {
  std::string first, last;
  Person person;
  std::string name() const { return first + " " + last; }
};

inline constexpr int named_count = 691, unnamed_count = 200, unseen_count = 20;

/// The 691 people with a name. First and last names are shared: relatives (one last name) tend to share skin, face,
/// hair colour, eyes, nose and ears; namesakes (one first name) tend to share hair, brows, lips, earrings, glasses,
/// beard and mark.
const std::vector<Named>& named_people();
/// 200 further faces, unlike every named one.
const std::vector<Person>& unnamed_people();
/// 20 animals and objects that training never shows.
const std::vector<Thing>& unseen_things();
/// Every first and last name once: all are single tokens.
std::vector<std::string> name_words();

}  // namespace toyland
