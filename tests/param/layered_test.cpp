// LayeredRows and NeTIMapper: what they give for each layer and timestep, where they start, nested dropout, and
// gradients by finite differences.

#include "support/catch.hpp"
#include "support/gradients.hpp"

#include <persona/param/layered_rows.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/row_parameterization.hpp>
#include <persona/testing/tiny_model.hpp>

#include <cmath>
#include <vector>

namespace {

using persona::LayeredRows;
using persona::Leaf;
using persona::NeTIMapper;
using persona::NeTINorm;
using persona::RowQuery;
using persona::Tensor;
using persona::test::check_gradients;
using persona::test::in_double;

const std::vector<persona::Subject> subjects{{.token = "<one>", .class_word = "cat", .vectors = 2}};
const persona::BindContext context{.subjects = subjects};
const NeTIMapper small{.hidden = 8, .frequencies = 16};

Tensor start() { return at::arange(1, 13, at::kFloat).view({2, 6}); }
NeTIMapper::State bind(const NeTIMapper& mapper) {
  return mapper.bind(start(), persona::testing::tiny_model(), context);
}
RowQuery query(std::vector<std::int64_t> t, std::int64_t layer, bool training = false) {
  return {.t = at::tensor(t, at::kLong),
          .layer = layer,
          .num_layers = 2,
          .training = training,
          .generator = persona::Random(9).on_host(persona::Stream::noise)};
}
Tensor lengths(const Tensor& rows) { return at::linalg_vector_norm(rows, 2, {-1}); }

}  // namespace

TEST_CASE("every layer starts as the initial rows and moves alone") {
  auto state = LayeredRows{}.bind(start(), persona::testing::tiny_model(), context);
  REQUIRE(state.leaf.value.sizes() == at::IntArrayRef({2, 2, 6}));
  for (const std::int64_t layer : {0, 1}) CHECK(at::equal(state.rows(query({3}, layer)).rows, start()));
  const auto kept = state.snapshot();
  {
    const at::NoGradGuard no_grad;
    state.leaf.value[1] += 1;
  }
  CHECK(at::equal(state.rows(query({3}, 0)).rows, start()));
  CHECK(at::equal(state.rows(query({3}, 1)).rows, start() + 1));
  CHECK(at::equal(kept.rows(query({3}, 1)).rows, start()));
  state.leaf = in_double(state.leaf);
  check_gradients(state.leaves(), [&] {
    return state.rows(query({3}, 0)).rows.cos().sum() + state.rows(query({3}, 1)).rows.sin().sum();
  });
}

TEST_CASE("the mapper's rows have the initial rows' lengths and differ by timestep and layer") {
  const auto state = bind(small);
  const auto rows = state.rows(query({3, 60}, 0));
  REQUIRE(rows.rows.sizes() == at::IntArrayRef({2, 2, 6}));
  REQUIRE(rows.bypass.sizes() == at::IntArrayRef({2, 2, 6}));
  CHECK(rows.bypass_scale == 0.2);
  CHECK(at::allclose(lengths(rows.rows), lengths(start()).unsqueeze(0).expand({2, 2}), 1e-5, 1e-5));
  CHECK_FALSE(at::allclose(rows.rows[0], rows.rows[1], 1e-3, 1e-3));
  CHECK_FALSE(at::allclose(rows.rows, state.rows(query({3, 60}, 1)).rows, 1e-3, 1e-3));
  CHECK(at::equal(rows.rows, state.rows(query({3, 60}, 0)).rows));

  auto both = small;
  both.norm = NeTINorm::both;
  const auto halves = bind(both).rows(query({3}, 0));
  CHECK(at::allclose(lengths(at::cat({halves.rows, halves.bypass}, -1))[0], lengths(start()), 1e-5, 1e-5));
  auto plain = small;
  plain.bypass = false;
  CHECK_FALSE(bind(plain).rows(query({3}, 0)).bypass.defined());
}

