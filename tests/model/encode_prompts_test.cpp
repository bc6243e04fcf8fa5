// encode_prompts: rows spliced in, one set for all layers or one a layer, and NeTI's bypass between hidden states and
// final norm.

#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/model/encode_prompts.hpp>
#include <persona/testing/tiny_model.hpp>
#include <persona/text/placeholder.hpp>

#include <string>
#include <vector>

namespace {

using persona::encode_prompts;
using persona::RowSet;
using persona::Tensor;

const auto& model() {
  static const auto tiny = persona::testing::tiny_model();
  return tiny;
}
Tensor random(at::IntArrayRef shape, std::int64_t key) {
  return at::randn(shape, persona::Random(3).at(persona::Stream::data, key), at::TensorOptions());
}

/// Three prompts of two tokens, "<ada>" of two vectors and "<rex>" of one; the last prompt has neither.
struct Prompts {
  Tensor ids;
  persona::SplicePlan plan;
  Prompts() {
    const std::vector<persona::Placeholder> placeholders{{"<ada>", 2}, {"<rex>", 1}};
    std::vector<persona::PromptTokens> tokens;
    for (const std::string text : {"a photo of <ada>", "<rex> on the beach <ada>", "a dog"})
      tokens.push_back(persona::tokenize_prompt(model().tokenizer(), text, placeholders));
    ids = persona::stack_ids(tokens);
    plan = persona::make_splice_plan(tokens);
  }
};

/// A text encoder that is not split.
struct Whole {
  Tensor embedding_table() const { return model().text_encoder().embedding_table(); }
  Tensor encode(const Tensor& embeddings) const { return model().text_encoder().encode(embeddings); }
};
static_assert(!persona::SplitTextEncoder<Whole>);

}  // namespace

TEST_CASE("without rows: the prompts as the base model reads them") {
  const Prompts prompts;
  const auto& encoder = model().text_encoder();
  const auto made = encode_prompts(encoder, prompts.ids, prompts.plan, {});
  CHECK(at::equal(made.states, encoder.encode(at::embedding(encoder.embedding_table(), prompts.ids))));
  CHECK(made.layers.empty());
}

TEST_CASE("one set of rows: spliced in at their places, states for all layers") {
  const Prompts prompts;
  const auto& encoder = model().text_encoder();
  const std::vector<RowSet> sets{random({3, 6}, 0)};
  const auto made = encode_prompts(encoder, prompts.ids, prompts.plan, sets);
  auto embedded = at::embedding(encoder.embedding_table(), prompts.ids).clone();
  embedded[0][4] = sets[0].rows[0];  // BOS a photo of <ada>
  embedded[0][5] = sets[0].rows[1];
  embedded[1][1] = sets[0].rows[2];  // BOS <rex> on the beach <ada>
  embedded[1][5] = sets[0].rows[0];
  embedded[1][6] = sets[0].rows[1];
  CHECK(at::allclose(made.states, encoder.encode(embedded), 1e-6, 1e-6));
  CHECK(made.layers.empty());
}

TEST_CASE("one set a layer, in a single pass, equals encoding each set by itself") {
  const Prompts prompts;
  const std::vector<RowSet> sets{random({3, 6}, 0), random({3, 3, 6}, 1),
                                 random({3, 6}, 2)};  // the second differs by sample
  const auto check = [&](const auto& encoder) {
    const auto made = encode_prompts(encoder, prompts.ids, prompts.plan, sets);
    REQUIRE(made.layers.size() == 3);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const auto alone = encode_prompts(encoder, prompts.ids, prompts.plan, std::vector{sets[i]});
      CHECK(at::allclose(made.layers[i].key_states, alone.states, 1e-5, 1e-6));
      CHECK(at::equal(made.layers[i].key_states, made.layers[i].value_states));
    }
    CHECK(!at::allclose(made.layers[0].key_states, made.layers[1].key_states, 1e-2, 1e-2));
    CHECK(at::equal(made.states, made.layers[0].key_states));
  };
  check(model().text_encoder());
  check(Whole{});
}

