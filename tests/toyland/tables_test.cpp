#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/preset.hpp"
#include "support/table_report.hpp"
#include "support/table_work.hpp"

#include <persona/io/read_file.hpp>

#include <fstream>

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

TEST_CASE("results of other machines are taken over where there are none, and never another model's", "[toyland]") {
  const Folder folder;
  const Setting setting{"ci", 5e-3, 320}, other{"ti", 8e-2, 25};
  Cells mine(folder / "mine", {{"model", "a"}}), theirs(folder / "theirs", {{"model", "a"}});
  mine.add(setting, "person_01", {{"identity", 0.5}});
  theirs.add(setting, "person_01", {{"identity", 0.6}});
  theirs.add(setting, "person_02", {{"identity", 0.7}, {"device", "cuda"}});
  theirs.add(other, "person_01", {{"failed", "not finite"}});
  CHECK(mine.take(folder / "theirs") == 2);
  CHECK(mine.take(folder / "theirs") == 0);
  CHECK(mine.read(setting)["person_01"]["identity"] == 0.5);
  CHECK(mine.read(setting)["person_02"]["device"] == "cuda");
  CHECK(mine.read(other)["person_01"].contains("failed"));
  CHECK_THROWS_WITH(mine.take(folder / "none"), Catch::Contains("no folder of results"));
  Cells of_another(folder / "another", {{"model", "b"}});
  of_another.add(setting, "person_03", {{"identity", 0.1}});
  CHECK_THROWS_WITH(mine.take(folder / "another"), Catch::Contains("another model"));
  CHECK(mine.count(setting, {"person_01", "person_02", "person_03"}) == 2);
  std::filesystem::create_directories(folder / "cut");
  std::ofstream(folder / "cut" / "cut.json") << "{";
  CHECK_THROWS_WITH(mine.take(folder / "cut"), Catch::Contains("cut.json: is not a file of results"));
}

TEST_CASE("shares of a stage's work are all of it, each piece once, and about as long as one another", "[toyland]") {
  std::vector<Work> work;
  for (const std::int64_t steps : {3, 50, 4, 49, 5, 48, 1})
    work.push_back({.name = std::to_string(steps), .steps = steps});
  std::vector<std::string> names;
  for (std::size_t share = 1; share <= 3; ++share) {
    std::int64_t steps = 0;
    for (const Work& one : Portion{.share = share, .shares = 3}.of(work)) names.push_back(one.name), steps += one.steps;
    CHECK(steps > 49);
    CHECK(steps < 58);
  }
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"1", "3", "4", "48", "49", "5", "50"});
  CHECK(std::ssize(Portion{}.of(work)) == 7);
}

TEST_CASE("differences are paired over the subjects that both settings have", "[toyland]") {
  const Folder folder;
  Cells cells(folder.path(), {});
  const Setting one{"ci", 5e-3, 320}, other{"ti", 5e-3, 320};
  const std::vector<std::string> ids{"a", "b", "c", "d"};
  for (std::size_t i = 0; i < 4; ++i) {
    const double height = static_cast<double>(i);  // far more than what the settings differ by
    if (i < 3) cells.add(one, ids[i], {{"x", height + 0.1 * height + 0.1}});
    cells.add(other, ids[i], {{"x", height}});
  }
  const auto mean = cells.difference(one, other, ids, "x");
  CHECK(mean.count == 3);
  CHECK(mean.mean == Approx(0.2));
  CHECK(mean.error == Approx(0.1 / std::sqrt(3.0)));
  CHECK(cells.difference(other, one, ids, "x").mean == Approx(-0.2));
  CHECK(cells.difference(one, other, ids, "y").count == 0);
  CHECK(cells.above(other, ids, "x", 0.5) == 3);
  CHECK_FALSE(mean.stands_out());  // 3.5 standard errors, of three subjects
  CHECK(Mean{.mean = -0.43, .error = 0.1, .count = 3}.stands_out());
  CHECK(Mean{.mean = 0.21, .error = 0.1, .count = 20}.stands_out());
  CHECK_FALSE(Mean{.mean = 0.208, .error = 0.1, .count = 20}.stands_out());
  CHECK(Mean{.mean = 0.21, .error = 0.1, .count = 200}.stands_out());
  CHECK_FALSE(Mean{.mean = 0.22, .error = 0.1, .count = 10}.stands_out());
  CHECK_FALSE(Mean{.mean = 0, .error = 0, .count = 20}.stands_out());
}

