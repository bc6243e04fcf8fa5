#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/preset.hpp"
#include "support/table_edits.hpp"
#include "support/table_pairs.hpp"
#include "support/table_plan.hpp"
#include "support/table_runs.hpp"

using namespace tables;
using persona::test::Folder;

TEST_CASE("results are kept by setting and subject, meaned over subjects, and never mixed with another model's",
          "[toyland]") {
  const Folder folder;
  const Setting setting{"ci", 5e-3, 320};
  {
    Cells cells(folder.path(), {{"model", "a"}});
    cells.add(setting, "person_01", {{"identity", 0.5}});
    cells.add(setting, "person_02", {{"identity", 0.7}, {"place", 1.0}});
  }
  const Cells again(folder.path(), {{"model", "a"}});
  CHECK(again.has(setting, "person_02"));
  CHECK_FALSE(again.has(setting, "person_03"));
  CHECK_FALSE(again.has({"ci", 5e-3, 25}, "person_01"));
  const auto mean = again.mean(setting, {"person_01", "person_02", "person_03"}, "identity");
  CHECK(mean.count == 2);
  CHECK(std::abs(mean.mean - 0.6) < 1e-12);
  CHECK(std::abs(mean.error - 0.1) < 1e-12);
  CHECK(mean.text(1) == "0.6 ± 0.1");
  CHECK(again.mean(setting, {"person_01", "person_02"}, "place").count == 1);
  CHECK(again.mean(setting, {}, "place").text().empty());
  const Cells other(folder.path(), {{"model", "b"}});
  CHECK_THROWS_WITH(other.has(setting, "person_01"), Catch::Contains("another model"));
}

TEST_CASE("only what is missing is run, one run for all the snapshots of a learning rate", "[toyland]") {
  const Folder folder;
  Cells cells(folder.path(), {});
  const std::vector<Specimen> people{{.id = "person_01"}, {.id = "person_02"}};
  const std::vector<Setting> settings{{"ti", 5e-3, 25}, {"ti", 5e-3, 320}, {"ci", 5e-3, 25}};
  cells.add({"ti", 5e-3, 320}, "person_01", {});
  cells.add({"ci", 5e-3, 25}, "person_02", {});
  const auto jobs = missing(cells, settings, people);
  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0].method == "ci");
  CHECK(jobs[0].specimen->id == "person_01");
  CHECK(jobs[1].snapshots == std::vector<std::int64_t>{25});
  CHECK(jobs[2].snapshots == std::vector<std::int64_t>{25, 320});
  CHECK(jobs[2].specimen->id == "person_02");
}

TEST_CASE("settings are chosen on subjects that no table is judged by; one that broke off is not chosen", "[toyland]") {
  const auto studies = Studies::read({});
  for (const Study* study : {&studies.people, &studies.things, &studies.rows, &studies.rivals, &studies.weights}) {
    CHECK(study->validation.size() == 5);
    CHECK(study->test.size() == (study == &studies.people ? 20 : study == &studies.things ? 15 : 10));
    for (const auto& one : study->validation)
      CHECK(std::ranges::none_of(study->test, [&](const Specimen& other) { return other.id == one.id; }));
  }
  const Folder folder;
  Cells cells(folder.path(), {});
  const Study study{.methods = {"ti"},
                    .validation = {{.id = "a"}, {.id = "b"}},
                    .worth = {"x", "y"},
                    .grid = {.rates = {1e-3, 2e-3}, .steps = {5}}};
  for (const char* id : {"a", "b"}) cells.add({"ti", 1e-3, 5}, id, {{"x", 0.1}, {"y", 0.2}});
  cells.add({"ti", 2e-3, 5}, "a", {{"x", 0.9}, {"y", 0.9}});
  cells.add({"ti", 2e-3, 5}, "b", {{"failed", "not finite"}});
  REQUIRE(study.chosen(cells).size() == 1);
  CHECK(study.chosen(cells).front().lr == 1e-3);
  CHECK(cells.count({"ti", 2e-3, 5}, {"a", "b"}) == 2);
  CHECK(cells.mean({"ti", 2e-3, 5}, {"a", "b"}, "x").count == 1);
  cells.add({"ti", 2e-3, 5}, "b", {{"x", 0.9}, {"y", 0.9}});
  CHECK(study.chosen(cells).front().lr == 2e-3);
}