TEST_CASE("the bypass: V reads final_norm(h + scale |h| b / |b|) at the token's places, K reads final_norm(h)") {
  const Prompts prompts;
  const auto& encoder = model().text_encoder();
  for (const bool per_sample : {false, true}) {
    const auto rows = random({3, 6}, 0), bypass = per_sample ? random({3, 3, 6}, 4) : random({3, 6}, 4);
    const std::vector<RowSet> sets{{rows, bypass, 0.2}, random({3, 6}, 1)};
    const auto made = encode_prompts(encoder, prompts.ids, prompts.plan, sets);
    REQUIRE(made.layers.size() == 2);

    const auto hidden =
        encoder.hidden(persona::splice(at::embedding(encoder.embedding_table(), prompts.ids), prompts.plan, rows));
    CHECK(at::allclose(made.layers[0].key_states, encoder.final_norm(hidden), 1e-5, 1e-6));
    auto moved = hidden.clone();
    const auto move = [&](std::int64_t sample, std::int64_t position, std::int64_t row) {
      const auto b = per_sample ? bypass[sample][row] : bypass[row], h = hidden[sample][position];
      moved[sample][position] = h + 0.2 * h.norm() * b / b.norm();
    };
    move(0, 4, 0);
    move(0, 5, 1);
    move(1, 1, 2);
    move(1, 5, 0);
    move(1, 6, 1);
    CHECK(at::allclose(made.layers[0].value_states, encoder.final_norm(moved), 1e-5, 1e-5));
    CHECK(at::equal(made.layers[0].key_states[2], made.layers[0].value_states[2]));  // a prompt without a token
    CHECK(at::equal(made.layers[1].key_states, made.layers[1].value_states));        // a layer without a bypass
  }
}

TEST_CASE("a direction of zeros moves nothing, and joined rows keep a scale each") {
  const Prompts prompts;
  const auto& encoder = model().text_encoder();
  const auto rows = random({3, 6}, 0);
  const RowSet ada{rows.slice(0, 0, 2), random({2, 6}, 4), 0.2}, rex{rows.slice(0, 2), random({1, 6}, 5), 0.3};
  const auto values = [&](const RowSet& set) {
    return encode_prompts(encoder, prompts.ids, prompts.plan, std::vector{set}).layers[0].value_states;
  };
  const auto plain = encode_prompts(encoder, prompts.ids, prompts.plan, std::vector<RowSet>{rows}).states;
  const auto one = values(persona::join_rows({ada, rex.rows})), other = values(persona::join_rows({ada.rows, rex}));
  const auto both = values(persona::join_rows({ada, rex}));
  CHECK(at::allclose(one[1][1], plain[1][1], 1e-6, 1e-6));  // <rex>
  CHECK(at::allclose(other[0], plain[0], 1e-6, 1e-6));      // <ada>
  CHECK(at::allclose(both[0], one[0], 1e-6, 1e-6));
  CHECK(at::allclose(both[1][1], other[1][1], 1e-6, 1e-6));
  CHECK_FALSE(at::allclose(both[1][1], plain[1][1], 1e-2, 1e-2));

  auto bypass = at::zeros({3, 6});
  bypass.set_requires_grad(true);
  values({rows, bypass, 0.2}).square().sum().backward();
  CHECK(at::isfinite(bypass.grad()).all().item<bool>());
}

TEST_CASE("a bypass needs a split text encoder: else an error that says so") {
  const Prompts prompts;
  const std::vector<RowSet> sets{{random({3, 6}, 0), random({3, 6}, 1), 0.2}};
  CHECK_THROWS_WITH(encode_prompts(Whole{}, prompts.ids, prompts.plan, sets),
                    Catch::Contains("carry a bypass") && Catch::Contains("SplitTextEncoder"));
}

TEST_CASE("gradients reach rows and bypass, and not the table") {
  const Prompts prompts;
  auto rows = random({3, 6}, 0), bypass = random({3, 6}, 1);
  rows.set_requires_grad(true);
  bypass.set_requires_grad(true);
  const auto made =
      encode_prompts(model().text_encoder(), prompts.ids, prompts.plan, std::vector<RowSet>{{rows, bypass, 0.2}});
  const auto& values = made.layers[0].value_states;
  (values * random(values.sizes(), 2)).sum().backward();
  for (const auto& grad : {rows.grad(), bypass.grad()}) {
    REQUIRE(grad.defined());
    CHECK((grad.abs().sum(1) > 0).all().item<bool>());
  }
  CHECK(!model().text_encoder().embedding_table().grad().defined());
}