TEST_CASE("a damaged file of results is named, and how to mend it; a second program on one folder is refused",
          "[toyland]") {
  const Folder folder;
  const Cells cells(folder.path(), {});
  const Setting setting{"ti", 5e-3, 320};
  for (const char* text :
       {"", "{\"common\": null, \"subj", "[]", "{\"common\": null}", "{\"common\": null, \"subjects\": {\"a\": 1}}"}) {
    std::ofstream(folder / "ti_lr0.005_steps320.json") << text;
    CHECK_THROWS_WITH(cells.has(setting, "a"), Catch::Contains("ti_lr0.005_steps320.json") &&
                                                   Catch::Contains("not a file of results") &&
                                                   Catch::Contains("delete it"));
  }
  auto held = hold(folder / "cells");
  CHECK_THROWS_WITH(hold(folder / "cells"), Catch::Contains("--cells") && Catch::Contains("another program"));
  held.reset();
  CHECK_NOTHROW(hold(folder / "cells"));
}

TEST_CASE("the page says what its plan still lacks, and shows no number that is none", "[toyland]") {
  const Folder folder;
  Cells cells(folder / "cells", {});
  const auto plan = Plan::quick();
  const auto studies = Studies::read(plan);
  const auto page = [&] {
    report(cells, plan, studies, {}, "model", folder / "pictures").save(folder / "out");
    const auto bytes = persona::read_file(folder / "out" / "tables.md");
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  const auto list = stages(cells, plan, studies);
  const auto before = tally(cells, list);
  CHECK(before.there == 0);
  auto text = page();
  CHECK_THAT(text, Catch::Contains(std::to_string(before.asked) + " of the plan's"));
  CHECK(text.find("best") == text.find("best setting is"));
  // Some results of a grid, one of them a run that diverged, one without all its scores, none with its picture.
  const auto known = studies.people.validation.front().id, judged = studies.people.test.front().id,
             thing = studies.things.validation.front().id;
  cells.add({"ti", 5e-3, 10}, known, {{"alone", 0.5}, {"obeyed", 0.5}});
  cells.add({"ti", 5e-3, 10}, judged, {{"alone", 0.5}, {"obeyed", std::nan("")}});
  cells.add({"ci", 2e-2, 25}, known, {{"failed", "not finite"}});
  cells.add({"ci", 5e-3, 25}, judged, {{"alone", 0.25}, {"curve", nlohmann::json::array()}});
  for (const char* method : {"ti", "ci", "batex_automatic", "batex_0.75"})
    cells.add({method, 2e-2, 25}, thing, {{"traits", 0.5}, {"obeyed", 0.5}});
  for (const Specimen& one : studies.rows.test) cells.add({"batex_automatic", 2e-2, 25}, one.id, {{"text", 0.5}});
  text = page();
  CHECK(tally(cells, stages(cells, plan, studies)).there > 5);
  CHECK_THAT(text, Catch::Contains("results are missing"));
  CHECK_THAT(text, Catch::Contains("sum 1.0000, best so far on validation"));
  CHECK_THAT(text, Catch::Contains("pictures are not shown"));
  CHECK_THAT(text, Catch::Contains("| ci_lr0.005_steps25 | ti_lr0.005_steps10 | -0.250 |"));
  for (const char* none : {" nan", "-nan", "inf "}) CHECK(text.find(none) == text.npos);
  CHECK_THAT(text, Catch::Contains("a {} person with a sad expression") && Catch::Contains("a {} latte art"));
}

TEST_CASE("the page explains every method and every column", "[toyland]") {
  const auto& explained = methods_explained();
  for (const auto& [method, begin] : methods()) CHECK(explained.contains(method));
  for (const auto& [method, begin] : weight_methods()) CHECK(explained.contains(method));
  for (const auto& [method, begin] : pair_methods()) CHECK(explained.contains(method));
  for (const auto& [method, begin] : edit_methods()) CHECK(explained.contains(method));
  for (const auto& [method, begin] : style_methods()) CHECK(explained.contains(method));
  std::string titles;
  for (const auto& [title, meaning] : columns_explained()) titles += ", " + title + ",";
  for (const auto* columns : {&person_columns, &thing_columns, &weight_columns, &style_columns})
    for (const Column& column : *columns) {
      INFO(column.title);
      CHECK((titles.find(", " + column.title + ",") != titles.npos));
    }
}

TEST_CASE("only what is missing is run, one run for all the snapshots of a learning rate", "[toyland]") {
  const Folder folder;
  Cells cells(folder.path(), {});
  const std::vector<Specimen> people{{.id = "person_01"}, {.id = "person_02"}};
  const std::vector<Setting> settings{{"ti", 5e-3, 25}, {"ti", 5e-3, 320}, {"ci", 5e-3, 25}};
  cells.add({"ti", 5e-3, 320}, "person_01", nlohmann::json::object());
  cells.add({"ci", 5e-3, 25}, "person_02", nlohmann::json::object());
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

TEST_CASE("a run that diverges is noted in place of its scores, and the work goes on; another error ends it",
          "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const Metrics metrics(sd);
  const std::vector<std::string> none;  // Cross Initialization of a person has no names to average
  const Folder folder;
  Cells cells(folder / "cells", {});
  const auto people = read_specimens("people"), things = read_specimens("things");
  const Workshop workshop{
      sd, metrics, none, cells, folder / "pictures", {.people_batch = 2, .things_batch = 1}, {.images = 1, .steps = 2}};
  const std::vector<Specimen> person{people[0]}, thing{things[0]};
  const Setting far{"svdiff_without_prior", 1e6, 4}, near{"ti", 5e-3, 1}, impossible{"ci", 5e-3, 1};
  work_through(work_of(workshop, missing(cells, {far, near}, thing)), 1, "");
  CHECK(cells.read(far)["thing_00"].contains("failed"));
  CHECK(cells.read(near)["thing_00"].contains("traits"));
  CHECK_THROWS_AS(work_through(work_of(workshop, missing(cells, {impossible}, person)), 1, ""), persona::Error);
  CHECK(missing(cells, {impossible}, person).size() == 1);
  const auto no_number = at::full({1, 3, 4, 4}, std::nan(""));
  try {
    persona::to_images(no_number);
    FAIL("pictures of nothing");
  } catch (const persona::Error& error) {
    CHECK(diverged(error));
  }
  CHECK_FALSE(diverged(persona::Error("a.png", "cannot be written")));
  CHECK_FALSE(diverged(std::bad_alloc()));
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
  settings.push_back(untrained_pair);
  REQUIRE(settings.size() == 4);
  work_through(pair_work(workshop, settings, pairs), 1, "");
  CHECK(pair_work(workshop, settings, pairs).empty());
  for (const Setting& setting : settings)
    for (const char* key : {"sides", "own", "other", "apart", "both"})
      CHECK(cells.read(setting)["thing_00+thing_01"].contains(key));
  settings = {{"edit_untrained", 0, 0}};
  for (const auto& [method, begin] : edit_methods()) settings.push_back({method, 1e-3, 1});
  REQUIRE(settings.size() == 4);
  things.resize(1);
  work_through(edit_work(workshop, settings, things), 1, "");
  for (const Setting& setting : settings)
    for (const char* key : {"kept", "obeyed", "distance", "returned"})
      CHECK(cells.read(setting)["thing_00"].contains(key));
  CHECK(std::filesystem::exists(folder / "pictures" / "edit_lora_lr0.001_steps1_thing_00.png"));
}

TEST_CASE("held-out styles are learned, drawn and scored; their renders are told apart", "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const Metrics metrics(sd);
  const auto renders = style_renders(metrics);
  const auto styles = style_subjects(5);
  REQUIRE(styles.size() == 5);
  double style_right = 0, content_right = 0, asked = 0;
  for (const std::int64_t r : {0, 1}) {
    const StyleJudge judge({.manner = renders.manner.narrow(1, r, 1), .meaning = renders.meaning.narrow(1, r, 1)});
    for (std::int64_t c = 0; c < std::ssize(toyland::style_contents); ++c)
      for (const auto& one : styles) {
        const auto found = judge.find({.manner = renders.manner[c][1 - r][one.index].unsqueeze(0),
                                       .meaning = renders.meaning[c][1 - r][one.index].unsqueeze(0)},
                                      c, one.index);
        ++asked, style_right += found.style.item<bool>(), content_right += found.content.item<bool>();
      }
  }
  INFO("style " << style_right / asked << ", content " << content_right / asked);
  CHECK(style_right / asked > 0.85);  // by one render alone; the tables have two
  CHECK(content_right / asked > 0.85);
  const Folder folder;
  Cells cells(folder / "cells", {});
  const std::vector<std::string> names;
  const Workshop workshop{
      sd, metrics, names, cells, folder / "pictures", {.things_batch = 1}, {.images = 1, .steps = 2}};
  std::vector<Setting> settings{untrained_style};
  for (const auto& [method, begin] : style_methods()) settings.push_back({method, 1e-3, 1});
  const auto few = style_subjects(1);
  work_through(style_work(workshop, settings, few), 1, "");
  CHECK(style_work(workshop, settings, few).empty());
  for (const Setting& setting : settings)
    for (const Column& column : style_columns) CHECK(cells.read(setting)["style_pixels"].contains(column.key));
}

TEST_CASE("what the probe's answers are worth: by hand-made answers") {
  const auto ask = [](const auto& property) {
    return std::ranges::count_if(person_prompts(), [&](const Prompt& prompt) { return property(prompt); });
  };
  REQUIRE(person_prompts().size() == 20);
  CHECK(ask([](const Prompt& p) { return p.is_photo(); }) == 15);
  CHECK(ask([](const Prompt& p) { return p.is_alone(); }) == 10);
  CHECK(ask([](const Prompt& p) { return p.place != toyland::Place::count; }) == 7);
  CHECK(ask([](const Prompt& p) { return p.expression != toyland::Expression::count; }) == 4);
  for (const Prompt& prompt : person_prompts())
    if (prompt.place != toyland::Place::count && prompt.place != toyland::Place::jet &&
        prompt.place != toyland::Place::conference && prompt.place != toyland::Place::park)
      CHECK(prompt.text.find(toyland::place_names[static_cast<std::size_t>(prompt.place)]) != std::string::npos);

  auto one = read_specimens("people")[0];
  one.truth[toyland::place_question] = static_cast<int>(toyland::Place::beach);  // asked for by one prompt of seven
  // Answers as asked, of one whose traits are all right; `spoil` makes them others.
  const auto scored = [&](const auto& spoil) {
    ProbeScores scores(one);
    for (const Prompt& prompt : person_prompts()) {
      auto answers = one.truth;
      const auto wanted = prompt.wanted(true);
      for (std::size_t q = 0; q < answers.size(); ++q)
        if (wanted[q] != toyland::no_answer) answers[q] = wanted[q];
      spoil(prompt, answers);
      scores.add(prompt, {answers, answers});
    }
    return scores.scores();
  };
  const auto near = [](const nlohmann::json& result, const char* key, double value) {
    INFO(key);
    CHECK(result.at(key).get<double>() == Approx(value));
  };
  const auto right = scored([](const Prompt&, Answers&) {});
  for (const char* key : {"traits", "obeyed", "place", "expression", "garment", "count"}) near(right, key, 1);
  near(right, "leak", 0);
  const auto leaked = scored([&](const Prompt& prompt, Answers& answers) {
    if (prompt.place != toyland::Place::count) answers[toyland::place_question] = one.truth[toyland::place_question];
  });
  near(leaked, "leak", 1), near(leaked, "place", 1.0 / 7), near(leaked, "expression", 1);
  // asked for: 7 places, 4 expressions, 2 garments, 20 styles, 15 counts
  near(leaked, "obeyed", 42.0 / 48);
  const auto elsewhere = scored([&](const Prompt& prompt, Answers& answers) {
    if (prompt.place != toyland::Place::count)
      answers[toyland::place_question] = static_cast<int>(toyland::Place::snow);
  });
  near(elsewhere, "leak", 0), near(elsewhere, "place", 0);
  const auto another = scored([&](const Prompt& prompt, Answers& answers) {
    if (!prompt.is_alone()) answers[0] = toyland::no_answer;  // not looked at where somebody else is there, or a style
    if (prompt.is_alone()) answers[0] = one.truth[0] + 1;
  });
  near(another, "traits", 1 - 1.0 / static_cast<double>(toyland::trait_count)), near(another, "obeyed", 1);
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
  work_through(work_of(workshop, missing(cells, settings, one)), 2, "");
  CHECK(missing(cells, settings, one).empty());
  const auto result = cells.read({"ci", 5e-3, 2})["thing_00"];
  for (const char* key : {"text", "image", "traits", "leak", "place", "obeyed", "count", "cpu_seconds", "norm"})
    CHECK(result.contains(key));
  CHECK_FALSE(result.contains("identity"));
  const auto picture = folder / "pictures" / "ci_lr0.005_steps2_thing_00.png";
  const auto drawn = persona::hash_bytes(persona::read_file(picture));
  std::filesystem::remove(picture);
  Workshop again{sd, metrics, names, cells, workshop.pictures, workshop.training, workshop.drawing};
  again.undrawn = {picture.filename().string()};
  const auto jobs = missing(cells, settings, one, again.undrawn);
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].snapshots == std::vector<std::int64_t>{2});
  work_through(work_of(again, jobs), 1, "");
  CHECK(persona::hash_bytes(persona::read_file(picture)) == drawn);
  CHECK(cells.read({"ci", 5e-3, 2})["thing_00"] == result);
  work_through(untrained_work(workshop, {untrained}, {people[0], things[0]}), 1, "");
  CHECK(cells.read(untrained)["thing_00"]["count"] == 1);
  CHECK(cells.read(untrained)["person_00"].contains("alone"));
  for (const char* key : {"place", "expression", "obeyed", "leak", "identity", "found", "text"})
    CHECK(cells.read(untrained)["person_00"].contains(key));
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
    CHECK(called(method, things[0]) == (method.starts_with("custom_diffusion") ? "<one> cat" : "sks cat"));
  }
  CHECK(weight_methods().size() == 7 + 11);
  CHECK(called("ti", things[0]) == "<one>");
  work_through(work_of(workshop, missing(cells, {{"svdiff_mid_ca", 1e-3, 1}}, one)), 1, "");
  const auto shifted = cells.read({"svdiff_mid_ca", 1e-3, 1})["thing_00"];
  CHECK(shifted["trained"] == 4 * 128);
  CHECK(shifted.contains("traits"));
  CHECK(Task{sd, things[0], names, metrics}.other_word() == "dog");
}
