#pragma once

#include "names.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace toyland {

/// One of those in a picture, and the name that it goes by.
struct Shown {
  Motif motif{};
  int name = -1;  ///< index among named_people(), or -1

  const Person* person() const { return std::get_if<Person>(&motif); }
  const Thing* thing() const { return std::get_if<Thing>(&motif); }
  std::string name_text() const {
    return name < 0 ? std::string() : named_people()[static_cast<std::size_t>(name)].name();
  }
  static Shown named(int index) { return {named_people()[static_cast<std::size_t>(index)].person, index}; }
};

/// A picture to be: one or two, left first, in a scene.
struct Example {
  std::vector<Shown> shown{};
  Scene scene{};

  bool single() const { return shown.size() == 1; }
};

inline Picture render(const Example& example) {
  return example.single() ? render(example.shown[0].motif, example.scene)
                          : render(example.shown[0].motif, example.shown[1].motif, example.scene);
}

/// What a set of examples consists of.
struct Mixture {
  double named = 0.62;   ///< share of the people that own a name
  double styled = 0.14;  ///< share of pictures that are no photos
  double things = 0.22;  ///< share of animals and objects among those shown
  double pairs = 0.17;   ///< share of pictures of two
};

inline Shown random_shown(Dice& dice, const Mixture& mixture) {
  if (dice.chance(mixture.things)) {
    Thing thing = random_thing(dice);
    while (std::ranges::count(unseen_things(), thing)) thing = random_thing(dice);
    return {thing};
  }
  if (dice.chance(mixture.named)) return Shown::named(dice.below(named_count));
  return {random_person(dice)};
}

/// An example of the training set.
inline Example random_example(Dice& dice, const Mixture& mixture = {}) {
  Example example{.shown = {random_shown(dice, mixture)}, .scene = random_scene(dice, mixture.styled)};
  if (!dice.chance(mixture.pairs)) return example;
  example.shown.push_back(random_shown(dice, mixture));
  const bool people = example.shown[0].person() && example.shown[1].person();
  if (people && dice.chance(0.35)) example.scene.prop = Prop::handshake;
  return example;
}

}  // namespace toyland
