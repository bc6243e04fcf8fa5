// RowsInit: a run that begins where another ended.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/init/rows.hpp>
#include <persona/init/token.hpp>
#include <persona/learned/formats.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/testing.hpp>

namespace {
using persona::operator+;
using persona::RowsInit;
}  // namespace

TEST_CASE("a second run begins at the rows of the first, in memory and by file") {
  const auto model = persona::testing::tiny_model();
  const auto subjects = persona::testing::tiny_subjects(1, 2);
  const auto first = persona::fit(model, subjects.front(), persona::recipe(persona::TokenInit{}), {.steps = 4});
  const auto& rows = first.of("<one>").rows;

  auto second = persona::personalize(model, subjects.front(), persona::recipe(RowsInit{rows}), {.steps = 4});
  CHECK(at::equal(second.learned().of("<one>").rows, rows));
  second.drain();
  CHECK_FALSE(at::equal(second.learned().of("<one>").rows, rows));
  CHECK(at::equal(first.of("<one>").rows, rows));

  const persona::test::Folder folder;
  first.save(folder / "one.safetensors");
  const auto read = persona::Learned::load(folder / "one.safetensors");
  auto third =
      persona::personalize(model, subjects.front(), persona::recipe(RowsInit{read.of("<one>").rows}), {.steps = 1});
  CHECK(at::equal(third.learned().of("<one>").rows, rows));
}

TEST_CASE("rows in a basis of their word go on where they were") {
  const auto model = persona::testing::tiny_model();
  const auto subject = persona::testing::tiny_subjects().front();
  const persona::SubspaceBasis basis{.size = 4, .word = "person"};
  const auto first = persona::fit(model, subject, persona::TokenInit{} + basis, {.steps = 4});
  auto second = persona::personalize(model, subject, RowsInit{first.of("<one>").rows} + basis, {.steps = 1});
  CHECK(at::allclose(second.learned().of("<one>").rows, first.of("<one>").rows, 1e-5, 1e-6));
}

TEST_CASE("rows by layer go on layer by layer, and a mapper as a mapper") {
  const auto model = persona::testing::tiny_model();
  const auto subject = persona::testing::tiny_subjects(1, 2).front();
  const auto layer = [](const persona::Learned& learned, std::int64_t of) {
    return learned.of("<one>").layered({.t = at::tensor({4}, at::kLong), .layer = of, .num_layers = 2}).rows;
  };
  const auto first = persona::fit(model, subject, persona::TokenInit{} + persona::LayeredRows{}, {.steps = 4});
  CHECK_THROWS_WITH(RowsInit::from(first.of("<one>")),
                    Catch::Contains("the rows of '<one>' differ by layer") && Catch::Contains("LayeredRows::from"));
  const persona::test::Folder folder;
  first.save(folder / "one.safetensors");
  for (const auto& learned : {first, persona::Learned::load(folder / "one.safetensors")}) {
    const auto sum = persona::TokenInit{} + persona::LayeredRows::from(learned.of("<one>"));
    auto second = persona::personalize(model, subject, sum, {.steps = 1});
    for (const std::int64_t i : {0, 1}) CHECK(at::equal(layer(second.learned(), i), layer(first, i)));
    second.drain();
    CHECK_FALSE(at::equal(layer(second.learned(), 1), layer(first, 1)));
  }
  CHECK(to_string(persona::LayeredRows::from(first.of("<one>")).describe()) !=
        to_string(persona::LayeredRows{}.describe()));
  const auto one_row = persona::testing::tiny_subjects().front();
  CHECK_THROWS_WITH(
      persona::personalize(model, one_row, persona::TokenInit{} + persona::LayeredRows::from(first.of("<one>"))),
      Catch::Contains("LayeredRows::from") && Catch::Contains("as many layers"));

  const auto plain = persona::fit(model, subject, persona::recipe(persona::TokenInit{}), {.steps = 1});
  CHECK(at::equal(RowsInit::from(plain.of("<one>")).given, plain.of("<one>").rows));
  CHECK_THROWS_WITH(persona::LayeredRows::from(plain.of("<one>")), Catch::Contains("RowsInit::from"));
  const auto mapper = persona::fit(
      model, subject, persona::TokenInit{} + persona::NeTIMapper{.hidden = 8, .frequencies = 16}, {.steps = 1});
  CHECK_THROWS_WITH(RowsInit::from(mapper.of("<one>")), Catch::Contains("NeTIMapper{}.from"));
  CHECK_THROWS_WITH(persona::LayeredRows::from(mapper.of("<one>")), Catch::Contains("NeTIMapper{}.from"));

  // A mapper goes on as what it is, of a run and of a file, whatever sizes the new one would have.
  mapper.save(folder / "mapper.safetensors");
  const persona::RowQuery query{.t = at::tensor({40}, at::kLong), .layer = 1, .num_layers = 2};
  const auto rows = mapper.of("<one>").layered(query).rows;
  for (const auto& learned : {mapper, persona::Learned::load(folder / "mapper.safetensors")}) {
    const auto sum = persona::TokenInit{} + persona::NeTIMapper{.nested_dropout = 0}.from(learned.of("<one>"));
    auto second = persona::personalize(model, subject, sum, {.steps = 2});
    CHECK(at::equal(second.learned().of("<one>").layered(query).rows, rows));
    second.drain();
    CHECK_FALSE(at::equal(second.learned().of("<one>").layered(query).rows, rows));
    CHECK(at::equal(mapper.of("<one>").layered(query).rows, rows));
  }
  CHECK_THROWS_WITH(persona::NeTIMapper{}.from(plain.of("<one>")), Catch::Contains("are no mapper's"));
  // What may be cut is of the given mapper's 8 hidden entries, not of a new one's 128.
  const auto cut = [&](std::int64_t truncate) {
    return persona::personalize(
        model, subject, persona::TokenInit{} + persona::NeTIMapper{.truncate = truncate}.from(mapper.of("<one>")));
  };
  CHECK_NOTHROW(cut(8));
  CHECK_THROWS_WITH(cut(9), Catch::Contains(".truncate is 9 of 8"));
  CHECK_THROWS_WITH(
      persona::personalize(model, one_row, persona::TokenInit{} + persona::NeTIMapper{}.from(mapper.of("<one>"))),
      Catch::Contains("with as many vectors"));
}

