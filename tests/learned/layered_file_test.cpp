// Rows that differ by layer and timestep: saved and loaded, collapsed where a form has one set, kohya's XTI form.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/init/token.hpp>
#include <persona/learned/formats.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/testing.hpp>

#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace {

using persona::Format;
using persona::Learned;
using persona::Tensor;
using persona::operator+;

Tensor rows_of(const Learned& learned, std::int64_t layer, std::int64_t t = 40) {
  return learned.rows.at(0).layered({.t = at::tensor({t}, at::kLong), .layer = layer, .num_layers = 2}).rows;
}
template <class P>
Learned learn(const P& parameterization) {
  return persona::fit(persona::testing::tiny_model(), persona::testing::tiny_subjects(1, 2)[0],
                      persona::TokenInit{} + parameterization, {.steps = 3, .batch = 2, .seed = 1});
}

/// Layered rows of a user's, in a form of their own.
struct Drift {
  struct State {
    persona::Leaf start{};
    std::vector<persona::Leaf> leaves() const { return {start}; }
    persona::RowSet rows(const persona::RowQuery& query) const { return start.value + query.layer; }
    State snapshot() const { return {persona::frozen(start)}; }
    static constexpr const char* form = "drift";
    persona::StoredRows stored() const { return {form, 2, {{"start", start.value.detach()}}}; }
    static State from(const persona::StoredRows& stored) {
      return {{.name = "start", .value = stored.tensors.at("start")}};
    }
  };
  using plays = persona::Plays<persona::Role::row_parameterization>;
  template <class Model>
  State bind(const Tensor& rows, const Model&, const persona::BindContext&) const {
    return {persona::make_leaf("start", rows)};
  }
  persona::Description describe() const { return {"Drift", {}}; }
};

/// What is warned of while it lives.
struct Warnings {
  std::vector<std::string> heard{};
  persona::WarningHandler before =
      persona::set_warning_handler([this](const std::string& text) { heard.push_back(text); });
  ~Warnings() { persona::set_warning_handler(before); }
};

}  // namespace

TEST_CASE("layered rows come back from their file, XTI's, NeTI's and a user's own") {
  const persona::test::Folder folder;
  const auto check = [&](const Learned& learned, const auto& load) {
    learned.save(folder / "learned.safetensors");
    const Learned back = load(folder / "learned.safetensors");
    for (const std::int64_t layer : {0, 1}) CHECK(at::equal(rows_of(back, layer), rows_of(learned, layer)));
    CHECK(back.rows[0].stored.layers == 2);
    CHECK(back.rows[0].stored.by_timestep == learned.rows[0].stored.by_timestep);
    CHECK(at::equal(back.rows[0].rows, learned.rows[0].rows));
    back.save(folder / "again.safetensors");
    CHECK(at::equal(rows_of(load(folder / "again.safetensors"), 1), rows_of(learned, 1)));
  };
  const auto plain = [](const auto& file) { return Learned::load(file); };
  check(learn(persona::LayeredRows{}), plain);
  check(learn(persona::NeTIMapper{.hidden = 8, .frequencies = 16}), plain);
  CHECK_FALSE(learn(persona::LayeredRows{}).rows[0].stored.by_timestep);
  const auto own = learn(Drift{});
  check(own, [](const auto& file) { return Learned::load<Drift::State>(file); });
  own.save(folder / "own.safetensors");
  CHECK_THROWS_WITH(Learned::load(folder / "own.safetensors"),
                    Catch::Contains("form 'drift'") && Catch::Contains("Learned::load<MyRows::State>"));
}

TEST_CASE("a token whose layers were meaned is a plain one, also in a file") {
  const persona::test::Folder folder;
  learn(persona::LayeredRows{}).save(folder / "learned.safetensors");
  auto flat = Learned::load(folder / "learned.safetensors");
  const auto mean = persona::collapsed(flat.rows[0]);
  flat.rows[0] = {.token = flat.rows[0].token, .rows = mean};
  flat.save(folder / "flat.safetensors");
  const auto back = Learned::load(folder / "flat.safetensors");
  CHECK_FALSE(bool(back.rows[0].layered));
  CHECK(at::equal(back.rows[0].rows, mean));
}

