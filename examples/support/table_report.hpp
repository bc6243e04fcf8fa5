#pragma once
// The tables' page, out of the results that there are.

#include "support/table_glossary.hpp"
#include "support/table_rivals.hpp"
#include "support/table_stages.hpp"
#include "support/table_weights.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace tables {

/// What the page is of, what its plan still lacks, and how its numbers are read.
inline void report_head(Page& page, const Cells& cells, const Plan& plan, const Studies& studies,
                        const Drawing& drawing, const std::string& model) {
  page.paragraph(
      "One photo a subject; " + std::to_string(plan.images) +
      " pictures of each of 20 prompts (people) or 8 (animals and objects), DDIM " + std::to_string(drawing.steps) +
      " steps, guidance 3.5; batch 8, of animals and objects 4, one thread a run. Mean over subjects ± its standard error. Model " +
      model + ". tables --report writes this page as tables.md and, with pictures, as tables.html.");
  const auto [asked, there, on_gpu] = tally(cells, stages(cells, plan, studies));
  page.paragraph(there == asked
                     ? "All of the plan's " + std::to_string(asked) + " results are there."
                     : std::to_string(asked - there) + " of the plan's " + std::to_string(asked) +
                           " results are missing, more where settings are not yet chosen; tables computes them.");
  if (on_gpu > 0)
    page.paragraph(
        std::to_string(on_gpu) +
        " of them were computed on a GPU, whose training draws other noise of the same seed, the others on CPUs.");
  page.paragraph(
      "A method's best setting is that of the grid whose alone + obeyed (people) or traits + obeyed (animals and "
      "objects) is highest on the validation split. Differences are paired: over subjects that both settings have, the "
      "first's score less the second's, ± the standard error of these differences; * marks those that chance gives once in "
      "twenty or less often, by Student's t (2.09 standard errors of twenty subjects, 2.26 of ten, 2.78 of five, 4.30 of "
      "three), no allowance made for their number. "
      "Pictures are drawn with the same noise for every subject and method, and every run is trained by the numbers of one "
      "seed: ± covers neither. What methods and "
      "columns are, and the prompts, stands at the end.");
}

/// Fig. 3 of Cross Initialization.
inline void report_fed_back(Page& page, const Cells& cells, const std::filesystem::path& pictures) {
  page.section("Fig. 3: the text encoder fed with its own output");
  page.paragraph(
      "Eight pictures a word, \"a photo of a WORD\": by the word's row v, and by E(v) in its place. The share "
      "of them in which the probe sees the thing, or for \"person\" somebody alone; the cosine of the two pictures of one "
      "seed, and that of two pictures of the row.");
  std::vector<std::vector<std::string>> rows;
  const auto fed_back = cells.read(fed_back_setting);
  for (const auto& [word, result] : fed_back.items()) {
    if (!result.contains("alike")) continue;
    std::vector<std::string> row{word};
    for (const char* key : {"kind_by_row", "kind_by_output", "alike", "seeds_alike"})
      row.push_back(Mean{.mean = result[key], .count = 1}.text(2));
    rows.push_back(std::move(row));
    page.picture(pictures / picture_name(fed_back_setting, word), word + ": v, E(v), v, E(v)");
  }
  page.table({"word", "seen, by v", "seen, by E(v)", "cosine of the two", "of two by v"}, rows);
}

/// What becomes of one subject's rows along these runs (Figs. 2, 6 and 7 of Cross Initialization).
inline void report_curves(Page& page, const Cells& cells, const std::vector<Setting>& settings,
                          const std::string& subject, const std::string& when = {}) {
  for (const auto& [title, what] :
       std::vector<std::pair<const char*, Curve>>{{"Norm of the rows", Curve::norm},
                                                  {"Norm of E(v)", Curve::cross_norm},
                                                  {"Cosine of E(v) and v", Curve::cross_cosine},
                                                  {"Cosine of the rows to their start", Curve::cosine_to_start},
                                                  {"Denoising loss, mean of 20 steps", Curve::loss}})
    if (const auto lines = curves(cells, settings, subject, what); !lines.empty())
      page.chart(title + when + ", " + subject, lines);
}

