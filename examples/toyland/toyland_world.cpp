// Writes what needs no training: the tokenizer folder, names.txt, photos of people without a name, and sheets of the
// world to look at.

#include "batches.hpp"
#include "options.hpp"
#include "probe.hpp"
#include "sizes.hpp"
#include "style_pictures.hpp"
#include "tokenizer_folder.hpp"

#include <persona/io/atomic_file.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <iostream>

using namespace toyland;

namespace {

struct Photo {
  const char* name;
  std::size_t person;
  Scene scene;
};

/// One picture a person, and beside it what is true of that person.
void write_photos(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const Photo photos[]{
      {"ada", 8, {}},
      {"bo", 25, {.place = Place::garden, .garment = Garment::sweater, .garment_color = 2, .seed = 1}},
      {"cleo", 37, {.expression = Expression::happy, .garment = Garment::suit, .garment_color = 7}},
      {"dan", 42, {.place = Place::city, .garment = Garment::hoodie, .garment_color = 3, .seed = 2}},
      {"eli", 54, {.garment = Garment::striped, .garment_color = 0}},
      {"fay",
       73,
       {.expression = Expression::happy,
        .place = Place::sofa,
        .garment = Garment::shirt,
        .garment_color = 6,
        .seed = 3}},
      {"gil", 29, {.garment = Garment::sweater, .garment_color = 5}},
      {"hugo", 57, {.place = Place::mountains, .garment = Garment::shirt, .garment_color = 1, .seed = 4}}};
  for (const auto& [name, index, scene] : photos) {
    const Person& person = unnamed_people().at(index);
    write_png((folder / (std::string(name) + ".png")).c_str(), render(person, scene), image_size, image_size);
    nlohmann::ordered_json facts;
    for (std::size_t t = 0; t < trait_count; ++t)
      facts["traits"][std::string(traits[t].name)] = traits[t].values[person.value[t]];
    facts["place"] = place_names[static_cast<std::size_t>(scene.place)],
    facts["garment"] = garment_names[static_cast<std::size_t>(scene.garment)];
    facts["answers"] = answers({.shown = {{person}}, .scene = scene});
    persona::write_file_atomically(folder / (std::string(name) + ".json"), facts.dump(2) + "\n");
  }
}

/// People and things that training never shows: a photo each, and index.json with what is true of it. People stand
/// somewhere, never in the studio.
void write_held_out(const std::filesystem::path& folder) {
  Dice dice(691, "photos of the held out");
  const auto write = [&](const char* name, std::size_t count, const auto& example_of) {
    const auto kept = folder / (std::string_view(name) == "person" ? "people" : "things");
    std::filesystem::create_directories(kept);
    auto index = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < count; ++i) {
      Example example = example_of(i);
      auto& scene = example.scene;
      scene = random_scene(dice, 0);
      scene.place = static_cast<Place>(1 + dice.below(count_of<Place> - 1)), scene.prop = Prop::none,
      scene.accessory = Accessory::none;
      char id[24];
      std::snprintf(id, sizeof id, "%s_%02zu", name, i);
      write_png((kept / (std::string(id) + ".png")).c_str(), render(example), image_size, image_size);
      const Thing* thing = example.shown[0].thing();
      index.push_back({{"id", id},
                       {"class", thing ? kind_names[thing->value[kind]] : "person"},
                       {"place", place_names[static_cast<std::size_t>(scene.place)]},
                       {"answers", answers(example)}});
    }
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "[" : ",\n ") + index[i].dump();
    persona::write_file_atomically(kept / "index.json", text + "]\n");
  };
  write("person", 25, [](std::size_t i) { return Example{.shown = {{unnamed_people().at(100 + i)}}}; });
  write("thing", unseen_count, [](std::size_t i) { return Example{.shown = {{unseen_things().at(i)}}}; });
}

/// The held-out styles: what each is learned from, and sheets of what they are judged by.
void write_styles(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (int i = count_of<Style>; i < all_styles; ++i) {
    const std::string name(held_out_style_names[static_cast<std::size_t>(i - count_of<Style>)]);
    int n = 0;
    for (const Picture& picture : style_photos(static_cast<Style>(i)))
      write_png((folder / (name + "_" + std::to_string(n++) + ".png")).c_str(), picture, image_size, image_size);
  }
  for (std::size_t c = 0; c < style_contents.size(); ++c)
    write_sheet((folder / ("content_" + std::to_string(c) + ".png")).c_str(), content_renders(style_contents[c]),
                all_styles);
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(
      argc, argv, {{"tokenizer", "model/tokenizer"}, {"names", "names.txt"}, {"photos", "photos"}, {"sheets", ""}});
  const auto vocabulary = train_vocabulary(grammar_words());
  write_tokenizer(options.text("tokenizer"), vocabulary, static_cast<int>(max_length));
  std::string names;
  for (const auto& named : named_people()) names += named.name() + '\n';
  persona::write_file_atomically(options.text("names"), names);
  std::cout << grammar_words().size() << " words, " << vocabulary.tokens.size() << " tokens, " << named_people().size()
            << " names\n";

  const std::filesystem::path photos = options.text("photos");
  write_photos(photos), write_held_out(photos), write_styles(photos / "styles");

  Dice dice(5, "sheets");
  std::size_t longest = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto text = caption(random_example(dice), {}, dice);
    const auto words = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
    if (words > longest) longest = words, std::cout << words << " words: " << text << '\n';
    if (i < 40) std::cout << text << '\n';
  }
  if (options.text("sheets").empty()) return;
  std::filesystem::create_directories(options.text("sheets"));
  std::vector<Picture> world, people, things, styles;
  for (int i = 0; i < 60; ++i) world.push_back(render(random_example(dice)));
  for (int i = 0; i < 60; ++i) people.push_back(render(Shown::named(i * 11).motif, {}));
  for (const Thing& thing : unseen_things()) things.push_back(render(thing, {}));
  for (int i = 0; i < static_cast<int>(Style::end); ++i)
    styles.push_back(render(unnamed_people()[8], {.place = Place::beach, .style = static_cast<Style>(i)}));
  write_sheet((options.text("sheets") + "/world.png").c_str(), world, 12, 2);
  write_sheet((options.text("sheets") + "/people.png").c_str(), people, 12, 2);
  write_sheet((options.text("sheets") + "/things.png").c_str(), things, 10, 2);
  write_sheet((options.text("sheets") + "/styles.png").c_str(), styles, 13, 2);
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
