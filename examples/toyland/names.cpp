#include "names.hpp"

#include <algorithm>
#include <ranges>
#include <set>

namespace toyland {
namespace {

constexpr std::uint64_t world_seed = 691;
constexpr int words_a_side = 120;
constexpr double kept_in_family = 0.8, kept_by_namesakes = 0.7;

// The traits that the world began with. Later ones are drawn apart, so that they change nobody's face.
constexpr std::size_t first_traits = 13;

Person first_draw(Dice& dice) {
  Person person;
  for (std::size_t t = 0; t < first_traits; ++t)
    person.value[t] = static_cast<std::uint8_t>(dice.below(traits[t].count));
  return person;
}

void draw_later_traits(Person& person, Dice& dice) {
  for (std::size_t t = first_traits; t < trait_count; ++t)
    person.value[t] = static_cast<std::uint8_t>(dice.below(traits[t].count));
}

bool runs_in_families(int trait) {
  return trait == skin || trait == face || trait == hair_color || trait == eyes || trait == nose || trait == ears;
}

/// Invented words of two or three syllables; `ending` sets first and last names apart.
std::vector<std::string> invent(Dice& dice, std::span<const std::string_view> endings, std::set<std::string>& taken) {
  constexpr std::array<std::string_view, 18> onset{"b", "d", "f", "g", "h", "j", "k", "l",  "m",
                                                   "n", "p", "r", "s", "t", "v", "z", "br", "st"};
  constexpr std::array<std::string_view, 8> vowel{"a", "e", "i", "o", "u", "ai", "ei", "ou"};
  constexpr std::array<std::string_view, 8> coda{"l", "n", "r", "v", "m", "d", "k", "s"};
  std::vector<std::string> words;
  while (words.size() < words_a_side) {
    std::string word(dice.one_of(onset));
    word += dice.one_of(vowel), word += dice.one_of(coda), word += dice.one_of(endings);
    if (taken.insert(word).second) words.push_back(word);
  }
  return words;
}

struct NameWords {
  std::vector<std::string> first, last;
};

const NameWords& words() {
  static const NameWords made = [] {
    constexpr std::array<std::string_view, 6> given{"a", "o", "ie", "us", "ya", "en"};
    constexpr std::array<std::string_view, 6> family{"ovic", "berg", "sson", "ano", "wood", "idis"};
    Dice dice(world_seed, "words");
    std::set<std::string> taken;
    auto first = invent(dice, given, taken);
    return NameWords{std::move(first), invent(dice, family, taken)};
  }();
  return made;
}

}  // namespace

const std::vector<Named>& named_people() {
  static const std::vector<Named> people = [] {
    const auto& [first, last] = words();
    Dice dice(world_seed, "people");
    std::vector<Person> namesake, family;
    for (int i = 0; i < words_a_side; ++i) namesake.push_back(first_draw(dice)), family.push_back(first_draw(dice));
    std::set<std::pair<int, int>> pairs;
    std::set<Person> faces;
    std::vector<Named> made;
    while (made.size() < named_count) {
      // the first rounds give every word a bearer, the rest are drawn
      const int n = static_cast<int>(made.size());
      const int f = n < words_a_side ? n : dice.below(words_a_side);
      const int l = n < words_a_side ? (n * 7 + 3) % words_a_side : dice.below(words_a_side);
      if (!pairs.insert({f, l}).second) continue;
      Person person = first_draw(dice);
      do {
        const Person own = first_draw(dice);
        for (std::size_t i = 0; i < first_traits; ++i) {
          const bool in_family = runs_in_families(static_cast<int>(i));
          const bool kept = dice.chance(in_family ? kept_in_family : kept_by_namesakes);
          const Person& from = in_family ? family[static_cast<std::size_t>(l)] : namesake[static_cast<std::size_t>(f)];
          person.value[i] = kept ? from.value[i] : own.value[i];
        }
      } while (!faces.insert(person).second);
      made.push_back({first[static_cast<std::size_t>(f)], last[static_cast<std::size_t>(l)], person});
    }
    Dice later(world_seed, "later traits of named people");
    for (Named& named : made) draw_later_traits(named.person, later);
    return made;
  }();
  return people;
}

const std::vector<Person>& unnamed_people() {
  static const std::vector<Person> people = [] {
    std::set<Person> taken;
    for (Person person : named_people() | std::views::transform(&Named::person)) {
      std::fill(person.value.begin() + first_traits, person.value.end(), std::uint8_t{0});
      taken.insert(person);
    }
    Dice dice(world_seed, "unnamed"), later(world_seed, "later traits of unnamed people");
    std::vector<Person> made;
    while (made.size() < unnamed_count)
      if (const Person person = first_draw(dice); taken.insert(person).second) made.push_back(person);
    for (Person& person : made) draw_later_traits(person, later);
    return made;
  }();
  return people;
}

const std::vector<Thing>& unseen_things() {
  static const std::vector<Thing> things = [] {
    Dice dice(world_seed, "things");
    std::vector<Thing> made;
    while (made.size() < unseen_count) {
      Thing thing = random_thing(dice);
      thing.value[kind] = static_cast<std::uint8_t>(made.size() % kind_names.size());  // every kind at least once
      made.push_back(thing);
    }
    return made;
  }();
  return things;
}

std::vector<std::string> name_words() {
  auto all = words().first;
  all.insert(all.end(), words().last.begin(), words().last.end());
  return all;
}

}  // namespace toyland
