// Draws further examples of the world: who or what, in which style, from any seed; a PNG each, and captions.json that
// says what is in it.

#include "options.hpp"
#include "probe.hpp"

#include <persona/io/atomic_file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>

using namespace toyland;

namespace {

int index_of(const auto& names, const std::string& word, const char* what) {
  const auto found = std::ranges::find(names, word);
  if (found != std::end(names)) return static_cast<int>(found - std::begin(names));
  std::string text = "no " + std::string(what) + " '" + word + "'; there are:";
  for (const auto name : names) text += " " + std::string(name);
  throw std::invalid_argument(text);
}

Style style_of(const std::string& word) {
  const auto held_out = std::ranges::find(held_out_style_names, word);
  if (held_out != held_out_style_names.end())
    return static_cast<Style>(count_of<Style> + (held_out - held_out_style_names.begin()));
  return static_cast<Style>(index_of(style_names, word, "style"));
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(
      argc, argv, {{"what", "any"}, {"style", ""}, {"place", ""}, {"seed", "0"}, {"count", "8"}, {"out", "renders"}});
  constexpr std::array<std::string_view, 4> subjects{"any", "person", "thing", "pair"};
  const int what = index_of(subjects, options.text("what"), "subject");
  Mixture mixture;
  if (what == 1) mixture.things = mixture.pairs = 0;
  if (what == 2) mixture.things = 1, mixture.pairs = 0;
  if (what == 3) mixture.pairs = 1;
  const std::filesystem::path out = options.text("out");
  std::filesystem::create_directories(out);
  auto facts = nlohmann::ordered_json::array();
  Dice dice(static_cast<std::uint64_t>(options.count("seed")), "renders");
  for (long i = 0; i < options.count("count"); ++i) {
    Example example = random_example(dice, mixture);
    if (!options.text("style").empty()) example.scene.style = style_of(options.text("style"));
    if (!options.text("place").empty())
      example.scene.place = static_cast<Place>(index_of(place_names, options.text("place"), "place"));
    const auto name = std::to_string(i) + ".png";
    write_png((out / name).c_str(), render(example), image_size, image_size);
    const bool said = example.scene.style < Style::count;
    facts.push_back({{"file", name},
                     {"caption", said ? caption(example, {.fully = true}, dice) : ""},
                     {"answers", answers(example)}});
  }
  persona::write_file_atomically(out / "captions.json", facts.dump(1) + "\n");
  std::cout << options.count("count") << " pictures in " << out.string() << '\n';
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
