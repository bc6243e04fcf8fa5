#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/io/json.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Catch::Contains;
using persona::JsonObject;
using persona::test::Folder;

class Config {
 public:
  explicit Config(const std::string& text) { std::ofstream(path(), std::ios::binary) << text; }
  std::filesystem::path path() const { return folder_ / "config.json"; }
  JsonObject read() const { return JsonObject::read(path()); }

 private:
  Folder folder_;
};

using Ints = std::vector<std::int64_t>;
using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("values are read by type, and a value of another type is named") {
  const Config config(
      R"({"n": 3, "f": 0.5, "b": true, "s": "x", "list": [1, 2], "names": ["a", "b"], "none": null, "mixed": [1, "2"],
                          "large": 18446744073709551615, "whole": 4.0, "big": 1e300, "empty": []})");
  auto file = config.read();
  CHECK(file.get<std::int64_t>("n") == 3);
  CHECK(file.get<double>("f") == 0.5);
  CHECK(file.get<double>("n") == 3.0);
  CHECK(file.get<bool>("b"));
  CHECK(file.get<std::string>("s") == "x");
  CHECK(file.get<Ints>("list") == Ints{1, 2});
  CHECK(file.get<Strings>("names") == Strings{"a", "b"});
  CHECK(file.get<Ints>("empty").empty());
  CHECK(file.get("missing", std::int64_t{7}) == 7);
  CHECK(file.find<std::string>("none") == std::nullopt);
  CHECK(file.find<std::string>("missing") == std::nullopt);
  CHECK(file.find<std::string>("s") == "x");
  CHECK(file.each<std::int64_t>("n", 3) == Ints{3, 3, 3});
  CHECK(file.each<std::int64_t>("list", 2) == Ints{1, 2});
  const auto where = config.path().string();
  CHECK_THROWS_WITH(file.get<std::int64_t>("missing"),
                    Contains(where + ": 'missing' is missing, expected a whole number"));
  CHECK_THROWS_WITH(file.get<std::int64_t>("s"), Contains(where + ": 's' must be a whole number, got \"x\""));
  CHECK_THROWS_WITH(file.get<std::int64_t>("whole"), Contains("'whole' must be a whole number, got 4.0"));
  CHECK_THROWS_WITH(file.get<std::int64_t>("large"),
                    Contains("'large' must be a whole number, got 18446744073709551615"));
  CHECK_THROWS_WITH(file.get<std::int64_t>("none"), Contains("'none' must be a whole number, got null"));
  CHECK_THROWS_WITH(file.get<std::int64_t>("b"), Contains("'b' must be a whole number, got true"));
  CHECK_THROWS_WITH(file.get("n", false), Contains("'n' must be true or false, got 3"));
  CHECK_THROWS_WITH(file.get<double>("s"), Contains("'s' must be a number"));
  CHECK_THROWS_WITH(file.get<std::string>("n"), Contains("'n' must be a string, got 3"));
  CHECK_THROWS_WITH(file.get<Ints>("mixed"), Contains("'mixed' must be a list of whole numbers, got [1,\"2\"]"));
  CHECK_THROWS_WITH(file.get<Strings>("s"), Contains("'s' must be a list of strings, got \"x\""));
  CHECK_THROWS_WITH(file.each<std::int64_t>("list", 3), Contains("'list' must have 3 entries, got [1,2]"));
}

TEST_CASE("a key twice is an error, at any depth") {
  CHECK_THROWS_WITH(Config(R"({"a": 1, "b": 2, "a": 1})").read(), Contains("config.json: 'a' occurs twice"));
  CHECK_THROWS_WITH(Config(R"({"a": {"x": [{"k": 1, "k": 2}]}})").read(), Contains("'k' occurs twice"));
  CHECK_NOTHROW(Config(R"({"a": {"k": 1}, "b": {"k": 1}})").read());
}

TEST_CASE("what is not a JSON object is refused") {
  CHECK_THROWS_WITH(Config("").read(), Contains("is not valid JSON"));
  CHECK_THROWS_WITH(Config("{\"a\": 1").read(),
                    Contains("is not valid JSON: parse error at line 1") && Contains("incomplete download?"));
  CHECK_THROWS_WITH(Config("{} x").read(), Contains("is not valid JSON"));
  CHECK_THROWS_WITH(Config("{\"a\": \"\xFF\"}").read(), Contains("is not valid JSON"));
  CHECK_THROWS_WITH(Config("[1]").read(), Contains("expected an object, got [1]"));
  CHECK_THROWS_WITH(Config("version https://git-lfs.github.com/spec/v1\n").read(), Contains("is a Git LFS pointer"));
  CHECK_THROWS_WITH(Config("<!DOCTYPE html>").read(), Contains("is a web page"));
  CHECK_THROWS_WITH(Config("{\"a\": " + std::string(100'000, '[') + std::string(100'000, ']') + "}").read(),
                    Contains("nested deeper than 32 levels"));
  const Folder folder;
  CHECK_THROWS_WITH(JsonObject::read(folder / "none.json"), Contains("none.json: is not there, or is not a file"));
  CHECK_THROWS_WITH(JsonObject::read(folder.path()), Contains("is not there, or is not a file"));
}

TEST_CASE("Python's words for infinity are null, inside strings they are text") {
  auto file = Config(R"({"a": -Infinity, "b": [NaN, Infinity], "c": "-Infinity and \" NaN"})").read();
  CHECK(file.find<double>("a") == std::nullopt);
  CHECK(file.value()["b"][0].is_null());
  CHECK(file.get<std::string>("c") == "-Infinity and \" NaN");
}

TEST_CASE("a key that nobody asked for is an error") {
  auto file = Config(R"({"read": 1, "ignored": {}, "checked": false, "_writer": "x", "strange": [1, 2]})").read();
  file.get<std::int64_t>("read");
  file.ignore({"ignored", "never there"});
  file.only("checked", {"null", "false"});
  file.only("absent", {"1"});
  CHECK_THROWS_WITH(file.expect_all_known(),
                    Contains("'strange' is a key that is not known here, with the value [1,2]"));
  file.ignore({"strange"});
  CHECK_NOTHROW(file.expect_all_known());
}

TEST_CASE("a value that is not supported names those that are") {
  auto file = Config(R"({"act": "mish", "scale": 1.0})").read();
  CHECK_THROWS_WITH(file.only("act", {R"("silu")", "null"}),
                    Contains("config.json: 'act' is \"mish\" (supported: \"silu\", null)"));
  CHECK_NOTHROW(file.only("scale", {"1"}));
}
