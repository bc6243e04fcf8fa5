// Error and expect_shape: every message says where, what was expected, what was found, and how to mend it.

#include "support/catch.hpp"

#include <persona/core/shape.hpp>

#include <string>

namespace {
std::string message_of(auto&& call) {
  try {
    call();
  } catch (const persona::Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}
}  // namespace

TEST_CASE("an Error joins where, what and hint, and keeps where and hint apart") {
  const persona::Error error("TokenInit", "no word", "give it one");
  CHECK(error.what() == std::string("[persona] TokenInit: no word (give it one)"));
  CHECK(error.where() == "TokenInit");
  CHECK(error.hint() == "give it one");
  CHECK(persona::Error("crop", "too large").what() == std::string("[persona] crop: too large"));
}

TEST_CASE("a fitting shape passes: numbers must agree, names take any size") {
  const auto x = at::zeros({2, 77, 768});
  CHECK_NOTHROW(persona::expect_shape(x, {2, 77, 768}, "test"));
  CHECK_NOTHROW(persona::expect_shape(x, {"B", "L", {768, "D"}}, "test"));
  CHECK_NOTHROW(persona::expect_shape(at::zeros({}), {}, "test"));
}

TEST_CASE("a misfit is told with the expected and the found shape") {
  const auto x = at::zeros({2, 77, 768});
  CHECK(
      message_of(
          [&] { persona::expect_shape(x, {"B", 5, {640, "D"}}, "splice: rows", "rows as wide as the table"); }) ==
      "[persona] splice: rows: expected a tensor of shape [B, 5, D = 640], got [2, 77, 768] (rows as wide as the table)");
  CHECK(message_of([&] { persona::expect_shape(x, {"n", "D"}, "rows"); }) ==
        "[persona] rows: expected a tensor of shape [n, D], got [2, 77, 768]");
  CHECK(message_of([&] { persona::expect_shape({}, {"n"}, "rows"); }) ==
        "[persona] rows: expected a tensor of shape [n], got an undefined tensor");
  CHECK(message_of([&] { persona::expect_shape(at::zeros({3}), {}, "loss"); }) ==
        "[persona] loss: expected a tensor of shape [], got [3]");
  CHECK(message_of([&] { persona::expect_shape(at::zeros({0, 4}), {{1, "n"}, 4}, "rows"); }) ==
        "[persona] rows: expected a tensor of shape [n = 1, 4], got [0, 4]");
}

TEST_CASE("shapes as text") {
  CHECK(persona::shape_string({}) == "[]");
  CHECK(persona::shape_string({4}) == "[4]");
  CHECK(persona::shape_string({2, 0, 768}) == "[2, 0, 768]");
}
