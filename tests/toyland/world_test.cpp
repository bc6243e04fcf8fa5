#include "support/catch.hpp"

#include <captions.hpp>
#include <names.hpp>
#include <tokenizer_folder.hpp>
#include <world.hpp>

#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/text/captions.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

using namespace toyland;

namespace {

std::size_t different_bytes(const Picture& a, const Picture& b) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < a.size(); ++i) n += a[i] != b[i];
  return n;
}

persona::CLIPTokenizer toyland_tokenizer(const std::filesystem::path& folder) {
  write_tokenizer(folder, train_vocabulary(grammar_words()), 40);
  return persona::CLIPTokenizer::from_folder(folder);
}

}  // namespace

TEST_CASE("equal arguments draw equal pictures, every trait value draws its own", "[toyland]") {
  Dice dice(1);
  for (int i = 0; i < 20; ++i) {
    const auto person = random_person(dice);
    const auto scene = random_scene(dice, 0.5);
    CHECK(render(person, scene) == render(person, scene));
  }
  for (std::size_t t = 0; t < trait_count; ++t) {
    Person base;
    base.value = {1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    std::vector<Picture> seen;
    for (int v = 0; v < traits[t].count; ++v) {
      base.value[t] = static_cast<std::uint8_t>(v);
      const auto picture = render(base, {});
      for (const auto& other : seen) {
        INFO(traits[t].name << " " << v);
        CHECK(different_bytes(picture, other) > 60);
      }
      seen.push_back(picture);
    }
  }
}

TEST_CASE("every place, garment, accessory, prop, expression and style can be seen", "[toyland]") {
  const auto person = unnamed_people().front();
  const auto distinct = [&](auto member, int count, std::size_t least) {
    std::vector<Picture> seen;
    for (int v = 0; v < count; ++v) {
      Scene scene;
      scene.*member = static_cast<std::remove_cvref_t<decltype(scene.*member)>>(v);
      const auto picture = render(person, scene);
      for (const auto& other : seen) CHECK(different_bytes(picture, other) > least);
      seen.push_back(picture);
    }
  };
  distinct(&Scene::place, count_of<Place>, 2000);
  distinct(&Scene::garment, count_of<Garment>, 100);
  distinct(&Scene::accessory, count_of<Accessory>, 100);
  distinct(&Scene::prop, count_of<Prop>, 100);
  distinct(&Scene::expression, count_of<Expression>, 60);
  distinct(&Scene::style, count_of<Style>, 2000);
}

TEST_CASE("691 names own 691 faces and share their words; 200 faces have none", "[toyland]") {
  const auto& people = named_people();
  REQUIRE(people.size() == 691);
  std::set<std::string> names;
  std::set<Person> faces;
  std::map<std::string, int> first, last;
  for (const auto& named : people) {
    CHECK(names.insert(named.name()).second);
    CHECK(faces.insert(named.person).second);
    ++first[named.first], ++last[named.last];
  }
  REQUIRE(unnamed_people().size() == 200);
  for (const auto& person : unnamed_people()) CHECK(faces.insert(person).second);
  const auto words = name_words();
  CHECK(first.size() + last.size() == words.size());
  CHECK(std::set<std::string>(words.begin(), words.end()).size() == words.size());
  for (const auto& list : {first, last}) {
    CHECK(std::all_of(list.begin(), list.end(), [](const auto& entry) { return entry.second >= 1; }));
    CHECK(std::count_if(list.begin(), list.end(), [](const auto& entry) { return entry.second >= 2; }) > 100);
  }
}

TEST_CASE("every word of the grammar is one token of the tokenizer that the maker writes", "[toyland]") {
  const auto folder = std::filesystem::temp_directory_path() / "persona_toyland_tokenizer_test";
  const auto tokenizer = toyland_tokenizer(folder);
  CHECK(tokenizer.max_length() == 40);
  CHECK(tokenizer.vocab_size() < 4000);
  for (const auto& word : grammar_words()) {
    INFO(word);
    CHECK(tokenizer.encode(word).size() == 1);
  }
  for (const auto& named : named_people()) CHECK(tokenizer.encode(named.name()).size() == 2);

  Dice dice(2);
  const auto& words = grammar_words();
  const auto known = [&](const std::string& word) { return std::binary_search(words.begin(), words.end(), word); };
  std::size_t too_long = 0;
  for (int i = 0; i < 3000; ++i) {
    const bool is_named = dice.chance(0.5);
    const auto& named = dice.one_of(named_people());
    const auto text = caption(named.person, named.name(), random_scene(dice), {.named = is_named}, dice);
    for (const auto id : tokenizer.encode(text)) {
      auto token = tokenizer.token(id);
      INFO(text << ": " << token);
      REQUIRE(token.ends_with("</w>"));
      CHECK(known(token.substr(0, token.size() - 4)));
    }
    too_long += tokenizer.encode(text).size() + 2 > 40;
    if (is_named)
      CHECK(text.find(named.name()) != std::string::npos);
    else
      CHECK(text.find(named.last) == std::string::npos);
  }
  CHECK(too_long < 15);
  for (const auto line : persona::templates_of(persona::TemplateSet::mixed))
    for (const auto id : tokenizer.encode(persona::fill_template(line, "person")))
      CHECK(known(tokenizer.token(id).substr(0, tokenizer.token(id).size() - 4)));
  std::filesystem::remove_all(folder);
}
