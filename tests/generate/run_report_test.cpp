#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/generate/run_report.hpp>
#include <persona/init/token.hpp>
#include <persona/io/read_file.hpp>
#include <persona/loss/l2.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/testing.hpp>
#include <persona/train/personalize.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using persona::operator+;

struct Draws : persona::testing::TinyModel {
  Draws() : persona::testing::TinyModel(persona::testing::tiny_model()) {}
  persona::DDIMScheduler sampler(std::string_view) const {
    return persona::DDIMScheduler(persona::SchedulerConfig{.num_train_timesteps = 100});
  }
};

std::string text_of(const std::filesystem::path& file) {
  const auto bytes = persona::read_file(file);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::int64_t lines_of(const std::filesystem::path& file) { return std::ranges::count(text_of(file), '\n'); }

const persona::RunReportOptions options{.title = "<one> & co",
                                        .command = "how it was begun",
                                        .prompts = {"a photo of <one>", "a cat"},
                                        .every = 2,
                                        .drawing = {.steps = 2, .guidance = 1, .sampler = "ddim"}};

}  // namespace

TEST_CASE("a report has photos, validations, charts, the sum and the command, and grows as the run does") {
  const Draws model;
  const auto subjects = persona::testing::tiny_subjects(1);
  const persona::test::Folder folder;
  const auto sum = persona::TokenInit{} + persona::L2Reg{1e-3};
  const auto run = persona::personalize(model, subjects[0], sum, {.steps = 5, .batch = 2});
  persona::RunReport report(model, subjects, folder.path(), options);
  std::filesystem::create_directories(folder / "validation");
  persona::write_png(subjects[0].photos[0].image, folder / "validation" / "step-000003.png");   // of an older run
  persona::write_png(subjects[0].photos[0].image, folder / "validation" / "step-by-step.png");  // somebody's own

  report.on_begin(run);
  CHECK_FALSE(std::filesystem::exists(folder / "validation" / "step-000003.png"));
  CHECK(std::filesystem::exists(folder / "validation" / "step-by-step.png"));
  const auto begun = text_of(report.page());
  CHECK(begun.find("0 of 5 steps") != begun.npos);
  CHECK(begun.find("after step 0") != begun.npos);
  CHECK(begun.find("Denoising loss") == begun.npos);
  for (const auto& step : run) report.on_step(step);
  report.on_end(run);

  const auto page = text_of(report.page());
  for (const char* words :
       {"<title>&lt;one&gt; &amp; co</title>", "5 of 5 steps", "after step 2", "after step 4", "after step 5",
        "Denoising loss", "Term: L2Reg", "Norm of the rows", "TokenInit", "weight = 0.001", "how it was begun", "1 x "})
    CHECK_THAT(page, Catch::Contains(words));
  CHECK(lines_of(folder / "steps.csv") == 6);
  for (const char* step : {"000000", "000002", "000004", "000005"})
    CHECK(std::filesystem::exists(folder / "validation" / ("step-" + std::string(step) + ".png")));
}

TEST_CASE("a resumed run's report goes on with the numbers and pictures of the steps behind it, and no others") {
  const Draws model;
  const auto subjects = persona::testing::tiny_subjects(1);
  const persona::test::Folder folder, kept;
  const auto begin = [&](std::filesystem::path from) {
    return persona::personalize(model, subjects[0], persona::TokenInit{}, {.steps = 6, .resume = std::move(from)});
  };
  {
    const auto run = begin({});
    persona::RunReport report(model, subjects, folder.path(), options);
    report.on_begin(run);
    for (const auto& step : run) {
      report.on_step(step);
      if (step.index == 3) run.save(kept / "checkpoint");
      if (step.index == 5) break;  // the checkpoint knows nothing of the last two
    }
  }
  const auto before = text_of(folder / "steps.csv");
  const auto run = begin(kept / "checkpoint");
  persona::RunReport report(model, subjects, folder.path(), options);
  report.on_begin(run);
  CHECK(lines_of(folder / "steps.csv") == 4);
  for (const auto& step : run) report.on_step(step);
  report.on_end(run);
  const auto after = text_of(folder / "steps.csv");
  CHECK(std::ranges::count(after, '\n') == 7);
  // The same steps have the same losses; the clock differs.
  const auto losses = [](const std::string& table, int line) {
    std::size_t at = 0;
    for (int i = 0; i < line; ++i) at = table.find('\n', at) + 1;
    return table.substr(at, table.find(',', table.find(',', at) + 1) - at);
  };
  for (const int line : {1, 3, 4, 5}) CHECK(losses(before, line) == losses(after, line));
  const auto page = text_of(report.page());
  for (const char* words : {"after step 2", "after step 4", "after step 6", "6 of 6 steps"})
    CHECK_THAT(page, Catch::Contains(words));
}

