// SubspaceBasis against a selection written out by hand, BaTex's Theorem 2, and gradients by finite differences.

#include "support/catch.hpp"
#include "support/gradients.hpp"

#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/method/batex.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/testing/tiny_model.hpp>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace {

using persona::BasisDistance;
using persona::BasisStart;
using persona::SubspaceBasis;
using persona::Tensor;

const std::vector<persona::Subject> subjects{{.token = "<one>", .class_word = "cat"}};
const persona::BindContext context{.subjects = subjects};

SubspaceBasis::State bind(const SubspaceBasis& basis, const Tensor& rows, const persona::BindContext& where = context) {
  return basis.bind(rows, persona::testing::tiny_model(), where);
}
Tensor row_of(const char* word) {
  const auto model = persona::testing::tiny_model();
  return model.text_encoder().embedding_table()[model.tokenizer().encode(word).front()].unsqueeze(0);
}

/// Ids by falling score, the special ones 0 and 1 left out.
template <class F>
std::vector<std::int64_t> by_hand(F&& score) {
  const auto table = persona::testing::tiny_model().text_encoder().embedding_table();
  std::vector<std::int64_t> ids(static_cast<std::size_t>(table.size(0) - 2));
  std::iota(ids.begin(), ids.end(), 2);
  std::ranges::stable_sort(ids, std::greater{}, [&](std::int64_t id) { return score(table[id]); });
  return ids;
}
double dot(const Tensor& a, const Tensor& b) { return (a * b).sum().item<double>(); }
double norm(const Tensor& a) { return std::sqrt(dot(a, a)); }

}  // namespace

TEST_CASE("the nearest rows, by each distance, and w one-hot at the initial row") {
  const auto u = row_of("cat");
  const struct {
    BasisDistance distance;
    std::vector<std::int64_t> expected;
  } cases[]{{BasisDistance::dot, by_hand([&](const Tensor& e) { return dot(e, u); })},
            {BasisDistance::cosine, by_hand([&](const Tensor& e) { return dot(e, u) / norm(e); })},
            {BasisDistance::l2, by_hand([&](const Tensor& e) { return -norm(e - u); })}};
  for (const auto& [distance, expected] : cases) {
    const auto state = bind({.size = 4, .distance = distance}, u);
    REQUIRE(state.groups.size() == 1);
    const auto& ids = state.groups[0].ids;
    const std::int64_t own = 8;  // "cat"
    const auto place = std::ranges::find(ids, own) - ids.begin();
    REQUIRE(place < 4);
    // all but perhaps the last, which makes room for the row itself, are the nearest
    for (std::size_t i = 0; i < 3; ++i) CHECK((ids[i] == expected[i] || ids[i] == own));
    const auto w = state.groups[0].weights.value;
    REQUIRE(w.sizes() == at::IntArrayRef({1, 4}));
    CHECK(w[0][place].item<float>() == 1);
    CHECK(w.sum().item<float>() == 1);
    CHECK(at::equal(state.rows(), u));
  }
}

TEST_CASE("the initial row is in its basis even where longer rows score higher") {
  auto model = persona::testing::tiny_model();
  auto table = model.text_encoder().embedding_table();
  const auto u = table[8].clone().unsqueeze(0);
  for (const std::int64_t id : {10, 11, 12}) table[id].copy_(table[8] * 5 + 0.01 * at::randn({6}));
  const auto state = SubspaceBasis{.size = 3}.bind(u, model, context);
  CHECK(state.groups[0].ids.size() == 3);
  CHECK(state.groups[0].ids.back() == 8);
  CHECK(at::equal(state.rows(), u));
  const auto published = SubspaceBasis{.size = 3, .start = BasisStart::first}.bind(u, model, context);
  CHECK(published.groups[0].weights.value[0][0].item<float>() == 1);
  CHECK(at::equal(published.rows()[0], table[published.groups[0].ids[0]]));
  CHECK_FALSE(at::equal(published.rows(), u));
}