TEST_CASE("the examples' presets are what the committed results choose on the validation split", "[toyland]") {
  const std::string toyland = PERSONA_SOURCE "/examples/toyland";
  const persona::LoadOptions load{.dtype = "bf16"};
  const auto sd = persona::StableDiffusion::load(toyland + "/model", load);
  const auto model = fingerprint(sd, persona::read_lines(toyland + "/names.txt"));
  // Of another device or drawing, or of weights that are no longer these, the results would be refused.
  const Cells cells(PERSONA_SOURCE "/docs/tables/cells", common(model, load, {}, {}));
  const auto people = Studies::read({}).people;
  const auto best = people.chosen(cells);
  const auto ti = examples::textual_inversion_preset, ci = examples::cross_initialization_preset;
  REQUIRE(best.size() == 2);
  CHECK(best[0] == Setting{"ti", ti.lr, ti.steps});
  CHECK(best[1] == Setting{"ci", ci.lr, ci.steps});
}

TEST_CASE("a run that breaks off is noted in place of its scores, and the work goes on", "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const Metrics metrics(sd);
  const std::vector<std::string> none;  // Cross Initialization of a person has no names to average
  const Folder folder;
  Cells cells(folder / "cells", {});
  const auto people = read_specimens("people");
  const Workshop workshop{
      sd, metrics, none, cells, folder / "pictures", {.people_batch = 2}, {.images = 1, .steps = 2}};
  const std::vector<Specimen> one{people[0]};
  work_off(workshop, missing(cells, {{"ci", 5e-3, 1}, {"ti", 5e-3, 1}}, one), 1, "");
  CHECK(cells.read({"ci", 5e-3, 1})["person_00"].contains("failed"));
  CHECK(cells.read({"ti", 5e-3, 1})["person_00"].contains("alone"));
}

TEST_CASE("a snapshot of a run is what a shorter run ends with, bit for bit", "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const auto people = read_specimens("people");
  REQUIRE(people.size() == 25);
  const std::vector<std::string> names{"fulie zamwood", "paima noumwood"};
  const Metrics metrics(sd);
  const auto begin = [&](const char* method, std::int64_t steps) {
    return start(method, {sd, people[0], names, metrics, 5e-3, {.steps = steps, .batch = 2, .seed = 1}});
  };
  for (const char* method : {"ti", "ci"}) {
    const auto longer = begin(method, 6);
    at::Tensor snapshot;
    for (const auto& step : longer)
      if (step.index == 3) snapshot = longer.learned().rows.front().rows.clone();
    const auto shorter = begin(method, 3);
    shorter.drain();
    CHECK(at::equal(snapshot, shorter.learned().rows.front().rows));
    CHECK_FALSE(at::equal(snapshot, longer.learned().rows.front().rows));
  }
  CHECK_THROWS_WITH(begin("none", 1), Catch::Contains("no method 'none'"));
}

TEST_CASE("two things side by side are told from the same two in the other order, and halves from each other",
          "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const Metrics metrics(sd);
  const auto things = read_specimens("things");
  const auto pairs = pairs_of(things);
  REQUIRE(pairs.size() == 10);
  CHECK(pairs[1].id() == "thing_02+thing_03");
  CHECK(pairs[0].called(false) == "sks cat");
  CHECK(pairs[0].called(true) == "ktn dog");
  for (const Pair& pair : pairs) {
    INFO(pair.id());
    const auto photo = [](const Specimen* one) { return persona::to_tensor(one->photo).unsqueeze(0); };
    const auto images = at::cat({photo(pair.first).narrow(3, 16, 32), photo(pair.second).narrow(3, 16, 32)}, 3);
    const auto right = side_by_side(metrics, images, *pair.first, *pair.second),
               wrong = side_by_side(metrics, images, *pair.second, *pair.first);
    CHECK(right.asked.item<double>() == Approx(1).epsilon(1e-4));
    CHECK(right.own.item<double>() == Approx(1).epsilon(1e-4));
    CHECK(right.mirrored.item<double>() < 0.99);
    CHECK(right.other.item<double>() < 0.99);
    CHECK(wrong.asked.item<double>() == Approx(right.mirrored.item<double>()));
  }
}

