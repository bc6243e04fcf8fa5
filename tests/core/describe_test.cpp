// Description: equal text means equal behaviour, so numbers are written in full and the same in every locale.

#include "support/catch.hpp"

#include <persona/core/describe.hpp>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {
enum class Flavour { plain, sweet };
enum class Size { small, large };
std::string_view to_string(Size size) { return size == Size::small ? "small" : "large"; }
std::string text(auto value) { return persona::Field("x", value).value; }
}  // namespace

TEST_CASE("numbers are written in the fewest digits that read back as the same value") {
  CHECK(text(1e-5) == "1e-05");
  CHECK(text(0.1) == "0.1");
  CHECK(text(0.1f) == "0.1");
  CHECK(text(1.0 / 3) == "0.3333333333333333");
  CHECK(text(5e-3) == "0.005");
  CHECK(text(-0.0) == "-0");
  CHECK(text(320) == "320");
  CHECK(text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  for (const double value : {1e-5, 0.1 + 0.2, 4.9e-324, 1.7976931348623157e308})
    CHECK(std::strtod(text(value).c_str(), nullptr) == value);
  CHECK(text(0.1) != text(0.1 + 1e-17 * 4));
}

TEST_CASE("truth values, enumerations, text and lists") {
  CHECK(text(true) == "true");
  CHECK(text(false) == "false");
  CHECK(text(Flavour::sweet) == "1");  // it has no names
  CHECK(text(Size::large) == "large");
  CHECK(text("face") == "face");
  CHECK(text(std::string("face")) == "face");
  CHECK(text(std::vector<std::string>{"ada lovelace", "grace hopper"}) == "ada lovelace\ngrace hopper\n");
  CHECK(text(std::vector<std::string>{"a", "b"}) != text(std::vector<std::string>{"a b"}));
  CHECK(text(std::vector<std::string>{}).empty());
}

TEST_CASE("a description is a range of fields, compares by value, and reads as the component is written") {
  const persona::Description one{"L2Reg", {{"weight", 1e-5}, {"form", "squared"}}};
  CHECK(persona::to_string(one) == "L2Reg{weight = 1e-05, form = squared}");
  CHECK(persona::to_string({"FreeRows", {}}) == "FreeRows{}");
  CHECK(std::distance(one.begin(), one.end()) == 2);
  CHECK(one == persona::Description{"L2Reg", {{"weight", 0.00001}, {"form", "squared"}}});
  CHECK(one != persona::Description{"L2Reg", {{"form", "squared"}, {"weight", 1e-5}}});
  CHECK(one != persona::Description{"L2Reg", {{"weight", 2e-5}, {"form", "squared"}}});
}
