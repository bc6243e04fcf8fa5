#include "captions.hpp"

#include <persona/text/captions.hpp>

#include <algorithm>
#include <set>
#include <sstream>

namespace toyland {
namespace {

using Phrases = std::vector<std::string>;

const Phrases& place_phrases(Place place) {
  static const std::vector<Phrases> all{
      {"in a studio", "on a plain background", "indoors"},
      {"on the beach", "at the beach", "by the sea", "outdoors on the beach"},
      {"in the mountains", "on a hike in the mountains", "taking a relaxing hike in the mountains"},
      {"in the forest", "in a forest", "among the trees", "outdoors in the forest"},
      {"in the city", "in a city", "on the street", "in front of skyscrapers"},
      {"in the snow", "in winter", "in the snow in winter"},
      {"in the desert", "in a desert", "by a cactus in the desert"},
      {"in a library", "in the library", "in front of books"},
      {"in a kitchen", "in the kitchen"},
      {"in space", "in outer space", "among the stars", "at night in space"},
      {"in a garden", "in the garden", "among flowers", "outdoors in the garden"},
      {"on a sofa", "sits on a sofa", "sit on a sofa", "at home on the sofa"},
      {"at an amusement park", "at the amusement park", "enjoying a day at an amusement park"},
      {"piloting a fighter jet", "in a fighter jet", "flying a jet"},
      {"in news conference", "in a news conference", "at a news conference", "speaking in news conference"},
  };
  return all[static_cast<std::size_t>(place)];
}

const Phrases& expression_phrases(Expression expression) {
  static const std::vector<Phrases> all{{"with a neutral expression", "with a calm expression"},
                                        {"with a happy expression", "smiling", "with a smile"},
                                        {"with a sad expression", "looking sad"},
                                        {"with an angry expression", "looking angry"},
                                        {"with a puzzled expression", "looking puzzled"}};
  return all[static_cast<std::size_t>(expression)];
}

const Phrases& prop_phrases(Prop prop) {
  static const std::vector<Phrases> all{{""},
                                        {"plays the lego toys", "playing the lego toys", "plays with lego toys"},
                                        {"baking a birthday cake", "with a birthday cake", "is baking a birthday cake"},
                                        {"with a camping stove", "with camping stove", "and camping stove"},
                                        {"shaking hands", "shake hands"}};
  return all[static_cast<std::size_t>(prop)];
}

/// "red hair" and its kin: a trait said of a person after "with".
std::string trait_phrase(const Person& p, Trait trait, Dice& dice) {
  const std::string value(traits[trait].values[static_cast<std::size_t>(p[trait])]);
  const std::string color(traits[hair_color].values[static_cast<std::size_t>(p[hair_color])]);
  switch (trait) {
    case skin: return value + " skin";
    case face: return "a " + value + " face";
    case hair:
      if (value == "bald") return "a bald head";
      if (value == "mohawk" || value == "bun") return "a " + (dice.chance(0.7) ? color + " " : "") + value;
      return value + " " + (dice.chance(0.7) ? color + " " : "") + "hair";
    case hair_color: return color + (p[hair] == 0 ? " brows" : " hair");
    case eyes: return value + " eyes";
    case brows: return value + " brows";
    case nose: return "a " + value + " nose";
    case lips: return value + " lips";
    case ears: return value + " ears";
    case earrings: return value + " earrings";
    case glasses: return value == "patch" ? "an eye patch" : value == "no" ? "no glasses" : value + " glasses";
    case beard: return value == "no" ? "no beard" : value == "full" ? "a full beard" : "a " + value;
    case mark: return value == "no" ? "clear cheeks" : value == "scar" ? "a scar" : value;
    case lids: return value + " lids";
    default: return value;
  }
}

/// "small striped red and blue cat with a bow": what is seen of a thing, each part with its chance.
std::string thing_phrase(const Thing& thing, bool fully, Dice& dice) {
  const auto name = [](const auto& names, int i) { return std::string(names[static_cast<std::size_t>(i)]); };
  const auto says = [&](double p) { return fully || dice.chance(p); };
  std::string text = name(kind_names, thing[kind]);
  const bool pattern_said = thing[pattern] != 0 && says(0.6);
  if (says(0.75))
    text = name(color_names, thing[color]) +
           (pattern_said && says(0.6) ? " and " + name(color_names, thing.pattern_color()) : "") + " " + text;
  if (pattern_said)
    text = name(pattern_names, thing[pattern]) + " " + text;
  else if (thing[pattern] == 0 && dice.chance(0.2))
    text = "plain " + text;
  if (says(0.35)) text = name(build_names, thing[build]) + " " + text;
  if (thing[ornament] != 0 && says(0.5)) text += " with a " + name(ornament_names, thing[ornament]);
  return text;
}

/// "a, b and c".
std::string joined(const Phrases& phrases) {
  std::string text;
  for (std::size_t i = 0; i < phrases.size(); ++i)
    text += (i == 0 ? "" : i + 1 == phrases.size() ? " and " : ", ") + phrases[i];
  return text;
}

std::string trait_list(const Person& p, int n, Dice& dice) {
  std::array<int, trait_count> order;
  for (int t = 0; t < trait_count; ++t) order[static_cast<std::size_t>(t)] = t;
  for (int t = trait_count - 1; t > 0; --t)
    std::swap(order[static_cast<std::size_t>(t)], order[static_cast<std::size_t>(dice.below(t + 1))]);
  Phrases said;
  for (const int t : order) {
    if (static_cast<int>(said.size()) == n) break;
    const bool absent =
        traits[static_cast<std::size_t>(t)].values[static_cast<std::size_t>(p.value[static_cast<std::size_t>(t)])] ==
        "no";
    if (absent && !dice.chance(0.4)) continue;
    const auto phrase = trait_phrase(p, static_cast<Trait>(t), dice);
    if (std::find(said.begin(), said.end(), phrase) == said.end()) said.push_back(phrase);
  }
  return joined(said);
}

/// The class word: what can be seen decides.
std::string noun(const Person& p, Dice& dice) {
  if (dice.chance(0.5)) return "person";
  if (p[beard] != 0) return "man";
  if (p[lips] == 2 || p[earrings] != 0) return "woman";
  return dice.chance(0.3) ? "face" : "person";
}

std::string styled(const std::string& subject, Style style, Dice& dice) {
  const std::string name(style_names[static_cast<std::size_t>(style)]);
  switch (style) {
    case Style::mural: return dice.chance(0.7) ? "cave mural depicting " + subject : "a cave mural of " + subject;
    case Style::latte: return dice.chance(0.7) ? subject + " latte art" : "latte art of " + subject;
    case Style::sketch: return dice.chance(0.5) ? "a sketch of " + subject : "a pencil sketch of " + subject;
    default:
      return dice.chance(0.6) ? name + " painting of " + subject
                              : "a painting of " + subject + " in the style of " + name;
  }
}

/// What stands in a template's hole, without an article: "mina kovel person", "woman with red hair", "red cat".
std::string bare_subject(const Shown& shown, const CaptionStyle& style, int said, Dice& dice) {
  if (const Thing* thing = shown.thing()) return thing_phrase(*thing, style.fully, dice);
  const Person& p = *shown.person();
  if (shown.name < 0) return noun(p, dice) + (said > 0 ? " with " + trait_list(p, said, dice) : "");
  const auto name = shown.name_text();
  const double u = dice.uniform();
  return u < 0.35 ? name : u < 0.75 ? name + " person" : u < 0.93 ? "face of " + name + " person" : name + " face";
}

constexpr std::array<std::string_view, 5> face_templates{"a photo of a face of {}", "a face of {}", "a portrait of {}",
                                                         "{}", "a picture of {}"};

std::string template_line(Dice& dice) {
  return std::string(dice.chance(0.7) ? persona::mixed_templates[static_cast<std::size_t>(dice.below(81))]
                                      : dice.one_of(face_templates));
}

std::string article(const std::string& words) {
  return (words.starts_with("orange") || words.starts_with("elephant") ? "an " : "a ") + words;
}

std::string with_article(const std::string& words, Dice& dice) {
  return dice.chance(0.7) ? article(words) : (dice.chance(0.5) ? "the " : "") + words;
}

/// Two side by side: "a dan kovel person and a red cat", or with the sides said.
std::string both(const Example& example, const CaptionStyle& style, Dice& dice) {
  std::array<std::string, 2> each;
  for (std::size_t i = 0; i < 2; ++i) {
    const Shown& shown = example.shown[i];
    const bool named = shown.name >= 0;
    const int said = named ? 0 : dice.below(3);
    each[i] = named && dice.chance(0.5) ? shown.name_text() : article(bare_subject(shown, style, said, dice));
  }
  const double u = dice.uniform();
  if (example.scene.prop == Prop::handshake && dice.chance(0.7)) return each[0] + " shakes hands with " + each[1];
  if (u < 0.2) return each[0] + " on the left and " + each[1] + " on the right";
  if (u < 0.3) return each[0] + " next to " + each[1];
  if (u < 0.36) return each[0] + (dice.chance(0.5) ? " sitting" : "") + " beside " + each[1];
  return each[0] + " and " + each[1];
}

/// What two do, said in the plural: "is baking" -> "are baking", "plays" -> "playing".
std::string plural(std::string phrase, Dice& dice) {
  if (phrase.starts_with("is ")) return "are " + phrase.substr(3);
  if (phrase.starts_with("plays ")) return "playing " + phrase.substr(6);
  if (phrase.starts_with("sits ")) return "sit " + phrase.substr(5);
  const bool complete = phrase.starts_with("sit ") || phrase.starts_with("and ");
  return (!complete && dice.chance(0.45) ? "are " : "") + phrase;
}

std::string garment_phrase(Garment garment, int color, bool fully, Dice& dice) {
  static const std::vector<Phrases> words{{"shirt"},  {"striped shirt"},        {"sweater"},
                                          {"hoodie"}, {"suit", "suit and tie"}, {"spacesuit", "scifi spacesuit"}};
  const auto& word = dice.one_of(words[static_cast<std::size_t>(garment)]);
  const std::string tint(color_names[static_cast<std::size_t>(color)]);
  const double u = fully ? 1 : dice.uniform();
  if (u < 0.2) return (dice.chance(0.5) ? "wearing a " : "wearing the ") + word;
  if (u < 0.3) return "in a " + tint + " " + word;
  return "wearing " + std::string(tint == "orange" ? "an " : dice.chance(0.15) ? "the " : "a ") + tint + " " + word;
}

}  // namespace

std::string plain_caption(const Example& example, Dice& dice) {
  if (!example.single()) return persona::fill_template("a photo of {}", both(example, {}, dice));
  const Shown& shown = example.shown[0];
  if (shown.name >= 0 && dice.chance(0.1)) return shown.name_text();
  const int said = dice.chance(0.1) ? 0 : 1 + dice.below(6);
  return persona::fill_template(template_line(dice), bare_subject(shown, {}, said, dice));
}

std::string caption(const Example& example, const CaptionStyle& style, Dice& dice) {
  const Scene& scene = example.scene;
  const bool single = example.single();
  const bool people = std::ranges::all_of(example.shown, [](const Shown& shown) { return shown.person() != nullptr; });
  const auto says = [&](double p) { return style.fully || dice.chance(p); };
  if (scene.style != Style::photo && !style.fully && dice.chance(0.06))
    return persona::fill_template(persona::style_templates[static_cast<std::size_t>(dice.below(19))],
                                  style_names[static_cast<std::size_t>(scene.style)]);
  const int said = dice.chance(0.25) ? 0 : 1 + dice.below(4);
  const auto bare = single ? bare_subject(example.shown[0], style, said, dice) : both(example, style, dice);
  const auto subject = single ? with_article(bare, dice) : bare;
  std::string text = scene.style != Style::photo    ? styled(subject, scene.style, dice)
                     : single && dice.chance(0.4)   ? persona::fill_template(template_line(dice), bare)
                     : !single && dice.chance(0.35) ? "a photo of " + bare
                                                    : subject;
  const auto say = [&](const std::string& phrase) { text += (dice.chance(0.12) ? " , " : " ") + phrase; };
  if (people && says(scene.expression == Expression::neutral ? style.expression / 2 : style.expression))
    say(dice.one_of(expression_phrases(scene.expression)));
  const auto said_of = [&](const Phrases& phrases) {
    return single ? dice.one_of(phrases) : plural(dice.one_of(phrases), dice);
  };
  const bool prop_seen = (single ? people : true) && scene.prop != Prop::none;
  if (prop_seen && scene.prop != Prop::handshake && says(0.9)) say(said_of(prop_phrases(scene.prop)));
  const bool place_first = dice.chance(0.25), place = says(style.place);
  if (place && place_first) say(said_of(place_phrases(scene.place)));
  const bool garment = single && people && says(style.garment);
  if (garment) say(garment_phrase(scene.garment, scene.garment_color, style.fully, dice));
  if (single && people && scene.accessory != Accessory::none && says(0.75)) {
    const std::string tint(color_names[static_cast<std::size_t>(scene.accessory_color)]);
    const std::string thing(accessory_names[static_cast<std::size_t>(scene.accessory)]);
    const auto colored = says(0.8) ? tint + " " + thing : thing;
    const auto noun_phrase = scene.accessory == Accessory::headphones ? colored : article(colored);
    text += garment ? (dice.chance(0.7) ? " and " : " , ") + noun_phrase : " wearing " + noun_phrase;
  }
  if (place && !place_first) say(said_of(place_phrases(scene.place)));
  if (scene.style == Style::photo && dice.chance(0.04)) text += " , raw , ultra high res";
  return text;
}

const std::vector<std::string>& grammar_words() {
  static const std::vector<std::string> all = [] {
    std::set<std::string> words;
    const auto add = [&](std::string_view text) {
      std::string word;
      for (const char c : std::string(text) + " ") {
        if (c >= 'a' && c <= 'z')
          word += c;
        else {
          if (!word.empty()) words.insert(word);
          word.clear();
          if (c == ',' || c == '.' || c == '-' || c == '\'' || c == '!' || c == '?') words.insert(std::string(1, c));
        }
      }
    };
    for (const auto set : {persona::TemplateSet::object, persona::TemplateSet::style, persona::TemplateSet::mixed})
      for (const auto line : persona::templates_of(set)) add(line);
    for (const auto line : face_templates) add(line);
    for (int i = 0; i < count_of<Place>; ++i)
      for (const auto& phrase : place_phrases(static_cast<Place>(i))) add(phrase);
    for (int i = 0; i < count_of<Expression>; ++i)
      for (const auto& phrase : expression_phrases(static_cast<Expression>(i))) add(phrase);
    for (int i = 0; i < count_of<Prop>; ++i)
      for (const auto& phrase : prop_phrases(static_cast<Prop>(i))) add(phrase);
    for (const auto& trait : traits)
      for (const auto value : trait.values) add(value);
    for (const auto word : color_names) add(word);
    for (const auto word : accessory_names) add(word);
    for (const auto word : style_names) add(word);
    for (const auto word : kind_names) add(word);
    for (const auto word : pattern_names) add(word);
    for (const auto word : build_names) add(word);
    for (const auto word : ornament_names) add(word);
    // what phrases are built with, the words of the papers' evaluation prompts, and classes that an initializer may ask
    // for
    add("skin head hair brows eyes eye nose lips ears earrings glasses patch full beard clear cheeks scar with no an "
        "and a the in of wearing is");
    add("man woman person people face human shirt striped sweater hoodie suit tie spacesuit scifi raw ultra high res "
        "painting picture pencil cave mural");
    add("depicting art latte photo sketch style sits sit speaking shakes hands are taking news outdoors girl boy child "
        "friend someone body portrait");
    add("animal dog cat bird toy house car tree flower ball cup hat object thing small large old young one two three "
        "very left right next to beside sitting lids watercolor sculpture thing toy teapot mug bag , . ! ? - '");
    for (const auto& word : name_words()) words.insert(word);
    return std::vector<std::string>(words.begin(), words.end());
  }();
  return all;
}

}  // namespace toyland
