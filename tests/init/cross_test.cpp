// CrossInit: E(mean of names) at positions 1..n, as the full padded prompt gives it.

#include "support/catch.hpp"

#include <persona/init/cross.hpp>
#include <persona/testing/tiny_model.hpp>

#include <string>
#include <vector>

namespace {

using persona::CrossInit;
using persona::Tensor;

const std::vector<std::string> names{"ada lovelace", "grace hopper", "bob mary"};

template <class Model>
Tensor rows_of(const Model& model, const CrossInit& init, std::int64_t vectors = 2) {
  const std::vector<persona::Subject> subjects{{.token = "<ada>", .vectors = vectors}};
  return init.rows(model, persona::BindContext{.subjects = subjects});
}

/// [BOS, means, EOS, PAD, ...] of the tokenizer's full length, encoded; positions 1..n.
template <class Model>
Tensor by_the_full_prompt(const Model& model, const Tensor& means) {
  const auto table = model.text_encoder().embedding_table();
  const auto n = means.size(0), length = model.tokenizer().max_length();
  std::vector<std::int64_t> ids(static_cast<std::size_t>(length), model.tokenizer().pad_token_id());
  ids[0] = model.tokenizer().bos_token_id();
  ids[static_cast<std::size_t>(n) + 1] = model.tokenizer().eos_token_id();
  auto embedded = table.index_select(0, at::tensor(ids, at::kLong));
  embedded.slice(0, 1, 1 + n).copy_(means);
  return model.text_encoder().encode(embedded.unsqueeze(0))[0].slice(0, 1, 1 + n).to(at::kFloat);
}

/// An encoder whose output is twice as wide as its rows.
struct WideEncoder : persona::testing::TinyTextEncoder {
  explicit WideEncoder(const persona::testing::TinyTextEncoder& encoder) : TinyTextEncoder(encoder) {}
  Tensor encode(const Tensor& embeddings) const {
    const auto states = TinyTextEncoder::encode(embeddings);
    return at::cat({states, states}, -1);
  }
};

}  // namespace

TEST_CASE("the rows are the full padded prompt's states at positions 1..n: nothing behind can reach them") {
  const auto model = persona::testing::tiny_model();
  for (const auto columns : {persona::NameColumns::words, persona::NameColumns::pieces})
    for (const std::int64_t n : {1, 2}) {
      const auto rows = rows_of(model, {.names = names, .columns = columns}, n);
      REQUIRE(rows.sizes() == at::IntArrayRef({n, 6}));
      CHECK(
          at::allclose(rows, by_the_full_prompt(model, persona::mean_of_names(model, names, n, columns)), 1e-5, 1e-6));
    }
}

TEST_CASE("the rows come after the final norm, detached and in fp32") {
  const auto rows = rows_of(persona::testing::tiny_model(), {names});
  CHECK(at::allclose(rows.mean(-1), at::zeros({2}), 0,
                     1e-5));  // the tiny model's final norm has no scale or shift of its own
  CHECK(at::allclose(rows.square().mean(-1), at::ones({2}), 1e-3));
  CHECK(!rows.requires_grad());
  const auto half = persona::testing::tiny_model(at::kBFloat16);
  const auto from_half = rows_of(half, {names});
  CHECK(from_half.scalar_type() == at::kFloat);
  CHECK(at::allclose(from_half, by_the_full_prompt(half, persona::mean_of_names(half, names, 2)), 0.05, 0.05));
}

TEST_CASE("without the encoder: the means themselves") {
  const auto model = persona::testing::tiny_model();
  CHECK(at::equal(rows_of(model, {.names = names, .use_encoder = false}), persona::mean_of_names(model, names, 2)));
  CHECK(!at::allclose(rows_of(model, {names}), persona::mean_of_names(model, names, 2), 0.1, 0.1));
}

TEST_CASE("no names, and an encoder whose output cannot stand for a row, are errors") {
  const auto model = persona::testing::tiny_model();
  CHECK_THROWS_WITH(rows_of(model, {}), Catch::Contains("no names to start from"));
  const persona::ModelParts wide{model.tokenizer(), WideEncoder(model.text_encoder()), model.denoiser(),
                                 model.scheduler(), model.latent_shape()};
  CHECK_THROWS_WITH(rows_of(wide, {names}), Catch::Contains("the text encoder's output is 12 wide, its rows are 6"));
  CHECK(rows_of(wide, {.names = names, .use_encoder = false}).sizes() == at::IntArrayRef({2, 6}));
}

TEST_CASE("its defaults are the paper's") { CHECK(CrossInit{}.default_steps() == 320); }