TEST_CASE("batex_as_published selects the first M rows in order, whatever they are") {
  auto model = persona::testing::tiny_model();
  auto table = model.text_encoder().embedding_table();
  table[0].copy_(table[8] * 9);  // the start token
  for (const std::int64_t id : {10, 11, 12, 13}) table[id].copy_(table[8] * (5 + 0.1 * static_cast<double>(id)));
  const auto u = table[8].clone().unsqueeze(0);
  const auto published = std::get<SubspaceBasis>(persona::batex_as_published("cat").components).bind(u, model, context);
  const auto& group = published.groups.front();
  CHECK(group.ids == std::vector<std::int64_t>{0, 13, 12, 11});  // 0.75 of 6, all of one direction, without u
  CHECK(at::equal(group.weights.value, at::tensor({1.0f, 0.0f, 0.0f, 0.0f}).unsqueeze(0)));
  const auto paper = std::get<SubspaceBasis>(persona::batex("cat").components).bind(u, model, context);
  CHECK(std::ranges::count(paper.groups.front().ids, 8) == 1);
  CHECK(std::ranges::count(paper.groups.front().ids, 0) == 0);
  CHECK(paper.groups.front().ids.size() > 4);  // Algorithm 1
  // random rows begin with u
  const auto random =
      SubspaceBasis{.size = 3, .distance = BasisDistance::random, .rank = 1, .start = BasisStart::first};
  CHECK(at::equal(random.bind(u, model, context).rows(), u));
}

TEST_CASE("special tokens are left out unless asked for") {
  auto model = persona::testing::tiny_model();
  auto table = model.text_encoder().embedding_table();
  const auto u = table[8].clone().unsqueeze(0);
  table[0].copy_(u[0] * 9);
  const auto has_start = [&](const SubspaceBasis& basis) {
    const auto ids = basis.bind(u, model, context).groups[0].ids;
    return std::ranges::count(ids, 0) > 0;
  };
  CHECK_FALSE(has_start({.size = 3}));
  CHECK(has_start({.size = 3, .special_tokens = true}));
}

TEST_CASE("rows are added until the rank is reached (Algorithm 1)") {
  auto model = persona::testing::tiny_model();
  auto table = model.text_encoder().embedding_table();
  const auto u = table[8].clone().unsqueeze(0);
  for (const std::int64_t id : {10, 11, 12}) table[id].copy_(table[8] * (1.0 + 0.1 * static_cast<double>(id)));
  const auto state = SubspaceBasis{.size = 4}.bind(u, model, context);
  CHECK(state.groups[0].ids.size() == 7);  // three of the first seven say nothing new
  persona::RowSpan span(6);
  for (const auto id : state.groups[0].ids) span.add(table[id]);
  CHECK(span.rank() == 4);
  CHECK(SubspaceBasis{.size = 4, .rank = 1}.bind(u, model, context).groups[0].ids.size() == 4);
}

TEST_CASE(
    "a start outside the vocabulary is its projection, also where rows of the basis say the same but for rounding") {
  auto model = persona::testing::tiny_model();
  auto table = model.text_encoder().embedding_table();
  for (const std::int64_t id : {10, 11, 12}) table[id].copy_(table[8] * (1.0 + 0.1 * static_cast<double>(id)));
  const auto start = at::randn({3, 6}, persona::Random(7).on_host(persona::Stream::initialization));
  const auto state = SubspaceBasis{.size = 4, .word = "cat"}.bind(start, model, context);
  const auto& group = state.groups.front();
  REQUIRE(group.ids.size() > 4);
  persona::RowSpan span(6);
  for (const auto id : group.ids) span.add(table[id]);
  CHECK(at::allclose(state.rows(), span.project(start).to(at::kFloat), 1e-4, 1e-5));
  CHECK(group.weights.value.abs().max().item<double>() < 100);
}

TEST_CASE("a basis as large as the row is refused, and so is one that the vocabulary cannot fill") {
  CHECK_THROWS_WITH(bind({.size = 6}, row_of("cat")),
                    Catch::Contains("6 rows span all of a row's 6 dimensions") && Catch::Contains(".full = true"));
  CHECK_NOTHROW(bind({.size = 6, .full = true}, row_of("cat")));
  CHECK_THROWS_WITH(bind({.size = 4000, .full = true}, row_of("cat")), Catch::Contains("rows of the vocabulary"));
  CHECK_THROWS_WITH(bind({.size = 0}, row_of("cat")), Catch::Contains("a basis of 0 rows"));
  CHECK_THROWS_WITH(bind({.word = "zebra"}, row_of("cat")), Catch::Contains("'zebra' is 5 tokens, not one"));
  CHECK(persona::ratio(0.75).rows(768) == 576);
  CHECK(bind({}, row_of("cat")).groups[0].ids.size() == 4);  // 0.75 of 6
}

