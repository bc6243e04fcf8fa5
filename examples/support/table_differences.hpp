#pragma once
// Paired differences: what the reading of the tables rests on.

#include "support/table_columns.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tables {

/// The first's scores less the second's, subject by subject.
using Comparison = std::pair<Setting, Setting>;

inline const std::vector<Column> person_differences{
    {"alone", "alone"},   {"identity", "identity"}, {"traits", "traits"}, {"text", "text"},
    {"obeyed", "obeyed"}, {"place", "place"},       {"leak", "leak"},     {"expression", "expression"}};
inline const std::vector<Column> thing_differences{{"traits", "traits"}, {"image", "image"}, {"text", "text"},
                                                   {"obeyed", "obeyed"}, {"place", "place"}, {"leak", "leak"},
                                                   {"count", "count"}};

/// Each of the list against one of them.
inline std::vector<Comparison> against(const std::vector<Setting>& list, const std::optional<Setting>& reference) {
  std::vector<Comparison> all;
  if (reference)
    for (const Setting& setting : list)
      if (setting != *reference) all.emplace_back(setting, *reference);
  return all;
}

/// A row a comparison that has subjects: mean and standard error of the differences, with their sign, and an asterisk
/// where they stand out.
inline void add_differences(Page& page, const Cells& cells, const std::vector<Comparison>& comparisons,
                            const std::vector<std::string>& subjects, const std::vector<Column>& columns) {
  std::vector<std::string> header{"this", "less this"};
  for (const auto& column : columns) header.push_back(column.title);
  header.push_back("subjects");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [one, other] : comparisons) {
    std::vector<std::string> row{one.name(), other.name()};
    const auto same = [&](const auto& shown) { return shown[0] == row[0] && shown[1] == row[1]; };
    if (std::ranges::any_of(rows, same)) continue;  // two settings that coincide are compared once
    std::size_t most = 0;
    for (const auto& column : columns) {
      const auto mean = cells.difference(one, other, subjects, column.key);
      most = std::max(most, mean.count);
      row.push_back(mean.count == 0 ? "" : (mean.mean < 0 ? "" : "+") + mean.text(3) + (mean.stands_out() ? " *" : ""));
    }
    if (most == 0) continue;
    row.push_back(std::to_string(most));
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return;
  page.paragraph("Paired differences:");
  page.table(header, rows);
}

/// Cross Initialization and Textual Inversion, each at its best, at the paper's setting, and at the fast one.
inline std::vector<Comparison> first_comparisons(const Cells& cells, const Plan& plan, const Study& study) {
  const auto ci = study.best(cells, "ci"), ti = study.best(cells, "ti");
  const Setting usual = plan.usual_ci(), usual_ti{"ti", usual.lr, usual.steps};
  std::vector<Comparison> all;
  const auto add = [&](const std::optional<Setting>& one, const std::optional<Setting>& other) {
    if (one && other && *one != *other) all.emplace_back(*one, *other);
  };
  add(ci, ti), add(usual, usual_ti), add(usual, ti);
  for (const Setting& published : study.published)
    if (published.method == "ci" && published != usual)
      for (const auto& other : {ti, std::optional(usual_ti), std::optional(usual), ci}) add(published, other);
  return all;
}

/// Against Textual Inversion's 5000 steps, and these against its other settings.
inline std::vector<Comparison> long_comparisons(const Cells& cells, const Plan& plan, const Study& study) {
  const auto longest = plan.long_runs();
  auto all = against(first_settings(cells, plan, study), longest.front());
  std::erase_if(all, [](const Comparison& c) { return c.first.method == "ti"; });
  all.emplace_back(longest.back(), longest.front());
  for (const Setting& setting : first_settings(cells, plan, study))
    if (setting.method == "ti") all.emplace_back(longest.front(), setting);
  return all;
}

/// Each part left out against the whole, and what is left against Textual Inversion at the same setting and its best.
inline std::vector<Comparison> ablation_comparisons(const Cells& cells, const Plan& plan, const Study& study) {
  const auto ti = study.best(cells, "ti");
  std::vector<Comparison> all;
  for (const Setting& whole : taken_apart(cells, plan, study)) {
    const auto parts = plan.ablations(whole);
    for (const auto& comparison : against(parts, whole)) all.push_back(comparison);
    for (const Setting& part : parts)
      if (part != whole) {
        if (const Setting same{"ti", part.lr, part.steps}; same != ti) all.emplace_back(part, same);
        if (ti) all.emplace_back(part, *ti);
      }
  }
  return all;
}

}  // namespace tables
