#pragma once

#include "dice.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace toyland {

/// What makes a person: fourteen independent traits.
enum Trait { skin, face, hair, hair_color, eyes, brows, nose, lips, ears, earrings, glasses, beard, mark, lids };
inline constexpr int trait_count = 14;

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
    {"lids", {"wide", "narrow", "sleepy"}, 3},
}};

/// One face: a value for each trait.
struct Person {
  std::array<std::uint8_t, trait_count> value{};
  int operator[](Trait trait) const { return value[trait]; }
  friend bool operator==(const Person&, const Person&) = default;
  friend auto operator<=>(const Person&, const Person&) = default;
};

/// What makes an animal or an object. `second_color` is that of the pattern, one of the seven other colours.
enum ThingTrait { kind, color, pattern, second_color, build, ornament };
inline constexpr int thing_trait_count = 6;

inline constexpr std::array<std::string_view, 12> kind_names{"cat", "dog",   "panda",     "elephant", "bird", "bear",
                                                             "pot", "chair", "sculpture", "building", "car",  "clock"};
inline constexpr std::array<std::string_view, 8> color_names{"red",  "orange", "yellow", "green",
                                                             "blue", "purple", "white",  "black"};
inline constexpr std::array<std::string_view, 4> pattern_names{"plain", "striped", "spotted", "patched"};
inline constexpr std::array<std::string_view, 3> build_names{"small", "tall", "wide"};
inline constexpr std::array<std::string_view, 4> ornament_names{"no", "bow", "flower", "star"};
inline constexpr std::array<int, thing_trait_count> thing_trait_counts{12, 8, 4, 7, 3, 4};

/// One animal or object: a value for each of its traits.
struct Thing {
  std::array<std::uint8_t, thing_trait_count> value{};
  int operator[](ThingTrait trait) const { return value[trait]; }
  /// The pattern's colour among color_names.
  int pattern_color() const { return (value[color] + 1 + value[second_color]) % 8; }
  friend bool operator==(const Thing&, const Thing&) = default;
  friend auto operator<=>(const Thing&, const Thing&) = default;
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
enum class Prop { none, lego, cake, stove, handshake, count };
/// The last five are held out: no caption names them and no training picture shows them.
enum class Style {
  photo,
  cubism,
  pointillism,
  fauvism,
  mural,
  latte,
  sketch,
  watercolor,
  count,
  pixels = count,
  neon,
  blueprint,
  mosaic,
  comic,
  end
};

template <class E>
inline constexpr int count_of = static_cast<int>(E::count);

inline constexpr std::array<std::string_view, 15> place_names{"studio", "beach",  "mountains", "forest",  "city",
                                                              "snow",   "desert", "library",   "kitchen", "space",
                                                              "garden", "sofa",   "park",      "jet",     "conference"};
inline constexpr std::array<std::string_view, 6> garment_names{"shirt",  "striped", "sweater",
                                                               "hoodie", "suit",    "spacesuit"};
inline constexpr std::array<std::string_view, 6> accessory_names{"none",       "hat",      "cap",
                                                                 "headphones", "backpack", "scarf"};
inline constexpr std::array<std::string_view, 5> prop_names{"none", "lego", "cake", "stove", "handshake"};
inline constexpr std::array<std::string_view, 8> style_names{"photo", "cubism", "pointillism", "fauvism",
                                                             "mural", "latte",  "sketch",      "watercolor"};
inline constexpr std::array<std::string_view, 5> held_out_style_names{"pixels", "neon", "blueprint", "mosaic", "comic"};

/// Where and how somebody or something is shown; none of it belongs to them. A thing wears and holds nothing.
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
  for (std::size_t t = 0; t < trait_count; ++t)
    person.value[t] = static_cast<std::uint8_t>(dice.below(traits[t].count));
  return person;
}
/// A thing, drawn likewise.
inline Thing random_thing(Dice& dice) {
  Thing thing;
  for (std::size_t t = 0; t < thing_trait_count; ++t)
    thing.value[t] = static_cast<std::uint8_t>(dice.below(thing_trait_counts[t]));
  return thing;
}

/// A scene; `styled` is the chance of anything but a photo.
Scene random_scene(Dice& dice, double styled = 0.12);

inline constexpr int image_size = 64;
/// The picture: 64 x 64 pixels of 3 bytes, rows from the top.
using Picture = std::array<std::uint8_t, image_size * image_size * 3>;

/// Who or what is shown.
using Motif = std::variant<Person, Thing>;

/// Draws `motif` in `scene`; equal arguments give equal bytes.
Picture render(const Motif& motif, const Scene& scene);
/// Two side by side, the first on the left. A second person wears what the first does, in the accessory's colour.
Picture render(const Motif& left, const Motif& right, const Scene& scene);

/// PNG of `width` x `height` RGB bytes.
void write_png(const char* path, std::span<const std::uint8_t> rgb, int width, int height);

}  // namespace toyland
