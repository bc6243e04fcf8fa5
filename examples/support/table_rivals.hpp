#pragma once
// BaTex's tables and the rivals': every method that learns token rows.

#include "support/table_differences.hpp"
#include "support/table_styles.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace tables {

/// A concept's text + image score under a setting; not a number where there is none.
inline double text_and_image(const Cells& cells, const Setting& setting, const std::vector<std::string>& subjects) {
  return cells.mean(setting, subjects, "text").mean + cells.mean(setting, subjects, "image").mean;
}

/// Table 4: every M at its best setting, and all at one rate, as tables and as curves.
inline void report_sizes(Page& page, const Cells& cells, const Study& rows) {
  const auto test = ids(rows.test);
  const auto show = [&](const std::vector<Setting>& sizes, const std::string& title) {
    add_table(page, cells, sizes, test, thing_columns, remarks(rows, cells));
    add_differences(page, cells, against(sizes, rows.best(cells, batex_name(paper_share))), test, thing_differences);
    persona::Series text{"text"}, image{"image"}, traits{"traits"};
    for (const double share : basis_shares())
      for (const Setting& setting : sizes)
        if (setting.method == batex_name(share))
          for (auto* line : {&text, &image, &traits})
            if (const auto mean = cells.mean(setting, test, line->name); mean.count > 0)
              line->x.push_back(share), line->y.push_back(mean.mean);
    if (text.x.size() > 1) page.chart(title, {text, image, traits}, "M / D");
  };
  page.section("T4 of BaTex: the size of the basis");
  page.paragraph("M as a share of a row's width, each at its best setting of the grid on the validation split.");
  auto sizes = rows.chosen(cells);
  std::erase_if(sizes,
                [](const Setting& s) { return !s.method.starts_with("batex_") || s.method == "batex_automatic"; });
  show(sizes, "Scores by the size of the basis");
  page.paragraph("All at the rate that is best for " + batex_name(paper_share) + ", so that M alone differs:");
  show(sizes_at_one_rate(cells, rows), "Scores by the size of the basis, at one rate");
}

/// Textual Inversion and BaTex after as many steps.
inline void report_steps(Page& page, const Cells& cells, const Study& steps) {
  const auto test = ids(steps.test);
  page.section("T1 and T2 of BaTex: steps");
  page.paragraph(
      "Textual Inversion and BaTex after as many steps, each at the rate that is best at these on the validation split; the "
      "best of all is marked.");
  const auto settings = best_after_steps(cells, steps);
  add_table(page, cells, with_untrained(settings), test, thing_columns, remarks(steps, cells));
  std::vector<Comparison> comparisons;
  for (const Setting& batex : settings)
    for (const Setting& ti : settings)
      if (batex.method != "ti" && ti.method == "ti" && batex.steps == ti.steps) comparisons.emplace_back(batex, ti);
  if (const auto ti = steps.best(cells, "ti"))
    for (const Setting& batex : settings)
      if (const Comparison one{batex, *ti};
          batex.method != "ti" && std::ranges::find(comparisons, one) == comparisons.end())
        comparisons.push_back(one);
  add_differences(page, cells, comparisons, test, thing_differences);
}

/// The size found from the photos against fixed ones, concept by concept; the settings hold both. Nothing where results
/// are wanting.
inline void compare_automatic(Page& page, const Cells& cells, const Study& rows, const std::vector<Setting>& settings,
                              const std::string& heading) {
  std::vector<Setting> fixed, found;
  for (const Setting& setting : settings) (setting.method == "batex_automatic" ? found : fixed).push_back(setting);
  if (fixed.empty() || found.empty()) return;
  // A setting with a result less is no measure: what is not a number is neither more nor less than another.
  const auto most_of = [](const std::vector<Setting>& list, const auto& of) {
    std::optional<Setting> most;
    for (const Setting& s : list)
      if (std::isfinite(of(s)) && (!most || of(s) > of(*most))) most = s;
    return most;
  };
  const auto on_validation = [&](const Setting& s) { return text_and_image(cells, s, ids(rows.validation)); };
  const auto best_fixed = most_of(fixed, on_validation);
  if (!best_fixed) return;
  const Setting best = *best_fixed;
  std::vector<std::vector<std::string>> table;
  std::size_t wins = 0, beats_all = 0, tried = 0;
  const auto said = [](double value) { return Mean{.mean = value, .count = 1}.text(3); };
  for (const Specimen& one : rows.test) {
    const auto of = [&](const Setting& s) { return text_and_image(cells, s, {one.id}); };
    const double automatic = of(found.front()), chosen = of(best);
    if (!std::isfinite(automatic + chosen) ||
        !std::ranges::all_of(fixed, [&](const Setting& s) { return std::isfinite(of(s)); }))
      continue;
    const auto most = of(*most_of(fixed, of));
    ++tried, wins += automatic >= chosen, beats_all += automatic >= most;
    const double bare = text_and_image(cells, untrained, {one.id});
    table.push_back({one.id, said(automatic), said(chosen), said(most), std::isfinite(bare) ? said(bare) : ""});
  }
  if (table.empty()) return;
  page.paragraph(heading + " " + best.name() +
                 " is the fixed M that is best on the validation split; the size found is as good as it or better in " +
                 std::to_string(wins) + " of " + std::to_string(tried) +
                 ", and as the best fixed M of each concept, known only afterwards, in " + std::to_string(beats_all) +
                 ".");
  page.table({"concept", found.front().name(), best.name(), "best fixed M, in hindsight", "untrained"}, table);
}
inline void report_automatic(Page& page, const Cells& cells, const Study& rows) {
  page.section("BaTex: the size found from the photos");
  page.paragraph("text + image of each concept.");
  compare_automatic(page, cells, rows, sizes_by_text_and_image(cells, rows),
                    "Every size at its rate that is best by text + image on the validation split.");
  compare_automatic(page, cells, rows, sizes_at_one_rate(cells, rows), "All at one rate.");
}

