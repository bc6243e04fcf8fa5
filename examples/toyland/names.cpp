#include "names.hpp"

#include <algorithm>
#include <set>

namespace toyland {
namespace {

constexpr std::uint64_t world_seed = 691;
constexpr int words_a_side = 120;
constexpr double kept_in_family = 0.8, kept_by_namesakes = 0.7;

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
    for (int i = 0; i < words_a_side; ++i)
      namesake.push_back(random_person(dice)), family.push_back(random_person(dice));
    std::set<std::pair<int, int>> pairs;
    std::set<Person> faces;
    std::vector<Named> made;
    while (made.size() < named_count) {
      // the first rounds give every word a bearer, the rest are drawn
      const int n = static_cast<int>(made.size());
      const int f = n < words_a_side ? n : dice.below(words_a_side);
      const int l = n < words_a_side ? (n * 7 + 3) % words_a_side : dice.below(words_a_side);
      if (!pairs.insert({f, l}).second) continue;
      Person person = random_person(dice);
      do {
        const Person own = random_person(dice);
        for (int t = 0; t < trait_count; ++t) {
          const auto i = static_cast<std::size_t>(t);
          const bool kept = dice.chance(runs_in_families(t) ? kept_in_family : kept_by_namesakes);
          const Person& from =
              runs_in_families(t) ? family[static_cast<std::size_t>(l)] : namesake[static_cast<std::size_t>(f)];
          person.value[i] = kept ? from.value[i] : own.value[i];
        }
      } while (!faces.insert(person).second);
      made.push_back({first[static_cast<std::size_t>(f)], last[static_cast<std::size_t>(l)], person});
    }
    return made;
  }();
  return people;
}

const std::vector<Person>& unnamed_people() {
  static const std::vector<Person> people = [] {
    std::set<Person> taken;
    for (const Named& named : named_people()) taken.insert(named.person);
    Dice dice(world_seed, "unnamed");
    std::vector<Person> made;
    while (made.size() < unnamed_count)
      if (const Person person = random_person(dice); taken.insert(person).second) made.push_back(person);
    return made;
  }();
  return people;
}

std::vector<std::string> name_words() {
  auto all = words().first;
  all.insert(all.end(), words().last.begin(), words().last.end());
  return all;
}

}  // namespace toyland
