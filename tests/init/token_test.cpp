// TokenInit: one word's row, and the errors where there is no such word.

#include "support/catch.hpp"

#include <persona/init/token.hpp>
#include <persona/testing/tiny_model.hpp>

#include <vector>

namespace {
using persona::TokenInit;
persona::Tensor rows_of(const TokenInit& init, const persona::Subject& subject, at::ScalarType dtype = at::kFloat) {
  const std::vector subjects{subject};
  return init.rows(persona::testing::tiny_model(dtype), persona::BindContext{.subjects = subjects});
}
}  // namespace

TEST_CASE("every row is the word's row, in fp32 and apart from the table") {
  const auto model = persona::testing::tiny_model();
  const auto table = model.text_encoder().embedding_table();
  const auto id = model.tokenizer().encode("face").front();
  const auto rows = rows_of({"face"}, {.token = "<ada>", .vectors = 3});
  REQUIRE(rows.sizes() == at::IntArrayRef({3, 6}));
  for (int i = 0; i < 3; ++i) CHECK(at::equal(rows[i], table[id]));
  CHECK(!rows.requires_grad());
  CHECK(rows_of({"face"}, {.token = "<ada>"}, at::kBFloat16).scalar_type() == at::kFloat);
}

TEST_CASE("without a word: the subject's class word") {
  const persona::Subject dog{.token = "<rex>", .class_word = "dog"};
  CHECK(at::equal(rows_of({}, dog), rows_of({"dog"}, dog)));
  CHECK(!at::equal(rows_of({"cat"}, dog), rows_of({"dog"}, dog)));
}

TEST_CASE("no word, and a word of several tokens, are errors that say what to do") {
  CHECK_THROWS_WITH(rows_of({}, {.token = "<ada>"}),
                    Catch::Contains("TokenInit: no word to start from") && Catch::Contains(".class_word"));
  CHECK_THROWS_WITH(rows_of({"zebra"}, {.token = "<ada>"}), Catch::Contains("'zebra' is 5 tokens, not one"));
  CHECK_THROWS_WITH(rows_of({"a dog"}, {.token = "<ada>"}), Catch::Contains("'a dog' is 2 tokens"));
  CHECK_THROWS_WITH(rows_of({"!"}, {.token = "<ada>"}), Catch::Contains("'!' is 0 tokens"));
}

TEST_CASE("what an initializer of one's own draws: its subject's numbers, alike each time") {
  const std::vector<persona::Subject> subjects(2);
  const auto drawn = [&](std::uint64_t seed, std::size_t subject) {
    const persona::BindContext context{.subjects = subjects, .subject = subject, .random = persona::Random(seed)};
    return at::randn({8}, context.generator());
  };
  CHECK(at::equal(drawn(1, 0), drawn(1, 0)));
  CHECK(!at::equal(drawn(1, 0), drawn(1, 1)));
  CHECK(!at::equal(drawn(1, 0), drawn(2, 0)));
}
