#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/table_scores.hpp"

#include <captions.hpp>
#include <probe.hpp>
#include <style_pictures.hpp>
#include <tokenizer_folder.hpp>

#include <persona/data/crop.hpp>
#include <persona/io/image.hpp>
#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/text/captions.hpp>

#include <algorithm>
#include <cstdlib>
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
    const auto example = random_example(dice, {.styled = 0.5});
    CHECK(render(example) == render(example));
  }
  for (std::size_t t = 0; t < trait_count; ++t) {
    Person base;
    base.value = {1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
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

TEST_CASE("every trait of a thing, and every held-out style, can be seen", "[toyland]") {
  for (std::size_t t = 0; t < thing_trait_count; ++t) {
    Thing base;
    base.value = {0, 0, 1, 0, 1, 0};
    std::vector<Picture> seen;
    for (int v = 0; v < thing_trait_counts[t]; ++v) {
      base.value[t] = static_cast<std::uint8_t>(v);
      const auto picture = render(base, {});
      for (const auto& other : seen) {
        INFO(t << " " << v);
        CHECK(different_bytes(picture, other) > 100);
      }
      seen.push_back(picture);
    }
  }
  std::vector<Picture> seen;
  for (int style = 0; style < static_cast<int>(Style::end); ++style) {
    const auto picture = render(unnamed_people().front(), {.place = Place::city, .style = static_cast<Style>(style)});
    for (const auto& other : seen) CHECK(different_bytes(picture, other) > 2000);
    seen.push_back(picture);
  }
}

TEST_CASE("two in a picture: the first is on the left", "[toyland]") {
  const Motif a = unnamed_people()[0], b = unseen_things()[0];
  const auto ab = render(a, b, {}), aa = render(a, a, {});
  const auto part = [](const Picture& picture, int from, int to) {  // their shoulders meet in the middle
    Picture columns{};
    for (std::size_t i = 0; i < picture.size(); ++i) {
      const int x = static_cast<int>(i / 3 % image_size);
      if (x >= from && x < to) columns[i] = picture[i];
    }
    return columns;
  };
  CHECK(different_bytes(part(ab, 0, 24), part(aa, 0, 24)) == 0);
  CHECK(different_bytes(part(ab, 32, 64), part(aa, 32, 64)) > 1000);
}

TEST_CASE("training shows no held-out thing and no held-out style", "[toyland]") {
  REQUIRE(unseen_things().size() == 20);
  CHECK(std::set<Thing>(unseen_things().begin(), unseen_things().end()).size() == 20);
  Dice dice(4);
  std::map<Count, int> counts;
  for (int i = 0; i < 20000; ++i) {
    const auto example = random_example(dice);
    REQUIRE(example.scene.style < Style::count);
    for (const auto& shown : example.shown)
      if (shown.thing()) REQUIRE(std::ranges::count(unseen_things(), *shown.thing()) == 0);
    ++counts[static_cast<Count>(answers(example)[count_question])];
  }
  for (int c = 0; c < count_of<Count>; ++c) CHECK(counts[static_cast<Count>(c)] > 100);
}

TEST_CASE("the pictures of held-out styles are what the maker draws", "[toyland]") {
  const std::filesystem::path folder = PERSONA_SOURCE "/examples/toyland/photos/styles";
  // Mean difference in levels: another cairo may round edges otherwise.
  const auto apart = [](const persona::Image& image, const Picture& picture) {
    REQUIRE(image.pixels.size() == picture.size());
    double sum = 0;
    for (std::size_t i = 0; i < picture.size(); ++i) sum += std::abs(int{image.pixels[i]} - int{picture[i]});
    return sum / static_cast<double>(picture.size());
  };
  for (std::size_t s = 0; s < held_out_style_names.size(); ++s) {
    const auto photos = style_photos(static_cast<Style>(count_of<Style> + static_cast<int>(s)));
    REQUIRE(photos.size() == style_photo_count);
    for (std::size_t i = 0; i < photos.size(); ++i)
      CHECK(
          apart(persona::read_image(folder / (std::string(held_out_style_names[s]) + "_" + std::to_string(i) + ".png")),
                photos[i]) < 1);
  }
  for (std::size_t c = 0; c < style_contents.size(); ++c) {
    const auto sheet = persona::read_image(folder / ("content_" + std::to_string(c) + ".png"));
    const auto renders = content_renders(style_contents[c]);
    REQUIRE(sheet.width == image_size * all_styles);
    for (std::size_t i = 0; i < renders.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      CHECK(apart(persona::crop(sheet, at % all_styles * image_size, at / all_styles * image_size, image_size,
                                image_size),
                  renders[i]) < 1);
    }
  }
}

TEST_CASE("what is asked of a picture is what is true of it", "[toyland]") {
  Example example{.shown = {Shown::named(3)}, .scene = {.place = Place::jet, .garment = Garment::suit}};
  auto truth = answers(example);
  CHECK(traits_right(answers(example), truth) == 1);
  CHECK(truth[place_question] == static_cast<int>(Place::jet));
  CHECK(truth[kind_question] == no_answer);
  truth[0] = (truth[0] + 1) % traits[0].count;
  CHECK(traits_right(answers(example), truth) == (trait_count - 1.0) / trait_count);
  Tally tally;
  tally.add(answers(example), truth);
  CHECK(tally.share(0) == 0);
  CHECK(tally.share(place_question) == 1);

  example.shown.push_back({unseen_things()[0]});
  CHECK(answers(example)[count_question] == static_cast<int>(Count::person_and_thing));
  CHECK(answers(example)[0] == no_answer);
  Thing plain;
  example.shown = {{plain}};
  CHECK(answers(example)[kind_question] == 0);
  CHECK(answers(example)[kind_question + static_cast<int>(second_color)] == no_answer);
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
  const persona::test::Folder own;
  const auto folder = own.path();
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
  const auto expect_known = [&](const std::string& text) {
    for (const auto id : tokenizer.encode(text)) {
      auto token = tokenizer.token(id);
      INFO(text << ": " << token);
      REQUIRE(token.ends_with("</w>"));
      CHECK(std::binary_search(words.begin(), words.end(), token.substr(0, token.size() - 4)));
    }
  };
  std::size_t too_long = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto example = random_example(dice);
    const auto text = caption(example, {.fully = i % 5 == 0}, dice);
    expect_known(text);
    too_long += tokenizer.encode(text).size() + 2 > 40;
    for (const auto& shown : example.shown)
      if (shown.name >= 0 &&
          !text.ends_with("in the style of " + std::string(style_names[static_cast<std::size_t>(example.scene.style)])))
        CHECK(text.find(shown.name_text()) != std::string::npos);
  }
  CHECK(too_long < 15);
  for (const auto& prompt : tables::person_prompts()) expect_known(persona::fill_template(prompt.text, ""));
  for (const auto& prompt : tables::thing_prompts()) expect_known(persona::fill_template(prompt.text, "cat"));
  for (const auto set : {persona::TemplateSet::mixed, persona::TemplateSet::object, persona::TemplateSet::style})
    for (const auto line : persona::templates_of(set)) expect_known(persona::fill_template(line, "person"));
}
