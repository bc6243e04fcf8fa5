// What parity does not cover: causality, prefixes, published sizes, dtypes, errors.

#include "stable_diffusion/tiny_unet.hpp"

#include <persona/core/placement.hpp>
#include <persona/model/text_encoder.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/stable_diffusion/clip_text.hpp>

#include <string>

using Catch::Matchers::Contains;
using persona::CLIPTextConfig;
using persona::CLIPTextModel;
using tiny::distance;
using tiny::values;

static_assert(persona::SplitTextEncoder<CLIPTextModel>);
static_assert(persona::WeightHost<CLIPTextModel>);

namespace {
CLIPTextConfig config() {
  return {.vocab_size = 11,
          .hidden_size = 8,
          .intermediate_size = 12,
          .num_hidden_layers = 2,
          .num_attention_heads = 2,
          .max_position_embeddings = 6};
}
CLIPTextModel model() {
  CLIPTextModel result(config());
  persona::initialize(result, tiny::generator());
  return result;
}
std::int64_t parameters(CLIPTextModel model) {
  std::int64_t count = 0;
  persona::for_each_weight(model, [&](const std::string&, persona::Weight& weight) { count += weight.base.numel(); });
  return count;
}
}  // namespace

TEST_CASE("Stable Diffusion's text encoders have their published sizes") {
  CHECK(parameters(CLIPTextModel({.hidden_size = 768, .intermediate_size = 3072, .num_attention_heads = 12})) ==
        123'060'480);
  CHECK(parameters(CLIPTextModel(
            {.hidden_size = 1024, .intermediate_size = 4096, .num_hidden_layers = 23, .num_attention_heads = 16})) ==
        340'387'840);
}

TEST_CASE("a position knows of those before it alone, so a prefix gives the states of the whole") {
  const auto encoder = model();
  const auto embeddings = values({2, 6, 8}, 2);
  const auto whole = encoder.encode(embeddings);
  CHECK(whole.sizes() == at::IntArrayRef({2, 6, 8}));
  CHECK(distance(encoder.encode(embeddings.slice(1, 0, 3)), whole.slice(1, 0, 3)) < 1e-6);
  auto other = embeddings.clone();
  other.select(1, 4).copy_(values({2, 8}, 3));
  const auto changed = encoder.encode(other);
  CHECK(distance(changed.slice(1, 0, 4), whole.slice(1, 0, 4)) < 1e-6);
  CHECK(distance(changed.slice(1, 4, 5), whole.slice(1, 4, 5)) > 1e-2);
  CHECK(at::equal(encoder.final_norm(encoder.hidden(embeddings)), whole));
  CHECK(encoder.embedding_table().sizes() == at::IntArrayRef({11, 8}));
}

TEST_CASE("bf16 weights take fp32 rows, and the gradient comes back in fp32") {
  auto narrow = model();
  persona::to(narrow, at::kCPU, at::kBFloat16);
  auto embeddings = values({1, 4, 8}, 2);
  embeddings.set_requires_grad(true);
  const auto states = narrow.encode(embeddings);
  CHECK(states.scalar_type() == at::kBFloat16);
  CHECK(distance(states.detach(), model().encode(embeddings.detach())) < 0.1);
  states.sum().backward();
  CHECK(embeddings.grad().scalar_type() == at::kFloat);
}

TEST_CASE("what the text encoder cannot do is an error that says why") {
  const auto encoder = model();
  CHECK_THROWS_WITH(encoder.encode(values({1, 7, 8}, 2)), Contains("7 positions") && Contains("6"));
  CHECK_THROWS_WITH(encoder.encode(values({1, 4, 9}, 2)), Contains("D = 8"));
  auto wrong = config();
  wrong.hidden_act = "relu";
  CHECK_THROWS_WITH(CLIPTextModel(wrong), Contains("hidden_act") && Contains("quick_gelu, gelu"));
  wrong = config();
  wrong.num_attention_heads = 3;
  CHECK_THROWS_WITH(CLIPTextModel(wrong), Contains("num_attention_heads"));
}