TEST_CASE("rows that differ by layer are charted by the mean over the layers") {
  const Draws model;
  const auto subjects = persona::testing::tiny_subjects(1);
  const persona::test::Folder folder;
  const auto run =
      persona::personalize(model, subjects[0], persona::TokenInit{} + persona::LayeredRows{}, {.steps = 2});
  persona::RunReport report(model, subjects, folder.path(), options);
  report.on_begin(run);
  for (const auto& step : run) {
    report.on_step(step);
    CHECK(step.row_norm() == 0);
  }
  report.on_end(run);
  CHECK_THAT(text_of(report.page()), Catch::Contains("Norm of the rows, the mean of all layers"));
  const auto rows = run.learned().rows[0].stored.tensors.at("rows");  // [layers, n, D]
  const auto norm = at::linalg_vector_norm(rows, 2, {-1}).mean().item<double>();
  const auto table = text_of(folder / "steps.csv");
  const auto last = table.substr(table.rfind("\n2,") + 1);  // step,loss,denoising,row norm,cosine to start,seconds
  std::vector<double> values;
  for (std::size_t at = 0; at < last.size() && values.size() < 5; at = last.find(',', at) + 1)
    values.push_back(std::strtod(last.c_str() + at, nullptr));
  REQUIRE(values.size() == 5);
  CHECK(values[3] == Approx(norm).epsilon(1e-5));
  CHECK(values[4] > 0.9);
  CHECK(values[4] < 1);
}

TEST_CASE("a run's numbers that somebody changed are set aside, and said; line ends of Windows are read") {
  const Draws model;
  const auto subjects = persona::testing::tiny_subjects(1);
  const persona::test::Folder folder;
  const auto begin = [&](std::filesystem::path from) {
    return persona::personalize(model, subjects[0], persona::TokenInit{}, {.steps = 6, .resume = std::move(from)});
  };
  {
    const auto run = begin({});
    persona::RunReport report(model, subjects, folder.path(), options);
    report.on_begin(run);
    for (const auto& step : run) {
      report.on_step(step);
      if (step.index == 4) break;
    }
    run.save(folder / "checkpoint");
  }
  const auto table = text_of(folder / "steps.csv");
  const auto resumed = [&](std::string changed) {
    std::ofstream(folder / "steps.csv") << changed;
    std::vector<std::string> said;
    const auto before = persona::set_warning_handler([&](const std::string& text) { said.push_back(text); });
    const auto run = begin(folder / "checkpoint");
    persona::RunReport report(model, subjects, folder.path(), options);
    report.on_begin(run);
    for (const auto& step : run) report.on_step(step);
    persona::set_warning_handler(before);
    return said;
  };
  const auto each_line = [&](const std::string& more) {
    std::string changed;
    for (const char c : table) changed += c == '\n' ? more + "\n" : std::string(1, c);
    return changed;
  };
  CHECK(resumed(each_line("\r")).empty());
  CHECK(lines_of(folder / "steps.csv") == 7);
  auto damaged = table;
  damaged.insert(damaged.find("\n2,") + 3, "x");
  damaged.insert(damaged.find("\n3,") + 3, "1,");
  const auto said = resumed(damaged);
  REQUIRE(said.size() == 1);
  CHECK_THAT(said[0], Catch::Contains("2 lines that are no records, the first of them line 3"));
  CHECK(text_of(folder / "steps.csv.damaged") == damaged);
  CHECK(lines_of(folder / "steps.csv") == 5);
  const auto headless = table.substr(table.find('\n') + 1);
  CHECK_THAT(resumed(headless).at(0), Catch::Contains("4 lines that are no records"));
  CHECK(text_of(folder / "steps.csv.damaged") == headless);
  CHECK(lines_of(folder / "steps.csv") == 3);
  CHECK_THAT(resumed(each_line(",1")).at(0), Catch::Contains("other columns"));
  CHECK(text_of(folder / "steps.csv").starts_with(table.substr(0, table.find('\n') + 1)));
  CHECK(lines_of(folder / "steps.csv") == 3);
}
