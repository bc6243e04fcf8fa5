// single_token: one word, one id, and no word that the tokenizer does not know.

#include "support/catch.hpp"

#include <persona/init/token.hpp>
#include <persona/testing/tiny_model.hpp>
#include <persona/text/single_token.hpp>

#include <string_view>
#include <vector>

namespace {

/// "cat" is a word, "a cat" two; everything else is read as the unknown token.
struct Closed {
  std::vector<std::int64_t> encode(std::string_view text) const {
    if (text == "a cat") return {5, 4};
    if (text == "cat") return {4};
    return {3};
  }
  std::int64_t bos_token_id() const { return 0; }
  std::int64_t eos_token_id() const { return 1; }
  std::int64_t pad_token_id() const { return 1; }
  std::int64_t unk_token_id() const { return 3; }
  std::int64_t max_length() const { return 24; }
};
struct Knows : Closed {
  bool contains(std::string_view word) const { return word == "<unknown>"; }
};

}  // namespace

TEST_CASE("a word that is one token has an id") {
  CHECK(persona::single_token(Closed{}, "cat", "test") == 4);
  CHECK(persona::single_token(persona::testing::TinyTokenizer{}, "cat", "test") == 8);
  CHECK_THROWS_WITH(persona::single_token(Closed{}, "a cat", "test"), Catch::Contains("test: 'a cat' is 2 tokens"));
}

TEST_CASE("an unknown word is no token, though the tokenizer gives one") {
  CHECK_THROWS_WITH(persona::single_token(Closed{}, "zebra", "test"),
                    Catch::Contains("test: 'zebra' is no word of the vocabulary") && Catch::Contains("unknown token"));
  CHECK(persona::single_token(Knows{}, "<unknown>", "test") == 3);  // by its own name it is known
  const auto tiny = persona::testing::tiny_model();
  const persona::ModelParts model{Closed{}, tiny.text_encoder(), tiny.denoiser(), tiny.scheduler(),
                                  tiny.latent_shape()};
  const std::vector<persona::Subject> subjects{{.token = "<one>", .class_word = "zebra"}};
  CHECK_THROWS_WITH(persona::TokenInit{}.rows(model, persona::BindContext{.subjects = subjects}),
                    Catch::Contains("TokenInit: 'zebra' is no word"));
}