TEST_CASE("a start that is no row of the vocabulary is projected; rows that differ have bases of their own") {
  const auto free = at::tensor({0.5, -1.0, 2.0, 0.25, 1.0, -0.5}, at::kFloat).unsqueeze(0);
  const auto state = bind({.size = 3}, free);
  const auto table = persona::testing::tiny_model().text_encoder().embedding_table();
  persona::RowSpan span(6);
  for (const auto id : state.groups[0].ids) span.add(table[id]);
  CHECK(at::allclose(state.rows().to(at::kDouble), span.project(free), 1e-5, 1e-6));
  CHECK_FALSE(at::allclose(state.rows(), free, 1e-2, 1e-2));

  const auto two = at::cat({row_of("cat"), row_of("dog")});
  const auto apart = bind({.size = 3}, two);
  REQUIRE(apart.leaves().size() == 2);
  CHECK(apart.leaves()[0].name != apart.leaves()[1].name);
  CHECK(at::equal(apart.rows(), two));
  const auto around = bind({.size = 5, .word = "cat"}, two);
  REQUIRE(around.leaves().size() == 1);
  CHECK(at::equal(around.rows()[0], two[0]));
  CHECK(around.leaves()[0].value.sizes() == at::IntArrayRef({2, 5}));
  const auto twice = bind({.size = 3}, at::cat({row_of("cat"), row_of("cat")}));
  CHECK(twice.leaves().size() == 1);
}

TEST_CASE("random rows follow the run's seed; decay may pull to the start") {
  const auto ids = [&](std::uint64_t seed) {
    return bind({.size = 5, .distance = BasisDistance::random}, row_of("cat"),
                {.subjects = subjects, .random = persona::Random(seed)})
        .groups[0]
        .ids;
  };
  CHECK(ids(1) == ids(1));
  CHECK(ids(1) != ids(2));
  CHECK(std::ranges::count(ids(3), 8) == 1);
  // one basis for all rows of a subject, others for another's
  const std::vector<persona::Subject> both(2);
  const auto of = [&](std::size_t subject) {
    const persona::BindContext where{.subjects = both, .subject = subject, .random = persona::Random(1)};
    return bind({.size = 5, .distance = BasisDistance::random}, at::cat({row_of("cat"), row_of("dog")}), where).groups;
  };
  const auto without_own = [](std::vector<std::int64_t> list) {
    list.pop_back();  // may have made room for the row itself
    return list;
  };
  CHECK(without_own(of(0)[0].ids) == without_own(of(0)[1].ids));
  CHECK(without_own(of(0)[0].ids) != without_own(of(1)[0].ids));
  const auto numbers = at::rand({persona::testing::tiny_model().text_encoder().embedding_table().size(0)},
                                persona::Random(1).on_host(persona::Stream::initialization));
  // the first subject's are those of the seed alone
  CHECK(of(0)[0].ids[0] == numbers.slice(0, 2).argmax().item<std::int64_t>() + 2);
  CHECK_FALSE(bind({.size = 3}, row_of("cat")).leaves()[0].decay_toward.defined());
  const auto leaf = bind({.size = 3, .decay_toward_start = true}, row_of("cat")).leaves()[0];
  CHECK(at::equal(leaf.decay_toward, leaf.value));
}

TEST_CASE("Theorem 2: a step of w is V V^T times the step of a free row") {
  auto generator = persona::Random(5).on_host(persona::Stream::initialization);
  const auto basis = at::randn({4, 6}, generator, at::kDouble), target = at::randn({1, 6}, generator, at::kDouble);
  auto w = at::randn({1, 4}, generator, at::kDouble);
  auto v = w.matmul(basis).detach();
  w.set_requires_grad(true), v.set_requires_grad(true);
  const SubspaceBasis::State state{{{.weights = {.name = "w", .value = w}, .basis = basis}}};
  const auto loss = [&](const Tensor& rows) { return ((rows - target).square() * rows.exp()).sum(); };
  loss(state.rows()).backward();
  loss(v).backward();
  const at::NoGradGuard no_grad;
  const double rate = 0.05;
  const auto stepped = (w - rate * w.grad()).matmul(basis) - w.matmul(basis);
  const auto expected = (-rate * v.grad()).matmul(basis.t()).matmul(basis);
  CHECK((stepped - expected).abs().max().item<double>() < 1e-10);
}