TEST_CASE("a checkpoint of layered rows has the learned file beside it") {
  const persona::test::Folder folder;
  const auto model = persona::testing::tiny_model();
  const auto subjects = persona::testing::tiny_subjects(1, 1);
  auto run =
      persona::personalize(model, subjects[0], persona::TokenInit{} + persona::LayeredRows{}, {.steps = 2, .batch = 2});
  run.drain().save(folder / "kept");
  CHECK(at::equal(rows_of(Learned::load(folder / "kept" / "learned.safetensors"), 1), rows_of(run.learned(), 1)));
}

TEST_CASE("a form with one set of rows gets the mean, and says so") {
  const persona::test::Folder folder;
  const auto learned = learn(persona::LayeredRows{});
  Warnings warnings;
  const auto files = persona::export_to(learned, folder.path(), Format::diffusers);
  REQUIRE(warnings.heard.size() == 1);
  CHECK_THAT(warnings.heard[0], Catch::Contains("differ by layer or timestep"));
  const auto mean = (rows_of(learned, 0) + rows_of(learned, 1)) / 2;
  CHECK(at::allclose(persona::import_embedding(files[0]).rows[0].rows, mean));
  const auto neti = persona::collapsed(learn(persona::NeTIMapper{.hidden = 8, .frequencies = 16}).rows[0]);
  CHECK(neti.sizes() == at::IntArrayRef({2, 6}));
  CHECK(at::isfinite(neti).all().item<bool>());
}

TEST_CASE("kohya's XTI form: 16 layers by name, out and in") {
  const persona::test::Folder folder;
  persona::StoredRows stored{"layered_rows", 16, {{"rows", at::arange(16 * 2 * 6, at::kFloat).view({16, 2, 6})}}};
  Learned learned{.rows = {{.token = "<ada>", .rows = at::zeros({2, 6}), .stored = stored}}};
  learned.rows[0].layered = [](const persona::RowQuery&) -> persona::RowSet { return Tensor(at::zeros({2, 6})); };
  const auto files = persona::export_to(learned, folder.path(), Format::kohya_xti);
  REQUIRE(files.size() == 1);
  const auto file = persona::SafeTensors::open(files[0]);
  CHECK(file.names().size() == 16);
  CHECK(at::equal(file.load("MID"), stored.tensors["rows"][6]));
  CHECK(at::equal(file.load("OUT11"), stored.tensors["rows"][15]));
  const auto back = persona::import_embedding(files[0], "<ada>");
  CHECK(back.rows[0].token == "<ada>");
  for (const std::int64_t layer : {0, 5, 15}) CHECK(at::equal(rows_of(back, layer), stored.tensors["rows"][layer]));
  CHECK_FALSE(back.rows[0].stored.by_timestep);
  CHECK_THROWS_WITH(persona::export_to(learn(persona::LayeredRows{}), folder.path(), Format::kohya_xti),
                    Catch::Contains("is not rows for 16 layers"));
}

TEST_CASE("kohya's XTI form: a layer without numbers, of another shape or not finite is refused") {
  const persona::test::Folder folder;
  const auto read_with = [&](const Tensor& fifth) {
    std::map<std::string, Tensor> layers;
    for (const char* name : persona::xti_layer_names) layers.emplace(name, at::ones({2, 6}));
    layers[persona::xti_layer_names[5]] = fifth;
    persona::write_safetensors(folder / "xti.safetensors", layers, {});
    return persona::import_embedding(folder / "xti.safetensors").rows.size();
  };
  const auto named = Catch::Contains("xti.safetensors: " + std::string(persona::xti_layer_names[5]));
  CHECK(read_with(at::ones({2, 6})) == 1);
  CHECK_THROWS_WITH(read_with(at::full({2, 6}, NAN)), named && Catch::Contains("not finite"));
  CHECK_THROWS_WITH(read_with(at::ones({2, 6}, at::kInt)), named && Catch::Contains("Int numbers"));
  CHECK_THROWS_WITH(read_with(at::ones({1, 6})), named && Catch::Contains("vectors = 2"));
  CHECK_THROWS_WITH(read_with(at::ones({6})), named && Catch::Contains("got [6]"));
}

TEST_CASE("a mapper's file that lacks a part is refused by the file's name") {
  const persona::test::Folder folder;
  auto learned = learn(persona::NeTIMapper{.hidden = 8, .frequencies = 16});
  learned.rows[0].stored.tensors.erase("norm_2.bias");
  learned.save(folder / "cut.safetensors");
  CHECK_THROWS_WITH(Learned::load(folder / "cut.safetensors"),
                    Catch::Contains("cut.safetensors: NeTIMapper: norm_2.bias: is missing"));
}
