#include "support/catch.hpp"

#include <persona/text/captions.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace fs = std::filesystem;
using persona::Captions;
using persona::TemplateSet;

TEST_CASE("the template lists have the papers' sizes, each with one hole") {
  for (const auto& [set, size, distinct] :
       {std::tuple{TemplateSet::object, 27, 27}, {TemplateSet::style, 19, 17}, {TemplateSet::mixed, 81, 57}}) {
    const auto lines = persona::templates_of(set);
    CHECK(static_cast<int>(lines.size()) == size);
    CHECK(static_cast<int>(std::set<std::string_view>(lines.begin(), lines.end()).size()) == distinct);
    for (const auto line : lines) CHECK(line.find("{}") == line.size() - 2);
  }
}

TEST_CASE("the mixed list is three groups; only 'a photo of' changes between them") {
  const auto object = persona::templates_of(TemplateSet::object), mixed = persona::templates_of(TemplateSet::mixed);
  CHECK(std::equal(object.begin(), object.end(), mixed.begin()));
  CHECK(mixed[27] == "an illustration of a {}");
  CHECK(mixed[28] == "a rendering of a {}");
  CHECK(mixed[30] == "the photo of a {}");
  CHECK(mixed[54 + 4] == "a depiction of a clean {}");
  CHECK(std::ranges::count_if(mixed, [](auto line) { return line.starts_with("an illustration of"); }) == 15);
  CHECK(std::ranges::count_if(mixed, [](auto line) { return line.starts_with("a depiction of"); }) == 15);
  CHECK(std::ranges::count(mixed, "a rendition of the {}") == 3);
}

TEST_CASE("a template is filled wherever it has a hole") {
  CHECK(persona::fill_template("a photo of {}", "<ada>") == "a photo of <ada>");
  CHECK(persona::fill_template("{}{} and {}", "x") == "xx and x");
  CHECK(persona::fill_template("no hole", "x") == "no hole");
  CHECK(persona::fill_template("{}", "{}") == "{}");
  CHECK(persona::fill_template("", "x").empty());
}

TEST_CASE("captions come from templates, from one prompt or from files") {
  CHECK(persona::captions_of(Captions{}, "<ada>").size() == 27);
  CHECK(persona::captions_of({.templates = TemplateSet::mixed}, "face of <a> person")[0] ==
        "a photo of a face of <a> person");
  CHECK(persona::captions_of(Captions::prompt("a photo of {}"), "<ada>") ==
        std::vector<std::string>{"a photo of <ada>"});
  CHECK(Captions::prompt("a") != Captions::prompt("b"));

  const auto folder = fs::temp_directory_path() / ("persona-captions-" + std::to_string(std::rand()));
  fs::create_directories(folder);
  std::ofstream(folder / "one.txt") << "\xEF\xBB\xBF  {} on the beach\r\n";
  std::ofstream(folder / "blank.txt") << " \n";
  CHECK(persona::captions_of(Captions::files(), "<ada>", folder / "one.png") ==
        std::vector<std::string>{"<ada> on the beach"});
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(persona::captions_of(Captions::files(), "<ada>", folder / "two.jpg"),
                    Contains("two.txt") && Contains("two.jpg"));
  CHECK_THROWS_WITH(persona::captions_of(Captions::files(), "<ada>", folder / "blank.png"),
                    Contains("blank.txt") && Contains("empty"));
  fs::remove_all(folder);
}

TEST_CASE("a caption without its token is refused by name") {
  CHECK_NOTHROW(persona::require_token("a photo of <ada>", "<ada>"));
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(persona::require_token("a photo of <Ada>", "<ada>"),
                    Contains("'a photo of <Ada>'") && Contains("'<ada>'"));
  CHECK_THROWS_AS(persona::require_token("anything", ""), persona::Error);
}