/// Held-out styles: general concepts that are no things.
inline void report_styles(Page& page, const Cells& cells, const Plan& plan, const Study& rows,
                          const std::filesystem::path& pictures) {
  const auto styles = ids(style_subjects(plan.styles));
  page.section("General concepts: styles");
  page.paragraph(
      "Styles that the model never saw, each learned from four pictures, batch 4, by a token in \"the style of {}\" that starts "
      "from \"painting\": its row (style_ti), E of its row (style_ci), E of the mean of its neighbours (style_ci_near). "
      "style_untrained draws with \"painting\" itself. Six contents that the four pictures do not show, 4 pictures each. Five styles "
      "are too few to choose a rate by: that which each start's method takes for animals and objects is marked, and compared.");
  std::map<Setting, std::string> marks;
  std::vector<Setting> chosen;
  for (const char* method : {"ti", "ci", "ci_near"})
    if (const auto best = rows.best(cells, method)) {
      chosen.push_back({"style_" + best->method, best->lr, best->steps});
      marks[chosen.back()] = "best for animals and objects";
    }
  const auto settings = style_settings(plan);
  add_table(page, cells, settings, styles, style_columns, [&](const Setting& setting) { return marks[setting]; });
  std::vector<Comparison> comparisons;
  if (!chosen.empty()) comparisons = against(chosen, chosen.front());
  for (const Setting& setting : chosen) comparisons.emplace_back(setting, untrained_style);
  add_differences(page, cells, comparisons, styles, style_columns);
  chosen.insert(chosen.begin(), untrained_style);
  for (const Setting& setting : chosen)
    for (const auto& id : styles)
      if (cells.has(setting, id)) page.picture(pictures / picture_name(setting, id), setting.name() + ", " + id);
}

/// Every method that learns rows, each at its best setting: on animals and objects, and on people.
inline void report_rivals(Page& page, const Cells& cells, const Plan& plan, const Studies& studies,
                          const std::filesystem::path& pictures) {
  const auto& [rows, rivals] = std::tie(studies.rows, studies.rivals);
  if (rows.chosen(cells).empty()) return;
  page.section("T2 of BaTex, and its rivals: animals and objects");
  page.paragraph(
      "Every method at the setting of the grid that is best on the validation split. batex_0.75 is the paper's M. Concepts "
      "and grid were fixed before any of them was scored.");
  auto best = rows.chosen(cells);
  best.insert(best.end(), rows.published.begin(), rows.published.end());
  add_table(page, cells, with_untrained(best), ids(rows.test), thing_columns, remarks(rows, cells));
  for (const auto& reference : {std::optional(untrained), rows.best(cells, "ti"), rows.best(cells, "ci")})
    add_differences(page, cells, against(best, reference), ids(rows.test), thing_differences);
  add_pictures(page, cells, best, rows.test, 2, pictures);
  report_steps(page, cells, studies.steps);
  report_sizes(page, cells, rows);
  report_automatic(page, cells, rows);
  page.section("T6 and T7 of BaTex: a poor initial word");
  page.paragraph("At the settings that are best from the class word.");
  const auto poor = poor_words(cells, rows);
  add_table(page, cells, poor, ids(rows.test), thing_columns, remarks(rows, cells));
  for (const std::string stem : {"ti", "batex"}) {
    std::vector<Setting> same;
    for (const Setting& setting : poor)
      if (setting.method.starts_with(stem + "_")) same.push_back(setting);
    add_differences(page, cells, against(same, rows.best(cells, stem == "ti" ? stem : batex_name(paper_share))),
                    ids(rows.test), thing_differences);
  }
  report_styles(page, cells, plan, rows, pictures);
  page.section("Rivals: people");
  page.paragraph(
      "Every method at its best on the validation split. celeb's mapper reads the photo's features by the very recogniser "
      "that judges alone and identity, which can only help it there.");
  add_table(page, cells, with_untrained(rivals.chosen(cells)), ids(rivals.test), person_columns,
            remarks(rivals, cells));
  for (const auto& reference : {rivals.best(cells, "ti"), rivals.best(cells, "ci"), std::optional(plan.usual_ci())})
    add_differences(page, cells, against(rivals.chosen(cells), reference), ids(rivals.test), person_differences);
  add_pictures(page, cells, rivals.chosen(cells), rivals.test, 2, pictures);
  page.section("Rivals, validation splits (settings are chosen here)");
  add_table(page, cells, rows.settings(), ids(rows.validation), thing_columns, choosing_remarks(rows, cells));
  add_table(page, cells, rivals.settings(), ids(rivals.validation), person_columns, choosing_remarks(rivals, cells));
}

}  // namespace tables
