// CrossInitNear: the mean of the nearest rows through the encoder, one neighbour being the word itself.

#include "support/catch.hpp"

#include <persona/init/cross.hpp>
#include <persona/init/cross_near.hpp>
#include <persona/testing/tiny_model.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

namespace {

using persona::CrossInitNear;
using persona::Tensor;

const auto& model() {
  static const auto tiny = persona::testing::tiny_model();
  return tiny;
}
Tensor rows_of(const CrossInitNear& init, std::int64_t vectors = 1) {
  const std::vector<persona::Subject> subjects{{.token = "<one>", .class_word = "cat", .vectors = vectors}};
  return init.rows(model(), persona::BindContext{.subjects = subjects});
}

}  // namespace

TEST_CASE("one neighbour is E(the word)") {
  const auto table = model().text_encoder().embedding_table();
  const auto row = table[model().tokenizer().encode("cat").front()].unsqueeze(0);
  CHECK(at::allclose(rows_of({.neighbours = 1}), persona::encoder_output(model(), row)));
  CHECK(at::allclose(rows_of({.neighbours = 1, .use_encoder = false}), row));
  CHECK(at::equal(
      rows_of({"cat", 1}, 2),
      persona::CrossInit{{"cat cat"}}.rows(
          model(), persona::BindContext{.subjects = std::vector<persona::Subject>{{.token = "<one>", .vectors = 2}}})));
}

TEST_CASE("the mean is over the rows of the largest cosine") {
  const auto table = model().text_encoder().embedding_table();
  const auto word = table[model().tokenizer().encode("dog").front()];
  std::vector<std::int64_t> ids(static_cast<std::size_t>(table.size(0) - 2));
  std::iota(ids.begin(), ids.end(), 2);  // all but the special ones
  const auto cosine = [&](std::int64_t id) {
    return (table[id] * word).sum().item<double>() / table[id].square().sum().sqrt().item<double>();
  };
  std::ranges::sort(ids, std::greater{}, cosine);
  Tensor sum = at::zeros({6});
  for (std::size_t i = 0; i < 5; ++i) sum = sum + table[ids[i]];
  const auto mean = rows_of({"dog", 5, false}, 2);
  REQUIRE(mean.sizes() == at::IntArrayRef({2, 6}));
  CHECK(at::allclose(mean[0], sum / 5, 1e-5, 1e-6));
  CHECK(at::equal(mean[0], mean[1]));
  CHECK(at::allclose(rows_of({"dog", 5}, 2), persona::encoder_output(model(), mean)));
}

TEST_CASE("start, end and padding are nobody's neighbours") {
  auto other = persona::testing::tiny_model();
  auto table = other.text_encoder().embedding_table();
  for (const std::int64_t special : {0, 1}) table[special].copy_(table[8] * 3);  // "cat", only longer
  const std::vector<persona::Subject> subjects{{.token = "<one>", .class_word = "cat"}};
  const auto rows = [&](std::int64_t neighbours) {
    return CrossInitNear{.neighbours = neighbours, .use_encoder = false}.rows(
        other, persona::BindContext{.subjects = subjects});
  };
  CHECK(at::allclose(rows(1), table[8].unsqueeze(0)));
  CHECK(at::allclose(rows(2), rows_of({.neighbours = 2, .use_encoder = false})));
  CHECK(at::allclose(rows(table.size(0) - 2)[0], table.slice(0, 2).mean(0), 1e-5, 1e-6));
  CHECK_THROWS_WITH(rows(table.size(0) - 1), Catch::Contains("between 1 and the vocabulary's 44"));
}

TEST_CASE("what cannot be near says why") {
  CHECK_THROWS_WITH(rows_of({"zebra"}), Catch::Contains("'zebra' is 5 tokens, not one"));
  CHECK_THROWS_WITH(rows_of({"cat", 0}), Catch::Contains("0 neighbours"));
  CHECK_THROWS_WITH(rows_of({"cat", 100000}), Catch::Contains("100000 neighbours"));
  const std::vector<persona::Subject> nameless{{.token = "<one>"}};
  CHECK_THROWS_WITH(CrossInitNear{}.rows(model(), persona::BindContext{.subjects = nameless}),
                    Catch::Contains("no word to start from"));
}