TEST_CASE("the first layer starts as the encodings of its anchors, time outside and layers inside") {
  const auto state = bind(small);
  REQUIRE(state.parts[NeTIMapper::State::in_weight].value.sizes() ==
          at::IntArrayRef({20, 32}));  // ten timesteps of 100, two layers
  const auto at_anchor = NeTIMapper::State::encode(at::tensor({30.0f, 1.0f}).unsqueeze(0), state.waves);
  CHECK(at::allclose(state.parts[NeTIMapper::State::in_weight].value[3 * 2 + 1], at_anchor[0]));
  CHECK(lengths(at_anchor).item<float>() == Approx(1));
  CHECK(state.leaves().size() == 12);
}

TEST_CASE("nested dropout cuts from an index on, in training alone; sampling may truncate") {
  auto mapper = small;
  mapper.nested_dropout = 1;
  const auto cut = bind(mapper), whole = bind(small);
  CHECK(at::equal(cut.rows(query({3}, 0)).rows, whole.rows(query({3}, 0)).rows));
  bool differs = false;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    auto asked = query({3, 3, 3, 3}, 0, true);
    asked.generator = persona::Random(seed).on_host(persona::Stream::noise);
    const auto rows = cut.rows(asked).rows;
    differs = differs || !at::allclose(rows[0], rows[1], 1e-4, 1e-4);  // one timestep, cut at different places
  }
  CHECK(differs);
  mapper.nested_dropout = 0;
  CHECK(at::equal(bind(mapper).rows(query({3}, 0, true)).rows, whole.rows(query({3}, 0)).rows));
  mapper.truncate = 4;
  CHECK_FALSE(at::allclose(bind(mapper).rows(query({3}, 0)).rows, whole.rows(query({3}, 0)).rows, 1e-3, 1e-3));
  CHECK(at::equal(bind(mapper).rows(query({3}, 0, true)).rows, whole.rows(query({3}, 0)).rows));
}

TEST_CASE("a snapshot does not follow the run") {
  auto state = bind(small);
  const auto kept = state.snapshot();
  const auto before = kept.rows(query({3}, 0)).rows;
  {
    const at::NoGradGuard no_grad;
    for (const Leaf& leaf : state.leaves()) Tensor(leaf.value).add_(0.5);
  }
  CHECK(at::equal(kept.rows(query({3}, 0)).rows, before));
  CHECK_FALSE(at::allclose(state.rows(query({3}, 0)).rows, before, 1e-3, 1e-3));
}

TEST_CASE("what a file would hold gives the same rows back") {
  const auto mapper =
      bind({.bypass_scale = 0.3, .norm = NeTINorm::both, .truncate = 5, .hidden = 8, .frequencies = 16});
  const auto again = NeTIMapper::State::from(mapper.stored());
  const auto a = mapper.rows(query({3, 60}, 1)), b = again.rows(query({3, 60}, 1));
  CHECK(at::equal(a.rows, b.rows));
  CHECK(at::equal(a.bypass, b.bypass));
  CHECK(b.bypass_scale == 0.3);
  CHECK(again.stored().layers == 2);
  const auto rows = LayeredRows{}.bind(start() * 2, persona::testing::tiny_model(), context);
  CHECK(at::equal(LayeredRows::State::from(rows.stored()).rows(query({3}, 1)).rows, start() * 2));
  static_assert(persona::StoredRowState<NeTIMapper::State> && persona::StoredRowState<LayeredRows::State>);
}

TEST_CASE("gradients of the mapper by finite differences") {
  for (const auto norm : {NeTINorm::row, NeTINorm::both}) {
    auto mapper = small;
    mapper.norm = norm;
    auto state = bind(mapper);
    for (Leaf& leaf : state.parts) leaf = in_double(leaf);
    check_gradients(
        state.leaves(),
        [&] {
          const auto set = state.rows(query({3, 60}, 1));
          return (set.rows.tanh() * at::arange(24, set.rows.options()).view({2, 2, 6})).sum() + set.bypass.sin().sum();
        },
        7);
  }
}