/// Cross Initialization without each of its parts, and what becomes of the rows.
inline void report_ablations(Page& page, const Cells& cells, const Plan& plan, const Study& people) {
  page.section("T2: ablations of Cross Initialization");
  page.paragraph(
      "At the paper's setting and, where it is another, at Cross Initialization's best on the validation "
      "split; what is left of the method gets no rate of its own.");
  for (const Setting& whole : taken_apart(cells, plan, people))
    add_table(page, cells, plan.ablations(whole), ids(people.test), person_columns, remarks(people, cells));
  add_differences(page, cells, ablation_comparisons(cells, plan, people), ids(people.test), person_differences);
  auto drawn = plan.ablations(plan.usual_ci());
  drawn.insert(drawn.begin(), {"ti", drawn.front().lr, drawn.front().steps});
  if (people.test.empty()) return;
  report_curves(page, cells, drawn, people.test.front().id);
}

/// The few people who are also trained for 5000 steps.
inline void report_long_runs(Page& page, const Cells& cells, const Plan& plan, const Study& people) {
  auto few = ids(people.test);
  few.resize(std::min(few.size(), plan.long_people));
  if (few.empty()) return;
  page.section("T1: 5000 steps");
  page.paragraph(
      "Textual Inversion's published steps, and the settings above, on the same few people. 5000 steps are no part of the "
      "grid, so that they cannot be the best on the validation split. Both rows of Textual Inversion start as \"person\" "
      "(the paper's: \"human face\", of which the model knows the second word alone).");
  auto longest = first_settings(cells, plan, people);
  for (const auto& setting : plan.long_runs()) longest.push_back(setting);
  std::ranges::sort(longest);
  longest.erase(std::ranges::unique(longest).begin(), longest.end());
  add_table(page, cells, longest, few, person_columns, remarks(people, cells));
  add_differences(page, cells, long_comparisons(cells, plan, people), few, person_differences);
  report_curves(page, cells, plan.long_runs(), few.front(), ", 5000 steps");
}

/// The page of tables.html and tables.md; `model` tells which weights the results are of.
inline Page report(const Cells& cells, const Plan& plan, const Studies& studies, const Drawing& drawing,
                   const std::string& model, const std::filesystem::path& pictures) {
  Page page("The papers' tables on Toyland");
  report_head(page, cells, plan, studies, drawing, model);
  const auto& [people, things] = std::tie(studies.people, studies.things);
  const auto remark = remarks(people, cells);
  page.section("T1: people, test split");
  add_table(page, cells, with_untrained(people.settings()), ids(people.test), person_columns, remark);
  add_differences(page, cells, first_comparisons(cells, plan, people), ids(people.test), person_differences);
  add_pictures(page, cells, first_settings(cells, plan, people), people.test, 2, pictures);
  report_long_runs(page, cells, plan, people);
  page.section("T1: people, validation split (settings are chosen here)");
  add_table(page, cells, people.settings(), ids(people.validation), person_columns, choosing_remarks(people, cells));
  report_ablations(page, cells, plan, people);
  report_fed_back(page, cells, pictures);
  page.section("T2: animals and objects, test split");
  add_table(page, cells, with_untrained(things.settings()), ids(things.test), thing_columns, remarks(things, cells));
  auto compared = first_comparisons(cells, plan, things);
  for (const auto& comparison : against(things.chosen(cells), untrained)) compared.push_back(comparison);
  add_differences(page, cells, compared, ids(things.test), thing_differences);
  add_pictures(page, cells, things.chosen(cells), things.test, 3, pictures);
  page.section("T2: animals and objects, validation split (settings are chosen here)");
  add_table(page, cells, things.settings(), ids(things.validation), thing_columns, choosing_remarks(things, cells));
  report_rivals(page, cells, plan, studies, pictures);
  report_weights(page, cells, plan, studies, pictures);
  report_words(page);
  if (!page.absent().empty())
    page.section("Pictures")
        .paragraph(
            std::to_string(page.absent().size()) +
            " pictures are not shown: their results were computed in another folder or on another machine, and kept without "
            "them. tables --redraw draws them.");
  return page;
}

}  // namespace tables
