// Writes what needs no training: the tokenizer folder, names.txt, and sheets of the world to look at.

#include "batches.hpp"
#include "options.hpp"
#include "sizes.hpp"
#include "tokenizer_folder.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>

using namespace toyland;

int main(int argc, char** argv) {
  const Options options(argc, argv, {{"tokenizer", "model/tokenizer"}, {"names", "names.txt"}, {"sheets", ""}});
  const auto vocabulary = train_vocabulary(grammar_words());
  write_tokenizer(options.text("tokenizer"), vocabulary, static_cast<int>(max_length));
  std::ofstream names(options.text("names"));
  for (const auto& named : named_people()) names << named.name() << '\n';
  std::cout << grammar_words().size() << " words, " << vocabulary.tokens.size() << " tokens, " << named_people().size() << " names\n";

  Dice dice(5, "sheets");
  std::size_t longest = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto example = random_example(dice, 0.6, 0.12);
    const auto name = example.name < 0 ? "" : named_people()[static_cast<std::size_t>(example.name)].name();
    const auto text = caption(example.person, name, example.scene, {.named = example.name >= 0}, dice);
    const auto words = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
    if (words > longest) longest = words, std::cout << words << " words: " << text << '\n';
    if (i < 40) std::cout << text << '\n';
  }
  if (options.text("sheets").empty()) return 0;
  std::filesystem::create_directories(options.text("sheets"));
  std::vector<Picture> worlds, people;
  for (int i = 0; i < 60; ++i) {
    const auto example = random_example(dice, 0.6, 0.12);
    worlds.push_back(render(example.person, example.scene));
  }
  for (std::size_t i = 0; i < 60; ++i) people.push_back(render(named_people()[i * 11].person, {}));
  write_sheet((options.text("sheets") + "/world.png").c_str(), worlds, 12, 2);
  write_sheet((options.text("sheets") + "/people.png").c_str(), people, 12, 2);
}