TEST_CASE("whether and where it is cut is drawn for each layer of a step") {
  auto mapper = small;
  mapper.nested_dropout = 0.5;
  const auto state = bind(mapper), whole = bind(small);
  int cut_alone = 0, cut_together = 0;
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    auto asked = query({3}, 0, true);
    asked.generator = persona::Random(seed).on_host(persona::Stream::noise);
    bool cut[2];
    for (const std::int64_t layer : {0, 1}) {  // one generator a step, as in row_sets
      asked.layer = layer;
      cut[layer] = !at::equal(state.rows(asked).rows, whole.rows(query({3}, layer)).rows);
    }
    (cut[0] == cut[1] ? cut_together : cut_alone) += 1;
  }
  CHECK(cut_alone > 0);
  CHECK(cut_together > 0);
}

TEST_CASE("each subject's network begins at its own numbers, the first's at those of the seed") {
  const std::vector<persona::Subject> both(2);
  const auto waves = [&](std::size_t subject, std::uint64_t seed) {
    const persona::BindContext where{.subjects = both, .subject = subject, .random = persona::Random(seed)};
    return small.bind(start(), persona::testing::tiny_model(), where).waves;
  };
  CHECK_FALSE(at::equal(waves(0, 3), waves(1, 3)));
  CHECK(at::equal(waves(1, 3), waves(1, 3)));
  auto generator = persona::Random(3).on_host(persona::Stream::initialization);
  CHECK(at::equal(waves(0, 3), at::randn({16, 2}, generator) * at::tensor({0.03, 2.0}, at::kFloat)));
}

TEST_CASE("a mapper without a length or without entries is refused, and so are settings that are none") {
  CHECK_THROWS_WITH(small.bind(at::zeros({1, 6}), persona::testing::tiny_model(), context),
                    Catch::Contains("an initial row is zero"));
  CHECK_THROWS_WITH(bind({.hidden = 0}), Catch::Contains("without entries"));
  const double nan = std::nan("");
  CHECK_THROWS_WITH(bind({.nested_dropout = 1.5}), Catch::Contains(".nested_dropout is a chance, got 1.5"));
  CHECK_THROWS_WITH(bind({.nested_dropout = nan}), Catch::Contains(".nested_dropout is a chance"));
  CHECK_THROWS_WITH(bind({.truncate = -1}), Catch::Contains(".truncate is -1") && Catch::Contains("0 keeps all"));
  CHECK_THROWS_WITH(bind({.bypass_scale = nan}), Catch::Contains(".bypass_scale is nan"));
  CHECK_THROWS_WITH(bind({.sigma_t = nan}), Catch::Contains(".sigma_t is nan"));
  CHECK_THROWS_WITH(bind({.sigma_l = HUGE_VAL}), Catch::Contains(".sigma_l is inf"));
}

TEST_CASE("a file's network with a part that is missing, cut or not finite is refused") {
  const auto whole = bind(small).stored();
  for (const auto& [name, value] : whole.tensors) {
    const auto read_with = [&, &name = name](const Tensor& part) {
      auto stored = whole;
      stored.tensors.erase(name);
      if (part.defined()) stored.tensors[name] = part;
      return NeTIMapper::State::from(stored);
    };
    CAPTURE(name);
    CHECK_THROWS_WITH(read_with({}), Catch::Contains(name + ": is missing"));
    CHECK_THROWS_AS(read_with(value.slice(-1, 1)), persona::Error);
    CHECK_THROWS_AS(read_with(value.unsqueeze(0)), persona::Error);
    CHECK_THROWS_WITH(read_with(at::full_like(value, NAN)), Catch::Contains(name) && Catch::Contains("not finite"));
  }
  auto stored = whole;
  stored.tensors["settings"][4] = 2;
  CHECK_THROWS_WITH(NeTIMapper::State::from(stored), Catch::Contains("norm is number 2"));
}

TEST_CASE("a file's rows of other layers than it says are refused") {
  auto stored = LayeredRows{}.bind(start(), persona::testing::tiny_model(), context).stored();
  stored.layers = 16;
  CHECK_THROWS_WITH(LayeredRows::State::from(stored), Catch::Contains("layers = 16"));
}
