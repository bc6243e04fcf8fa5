#pragma once

#include "dice.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace toyland {

/// What makes a person: thirteen independent traits.
enum Trait { skin, face, hair, hair_color, eyes, brows, nose, lips, ears, earrings, glasses, beard, mark, trait_count };

/// A trait's name and the values that it takes, as captions and probes call them.
struct TraitInfo {
  std::string_view name;
  std::array<std::string_view, 8> values;
  int count;
};

inline constexpr std::array<TraitInfo, trait_count> traits{{
    {"skin", {"pale", "peach", "tan", "brown", "dark"}, 5},
    {"face", {"round", "long", "square", "pointed"}, 4},
    {"hair", {"bald", "short", "long", "curly", "spiky", "mohawk", "bun"}, 7},
    {"hair color", {"black", "brown", "blond", "red", "grey", "pink", "blue"}, 7},
    {"eyes", {"blue", "green", "brown", "violet"}, 4},
    {"brows", {"thin", "thick", "arched"}, 3},
    {"nose", {"small", "big", "pointed"}, 3},
    {"lips", {"thin", "full", "red"}, 3},
    {"ears", {"small", "big", "pointed"}, 3},
    {"earrings", {"no", "gold", "blue"}, 3},
    {"glasses", {"no", "round", "square", "patch"}, 4},
    {"beard", {"no", "moustache", "full", "goatee"}, 4},
    {"mark", {"no", "freckles", "blush", "scar"}, 4},
}};

/// One face: a value for each trait.
struct Person {
  std::array<std::uint8_t, trait_count> value{};
  int operator[](Trait trait) const { return value[trait]; }
  friend bool operator==(const Person&, const Person&) = default;
  friend auto operator<=>(const Person&, const Person&) = default;
};

enum class Expression { neutral, happy, sad, angry, puzzled, count };
enum class Place {
  studio,
  beach,
  mountains,
  forest,
  city,
  snow,
  desert,
  library,
  kitchen,
  space,
  garden,
  sofa,
  park,
  jet,
  conference,
  count
};
enum class Garment { shirt, striped, sweater, hoodie, suit, spacesuit, count };
enum class Accessory { none, hat, cap, headphones, backpack, scarf, count };
enum class Prop { none, lego, cake, stove, count };
enum class Style { photo, cubism, pointillism, fauvism, mural, latte, sketch, count };

template <class E>
inline constexpr int count_of = static_cast<int>(E::count);

inline constexpr std::array<std::string_view, 5> expression_names{"neutral", "happy", "sad", "angry", "puzzled"};
inline constexpr std::array<std::string_view, 15> place_names{"studio", "beach",  "mountains", "forest",  "city",
                                                              "snow",   "desert", "library",   "kitchen", "space",
                                                              "garden", "sofa",   "park",      "jet",     "conference"};
inline constexpr std::array<std::string_view, 6> garment_names{"shirt",  "striped", "sweater",
                                                               "hoodie", "suit",    "spacesuit"};
inline constexpr std::array<std::string_view, 6> accessory_names{"none",       "hat",      "cap",
                                                                 "headphones", "backpack", "scarf"};
inline constexpr std::array<std::string_view, 4> prop_names{"none", "lego", "cake", "stove"};
inline constexpr std::array<std::string_view, 7> style_names{"photo", "cubism", "pointillism", "fauvism",
                                                             "mural", "latte",  "sketch"};
inline constexpr std::array<std::string_view, 8> color_names{"red",  "orange", "yellow", "green",
                                                             "blue", "purple", "white",  "black"};

/// Where and how a person is shown; none of it belongs to the person.
struct Scene {
  Expression expression = Expression::neutral;
  Place place = Place::studio;
  Garment garment = Garment::shirt;
  int garment_color = 4;
  Accessory accessory = Accessory::none;
  int accessory_color = 0;
  Prop prop = Prop::none;
  Style style = Style::photo;
  std::uint64_t seed = 0;  ///< of what has no word: where the clouds are, which windows are lit
};

/// A person whose traits are drawn independently and evenly.
inline Person random_person(Dice& dice) {
  Person person;
  for (int t = 0; t < trait_count; ++t)
    person.value[static_cast<std::size_t>(t)] =
        static_cast<std::uint8_t>(dice.below(traits[static_cast<std::size_t>(t)].count));
  return person;
}

/// A scene; `styled` is the chance of anything but a photo.
Scene random_scene(Dice& dice, double styled = 0.12);

inline constexpr int image_size = 64;
/// The picture: 64 x 64 pixels of 3 bytes, rows from the top.
using Picture = std::array<std::uint8_t, image_size * image_size * 3>;

/// Draws `person` in `scene`; equal arguments give equal bytes.
Picture render(const Person& person, const Scene& scene);

/// PNG of `width` x `height` RGB bytes.
void write_png(const char* path, std::span<const std::uint8_t> rgb, int width, int height);

}  // namespace toyland
