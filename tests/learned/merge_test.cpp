// Concepts learned apart, merged without training: each one's own answer to its words, and the base's to all others.

#include "support/catch.hpp"
#include "support/changed.hpp"
#include "support/folder.hpp"

#include <persona/init/token.hpp>
#include <persona/learned/merge.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/testing.hpp>

#include <string>
#include <vector>

namespace {

using namespace persona;
using persona::testing::tiny_model;
using persona::testing::tiny_subjects;

const std::vector<std::string> captions{"a photo of a cat", "the dog on the beach",      "a painting of ada",
                                        "a face",           "grace hopper on the beach", "mary"};

Learned learn(std::size_t which, const auto& sum) {
  const auto subjects = tiny_subjects(2);
  return fit(tiny_model(), subjects[which], sum, {.steps = 20, .batch = 2, .seed = which + 5});
}
Learned learn(std::size_t which) { return learn(which, TokenInit{} + CrossAttentionKV{} + AdamW{.lr = 1e-2}); }

Tensor weight(const Learned& learned, const std::string& name) {
  for (const auto& one : learned.weights)
    if (one.name == name) return one.stored().tensors.at("weight").to(at::kDouble);
  return {};
}
/// The states of one prompt, [L, D] fp64.
Tensor states(const std::string& prompt, const Learned& learned = {}) {
  const auto model = tiny_model();
  const std::vector<Placeholder> tokens =
      learned.rows.empty() ? std::vector<Placeholder>{} : std::vector<Placeholder>{{.token = learned.rows[0].token}};
  const std::vector<PromptTokens> list{tokenize_prompt(model.tokenizer(), prompt, tokens)};
  std::vector<RowSet> sets;
  if (!learned.rows.empty()) sets.push_back(RowSet(learned.rows[0].rows));
  return encode_prompts(model.text_encoder(), stack_ids(list), make_splice_plan(list), sets).states[0].to(at::kDouble);
}

}  // namespace

TEST_CASE("the merge is the solution of its constrained least squares") {
  const auto one = learn(0), two = learn(1);
  const auto merged =
      merge_concepts(tiny_model(), {{one, "a photo of a <one>"}, {two, "a photo of a <two>"}}, captions);
  CHECK(merged.rows.size() == 2);
  CHECK(merged.weights.size() == 4);

  // "[start] a photo of a <one> [end]": positions 5 and 6.
  const auto c1 = states("a photo of a <one>", one).slice(0, 5, 7),
             c2 = states("a photo of a <two>", two).slice(0, 5, 7);
  const auto c = at::cat({c1, c2});
  Tensor regular;
  for (const auto& caption : captions)
    regular = regular.defined() ? at::cat({regular, states(caption)}) : states(caption);
  auto model = tiny_model();
  std::int64_t n = 0;
  for (auto& ref : model.denoiser().weights()) {
    const auto name = "unet." + ref.name;
    const auto found = weight(merged, name);
    if (!found.defined()) continue;
    const auto base = ref.base.to(at::kDouble);
    const auto v = at::cat({c1.matmul(weight(one, name).t()), c2.matmul(weight(two, name).t())});
    CHECK(at::allclose(c.matmul(found.t()), v, 1e-4, 1e-5));

    // By Lagrange: (W' - W) K^T K = l C, so that nothing of it lies beside the rows of C.
    const auto slope = (found - base).matmul(regular.t().matmul(regular));
    const auto beside = slope - slope.matmul(at::linalg_pinv(c)).matmul(c);
    CHECK(beside.norm().item<double>() < 1e-3 * slope.norm().item<double>());
    // And no other weight that answers the concepts so is nearer on what the captions say.
    const auto other = at::randn(base.sizes(), Random(3).at(Stream::initialization, n++), base.options());
    const auto free = 0.1 * (other - other.matmul(at::linalg_pinv(c)).matmul(c));
    CHECK((found - base).matmul(regular.t()).norm().item<double>() <
          (found + free - base).matmul(regular.t()).norm().item<double>());
    CHECK_FALSE(at::allclose(found, base, 1e-3, 1e-4));
  }
}

TEST_CASE("one concept alone answers its words as its own model does, and a file keeps the merge") {
  const test::Folder folder;
  const auto one = learn(0);
  const auto merged = merge_concepts(tiny_model(), {{one, "a photo of a <one>"}}, captions);
  merged.save(folder / "merged.safetensors");
  const auto read = Learned::load(folder / "merged.safetensors");
  CHECK(at::equal(test::predicted(personalized(tiny_model(), merged)),
                  test::predicted(personalized(tiny_model(), read))));
  auto rows_alone = one;
  rows_alone.weights.clear();
  CHECK(merge_concepts(tiny_model(), {{rows_alone, "a photo of a <one>"}}, captions).weights.empty());
}

TEST_CASE("what cannot be merged is refused with a reason") {
  const auto one = learn(0);
  const auto model = tiny_model();
  CHECK_THROWS_WITH(merge_concepts(model, {}, captions), Catch::Contains("no concepts"));
  CHECK_THROWS_WITH(merge_concepts(model, {{one, "a <one>"}}, {}), Catch::Contains("no captions"));
  CHECK_THROWS_WITH(merge_concepts(model, {{one, "a photo of a cat"}}, captions),
                    Catch::Contains("has no learned token of its concept") && Catch::Contains("<one>"));
  CHECK_THROWS_WITH(merge_concepts(model, {{one, "a <one>"}, {one, "the <one>"}}, captions),
                    Catch::Contains("two concepts are named '<one>'"));
  auto other = one;
  other.rows.front().token = "<other>";
  CHECK_THROWS_WITH(merge_concepts(model, {{one, "a <one>"}, {other, "a <other>"}}, captions),
                    Catch::Contains("ask for what no weight can give") || Catch::Contains("nothing"));
  const auto text =
      learn(0, TokenInit{} + LowRank{.rank = 2, .weights = subsets::text_encoder() && subsets::matrices()});
  CHECK_THROWS_WITH(merge_concepts(model, {{text, "a <one>"}}, captions), Catch::Contains("text_encoder.mix.weight"));
  CHECK_THROWS_WITH(merge_concepts(model, {{learn(0, recipe(CrossAttentionKV{})), "a cat"}}, captions),
                    Catch::Contains("learn a token with it"));
  CHECK_THROWS_WITH(merge_concepts(model, {{learn(0, TokenInit{} + FullWeights{}), "a <one>"}}, captions),
                    Catch::Contains("does not read the prompt") || Catch::Contains("the prompt's states are 6 wide"));
  CHECK_THROWS_WITH(merge_concepts(model, {{learn(0, TokenInit{} + LayeredRows{}), "a <one>"}}, captions),
                    Catch::Contains("differ by layer"));
}