TEST_CASE("several subjects go on each from its own rows, of every kind") {
  const auto model = persona::testing::tiny_model();
  auto subjects = persona::testing::tiny_subjects(2);
  const std::span<const persona::Subject> both(subjects);
  const auto at_layer = [](const persona::LearnedRows& row) {
    return row.layered ? row.layered({.t = at::tensor({4}, at::kLong), .layer = 1, .num_layers = 2}).rows : row.rows;
  };
  const auto told = [](const auto& sum) {
    return std::apply([](const auto&... part) { return (to_string(part.describe()) + ...); }, sum.components);
  };
  const auto check = [&](const auto& sum, const auto& going_on) {
    const auto first = persona::fit(model, both, sum, {.steps = 3});
    auto next = persona::personalize(model, both, going_on(first), {.steps = 3});
    for (const char* token : {"<one>", "<two>"})
      CHECK(at::equal(at_layer(next.learned().of(token)), at_layer(first.of(token))));
    CHECK_FALSE(at::equal(at_layer(first.of("<one>")), at_layer(first.of("<two>"))));
    auto stranger = subjects;
    stranger[1].token = "<three>";
    CHECK_THROWS_WITH(
        persona::personalize(model, std::span<const persona::Subject>(stranger), going_on(first)),
        Catch::Contains("no rows of '<three>' to go on from") && Catch::Contains("learned: <one>, <two>"));
    CHECK(told(going_on(first)) != told(going_on(next.drain().learned())));
  };
  using persona::recipe, persona::TokenInit, persona::LayeredRows, persona::NeTIMapper;
  check(recipe(TokenInit{}), [](const persona::Learned& l) { return recipe(RowsInit::from(l)); });
  check(TokenInit{} + LayeredRows{}, [](const persona::Learned& l) { return TokenInit{} + LayeredRows::from(l); });
  check(TokenInit{} + NeTIMapper{.hidden = 8, .frequencies = 16},
        [](const persona::Learned& l) { return TokenInit{} + NeTIMapper{}.from(l); });
}

TEST_CASE("rows that are not there, or do not fit, are errors") {
  const auto model = persona::testing::tiny_model();
  const auto subject = persona::testing::tiny_subjects().front();
  const auto begin = [&](const persona::Tensor& rows) {
    return persona::personalize(model, subject, persona::recipe(RowsInit{rows}), {.steps = 1});
  };
  CHECK_THROWS_WITH(begin({}), Catch::Contains("RowsInit: no rows to start from"));
  CHECK_THROWS_WITH(begin(at::ones({1, 7})), Catch::Contains("RowsInit for <one>") && Catch::Contains("D = 6"));
  CHECK_THROWS_WITH(begin(at::ones({2, 6})), Catch::Contains("vectors = 1"));
}

TEST_CASE("what was learned without rows is no start") {
  const persona::Learned weights_alone;
  CHECK_THROWS_WITH(RowsInit::from(weights_alone), Catch::Contains("no rows to go on from"));
  CHECK_THROWS_WITH(persona::LayeredRows::from(weights_alone), Catch::Contains("no rows to go on from"));
  CHECK_THROWS_WITH(persona::NeTIMapper{}.from(weights_alone), Catch::Contains("no rows to go on from"));
}
