#pragma once
// The tables' page, out of the results that there are.

#include "support/table_rivals.hpp"
#include "support/table_weights.hpp"

#include <algorithm>
#include <tuple>

namespace tables {

/// Writes tables.html and tables.md; `model` tells which weights the results are of.
inline void write_report(const Cells& cells, const Plan& plan, const Studies& studies, const Drawing& drawing,
                         const std::string& model, const std::filesystem::path& pictures,
                         const std::filesystem::path& out) {
  Page page("The papers' tables on Toyland");
  page.paragraph(
      "One photo a subject; " + std::to_string(plan.images) +
      " pictures of each of 20 prompts (people) or 8 (animals and objects), DDIM " + std::to_string(drawing.steps) +
      " steps, guidance 3.5; batch 8, of animals and objects 4, one thread a run. Mean over subjects ± its standard error. Model " +
      model + ".");
  page.paragraph(
      "identity: recogniser cosine to the photo over the 15 prompts that ask for no style; pictures without a face are "
      "left out, faces says how many have one. alone: the same over the 10 of them that ask for nobody else, 0 where no "
      "face is found. traits: share of the subject's traits that the probe finds where it stands alone. text: cosine of "
      "picture and prompt. obeyed: share of all that the prompts ask for (place, expression, garment, style, who is "
      "there); place: of the places alone. leak: share of pictures showing the photo's place though the prompt asks for "
      "another. A method's best setting is that of the grid whose alone + obeyed (people) or traits + obeyed (animals and "
      "objects) is highest on the validation split. Pictures are drawn with the same noise for every subject and method: "
      "± does not cover that noise.");
  const auto& [people, things] = std::tie(studies.people, studies.things);
  const auto remark = remarks(people, cells);
  const auto all = people.settings();
  page.section("T1: people, test split");
  add_table(page, cells, all, ids(people.test), person_columns, remark);
  add_pictures(page, first_settings(cells, plan, people), people.test, 2, pictures);
  page.section("T1: 5000 steps");
  page.paragraph(
      "Textual Inversion's published steps, and the settings above, on the same few people. 5000 steps are no part of the "
      "grid, so that they cannot be the best on the validation split. Both rows of Textual Inversion start as \"person\" "
      "(the paper's: \"human face\", of which the model knows the second word alone).");
  auto longest = first_settings(cells, plan, people);
  for (const auto& setting : plan.long_runs()) longest.push_back(setting);
  std::ranges::sort(longest);
  longest.erase(std::ranges::unique(longest).begin(), longest.end());
  auto few = ids(people.test);
  few.resize(std::min(few.size(), plan.long_people));
  add_table(page, cells, longest, few, person_columns, remark);
  page.section("T1: people, validation split (settings are chosen here)");
  add_table(page, cells, people.settings(), ids(people.validation), person_columns, remark);
  page.section("T2: ablations of Cross Initialization");
  page.paragraph(
      "At the paper's setting and, where it is another, at Cross Initialization's best on the validation "
      "split; what is left out gets no rate of its own. ci_without_cross starts "
      "from the mean rows themselves; ci_without_mean from E(the class word): the paper gives no recipe for it, this is "
      "ours; ci_without_regularization has weight 0.");
  for (const Setting& whole : taken_apart(cells, plan, people))
    add_table(page, cells, plan.ablations(whole), ids(people.test), person_columns, remark);
  auto drawn = plan.ablations(plan.usual_ci());
  drawn.insert(drawn.begin(), {"ti", drawn.front().lr, drawn.front().steps});
  page.chart("Norm of the rows", curves(cells, drawn, Curve::norm))
      .chart("Cosine of E(v) and v", curves(cells, drawn, Curve::cross_cosine))
      .chart("Cosine of the rows to their start", curves(cells, drawn, Curve::cosine_to_start))
      .chart("Denoising loss, mean of 20 steps", curves(cells, drawn, Curve::loss));
  page.section("Fig. 3: the text encoder fed with its own output");
  page.paragraph(
      "Eight pictures a word, \"a photo of a WORD\": by the word's row v, and by E(v) in its place. The share "
      "of them in which the probe sees the thing; the cosine of the two pictures of one seed, and that of "
      "two pictures of the row.");
  std::vector<std::vector<std::string>> rows;
  const auto fed_back = cells.read({"fed_back", 0, 0});
  for (const auto& [word, result] : fed_back.items()) {
    std::vector<std::string> row{word};
    for (const char* key : {"kind_by_row", "kind_by_output", "alike", "seeds_alike"})
      row.push_back(Mean{.mean = result[key], .count = 1}.text(2));
    rows.push_back(std::move(row));
    page.picture(pictures / ("fed_back_" + word + ".png"), word + ": v, E(v), v, E(v)");
  }
  page.table({"word", "seen, by v", "seen, by E(v)", "cosine of the two", "of two by v"}, rows);
  page.section("T2: animals and objects, test split");
  add_table(page, cells, things.settings(), ids(things.test), thing_columns, remarks(things, cells));
  add_pictures(page, things.chosen(cells), things.test, 3, pictures);
  page.section("T2: animals and objects, validation split (settings are chosen here)");
  add_table(page, cells, things.settings(), ids(things.validation), thing_columns, remarks(things, cells));
  report_rivals(page, cells, studies, pictures);
  report_weights(page, cells, plan, studies, pictures);
  page.save(out);
}

}  // namespace tables