TEST_CASE("pairs and edits are learned, drawn and scored", "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const Metrics metrics(sd);
  const std::vector<std::string> names;
  const Folder folder;
  Cells cells(folder / "cells", {});
  auto things = read_specimens("things");
  things.resize(2);
  const Workshop workshop{
      sd, metrics, names, cells, folder / "pictures", {.things_batch = 1}, {.images = 1, .steps = 2}};
  const auto pairs = pairs_of(things);
  std::vector<Setting> settings;
  for (const auto& [method, begin] : pair_methods()) settings.push_back({method, 1e-3, 1});
  REQUIRE(settings.size() == 3);
  compute_pairs(workshop, settings, pairs, 1);
  for (const Setting& setting : settings)
    for (const char* key : {"sides", "own", "other", "apart", "both"})
      CHECK(cells.read(setting)["thing_00+thing_01"].contains(key));
  settings = {{"edit_untrained", 0, 0}};
  for (const auto& [method, begin] : edit_methods()) settings.push_back({method, 1e-3, 1});
  REQUIRE(settings.size() == 4);
  things.resize(1);
  compute_edits(workshop, settings, things, 1);
  for (const Setting& setting : settings)
    for (const char* key : {"kept", "obeyed", "distance", "returned"})
      CHECK(cells.read(setting)["thing_00"].contains(key));
  CHECK(std::filesystem::exists(folder / "pictures" / "edit_lora_lr0.001_steps1_thing_00.png"));
}

TEST_CASE("every method of the tables learns a person and a thing, and is scored", "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const Metrics metrics(sd);
  const auto names = persona::read_lines(PERSONA_SOURCE "/examples/toyland/names.txt");
  const Folder folder;
  Cells cells(folder / "cells", {});
  const auto people = read_specimens("people"), things = read_specimens("things");
  REQUIRE(things.size() == 20);
  const Workshop workshop{sd,
                          metrics,
                          names,
                          cells,
                          folder / "pictures",
                          {.people_batch = 2, .things_batch = 2},
                          {.images = 1, .steps = 2}};
  const std::vector<Specimen> one{things[0]};
  std::vector<Setting> settings{{"ti", 5e-3, 1}, {"ci", 5e-3, 1}, {"ci", 5e-3, 2}};
  work_off(workshop, missing(cells, settings, one), 2, "");
  CHECK(missing(cells, settings, one).empty());
  const auto result = cells.read({"ci", 5e-3, 2})["thing_00"];
  for (const char* key : {"text", "image", "traits", "leak", "place", "obeyed", "count", "cpu_seconds", "norm"})
    CHECK(result.contains(key));
  CHECK_FALSE(result.contains("identity"));
  CHECK(std::filesystem::exists(folder / "pictures" / "ci_lr0.005_steps2_thing_00.png"));
  for (const auto& [method, begin] : methods()) {
    const bool of_people = method.find("celeb") != method.npos || method.find("without") != method.npos;
    const Specimen& who = of_people ? people[0] : things[0];
    INFO(method);
    const Task task{sd, who, names, metrics, 5e-3, {.steps = 1, .batch = 2}};
    const auto run = begin(task);
    run.drain();
    CHECK(run.learned().rows.front().vectors() == (of_people ? 2 : 1));
  }
  for (const auto& [method, begin] : weight_methods()) {
    INFO(method);
    const auto run = begin({sd, things[0], names, metrics, 1e-3, {.steps = 1, .batch = 1, .cache = folder / "cache"}});
    run.drain();
    CHECK(!run.learned().weights.empty());
    CHECK(called(method, things[0]) == (method == "custom_diffusion" ? "<one> cat" : "sks cat"));
  }
  CHECK(weight_methods().size() == 6 + 11);
  CHECK(called("ti", things[0]) == "<one>");
  work_off(workshop, missing(cells, {{"svdiff_mid_ca", 1e-3, 1}}, one), 1, "");
  const auto shifted = cells.read({"svdiff_mid_ca", 1e-3, 1})["thing_00"];
  CHECK(shifted["trained"] == 4 * 128);
  CHECK(shifted.contains("traits"));
  CHECK(Task{sd, things[0], names, metrics}.other_word() == "dog");
}
