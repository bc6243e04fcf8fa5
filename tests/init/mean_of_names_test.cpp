// The mean over names, by word (the paper) and by piece (its published code).

#include "support/catch.hpp"

#include <persona/init/mean_of_names.hpp>
#include <persona/testing/tiny_model.hpp>

#include <string>
#include <vector>

namespace {

using persona::NameColumns;
using persona::Tensor;

const auto& model() {
  static const auto tiny = persona::testing::tiny_model();
  return tiny;
}
/// The mean row of the pieces that the tokenizer cuts `text` into.
Tensor piece_mean(const std::string& text) {
  std::vector<Tensor> rows;
  for (const auto id : model().tokenizer().encode(text)) rows.push_back(model().text_encoder().embedding_table()[id]);
  return at::stack(rows).mean(0);
}
Tensor row(const std::string& text) {
  REQUIRE(model().tokenizer().encode(text).size() == 1);
  return piece_mean(text);
}
Tensor mean(const std::vector<std::string>& names, std::int64_t n, NameColumns columns = NameColumns::words) {
  return persona::mean_of_names(model(), names, n, columns);
}
void check_near(const Tensor& a, const Tensor& b) {
  INFO(a << "\n" << b);
  CHECK(at::allclose(a, b, 1e-5, 1e-6));
}

}  // namespace

TEST_CASE("names of known words: both readings agree, first and last names apart") {
  for (const auto columns : {NameColumns::words, NameColumns::pieces}) {
    const auto means = mean({"Ada Lovelace", "Grace Hopper"}, 2, columns);
    REQUIRE(means.sizes() == at::IntArrayRef({2, 6}));
    CHECK(means.scalar_type() == at::kFloat);
    check_near(means[0], (row("ada") + row("grace")) / 2);
    check_near(means[1], (row("lovelace") + row("hopper")) / 2);
  }
}

TEST_CASE("words: a word of several pieces counts once, by the mean of its pieces") {
  REQUIRE(model().tokenizer().encode("bob").size() == 3);
  const auto means = mean({"bob hopper", "grace lovelace"}, 2);
  check_near(means[0], (piece_mean("bob") + row("grace")) / 2);
  check_near(means[1], (row("hopper") + row("lovelace")) / 2);
}

TEST_CASE("pieces: the i-th token goes to row i, whatever word it is of") {
  const auto means = mean({"bob hopper", "grace lovelace"}, 2, NameColumns::pieces);
  const auto table = model().text_encoder().embedding_table();
  const auto bob = model().tokenizer().encode("bob");
  check_near(means[0], (table[bob[0]] + row("grace")) / 2);
  check_near(means[1], (table[bob[1]] + row("lovelace")) / 2);
}

TEST_CASE("a name of one word counts toward the first row alone; of more words than rows the last is the last row's") {
  const auto means = mean({"mary", "ada lovelace hopper"}, 2);
  check_near(means[0], (row("mary") + row("ada")) / 2);
  check_near(means[1], row("hopper"));
  check_near(mean({"ada lovelace hopper"}, 2, NameColumns::pieces)[1], row("lovelace"));
  check_near(mean({"ada lovelace hopper"}, 3)[1], row("lovelace"));
}

TEST_CASE("a name that occurs twice counts twice") {
  check_near(mean({"ada", "ada", "mary"}, 1)[0], (2 * row("ada") + row("mary")) / 3);
}

TEST_CASE("one row: first names alone") {
  check_near(mean({"ada lovelace", "grace hopper"}, 1)[0], (row("ada") + row("grace")) / 2);
}

TEST_CASE("an empty list and a row that no name reaches are errors that say what to do") {
  CHECK_THROWS_WITH(mean({}, 2), Catch::Contains("CrossInit: no names to start from") && Catch::Contains("read_lines"));
  CHECK_THROWS_WITH(mean({"mary", "ada"}, 2), Catch::Contains("none of the 2 names has a part for row 2 of 2"));
  CHECK_THROWS_WITH(mean({"", "!"}, 1), Catch::Contains("none of the 2 names has a part for row 1 of 1"));
}