TEST_CASE("gradients of the weights by finite differences") {
  auto generator = persona::Random(6).on_host(persona::Stream::initialization);
  const auto options = at::TensorOptions().dtype(at::kDouble);
  std::vector<SubspaceBasis::Group> groups;
  for (const std::int64_t m : {3, 5}) {
    auto w = at::randn({1, m}, generator, options);
    w.set_requires_grad(true);
    groups.push_back({.weights = {.name = "w", .value = w}, .basis = at::randn({m, 6}, generator, options)});
  }
  const SubspaceBasis::State state{groups};
  persona::test::check_gradients(state.leaves(),
                                 [&] { return (state.rows().tanh() * at::arange(12, options).view({2, 6})).sum(); });
}

TEST_CASE("an automatic size: the rows that the first gradients are made of, the initial row first") {
  const auto gradients = at::zeros({2, 1, 6});
  gradients[0] = row_of("beach") - 0.5 * row_of("painting");
  gradients[1] = row_of("beach") + 0.5 * row_of("painting");
  auto where = context;
  std::int64_t asked = 0;
  where.row_gradients = [&](const persona::Subject&, const Tensor&, std::int64_t batches) {
    asked = batches;
    return gradients;
  };
  const SubspaceBasis basis{.size = persona::automatic};
  const auto state = bind(basis, row_of("cat"), where);
  CHECK(asked == 16);
  const auto& group = state.groups.front();
  REQUIRE(group.ids.size() >= 2);
  CHECK(at::equal(group.basis[0], row_of("cat")[0]));
  // their mean but for a tenth
  persona::RowSpan span(6);
  for (const auto id : group.ids) span.add(persona::testing::tiny_model().text_encoder().embedding_table()[id]);
  const auto mean = row_of("beach").to(at::kDouble);
  CHECK(norm(span.project(mean)) * norm(span.project(mean)) >= 0.9 * norm(mean) * norm(mean));
  CHECK(at::equal(state.rows(), row_of("cat")));
  const auto more = bind({.size = persona::captures(0.999999)}, row_of("cat"), where);
  CHECK(more.groups.front().ids.size() >= group.ids.size());
  CHECK(more.groups.front().ids.size() <= 5);  // still a subspace
  // a start that is no row of the vocabulary has to lie in the span as well
  const auto between = 0.5 * (row_of("cat") + row_of("dog"));
  const auto projected = bind({.size = persona::captures(0.99)}, between, where);
  CHECK(at::allclose(projected.rows(), between, 0.2, 0.05));
  CHECK_THROWS_WITH(bind({.size = persona::captures(1.0)}, row_of("cat"), where), Catch::Contains("captures(0.9)"));
  CHECK_THROWS_WITH(bind({.size = persona::automatic, .batches = 0}, row_of("cat"), where),
                    Catch::Contains(".batches of at least 1"));
  CHECK_THROWS_WITH(bind(basis, row_of("cat")), Catch::Contains("begin the run with personalize()"));
  // the word's row does not stand for a start that is another's
  const auto elsewhere = bind({.size = persona::captures(0.99), .word = "cat"}, between, where);
  CHECK(at::allclose(elsewhere.rows(), between, 0.2, 0.05));
}

TEST_CASE("a basis's size as text is exact: what behaves otherwise reads otherwise") {
  CHECK(persona::BasisSize(576).text() == "576");
  CHECK(persona::BasisSize(1000000).text() == "1000000");
  CHECK(persona::ratio(0.75).text() == "ratio(0.75)");
  CHECK(persona::captures(0.9999996).text() == "captures(0.9999996)");
  CHECK(persona::captures(0.9999996).text() != persona::captures(0.9999999).text());
}
