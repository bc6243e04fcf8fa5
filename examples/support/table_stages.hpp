#pragma once
// All that the tables compute, as a list: its stages, in the order in which they are worth having.

#include "support/table_edits.hpp"
#include "support/table_fed_back.hpp"
#include "support/table_pairs.hpp"
#include "support/table_plan.hpp"
#include "support/table_styles.hpp"

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tables {

/// Settings, each on all of some subjects. The settings are asked for when the stage's turn comes: those that are best
/// are known after the validation split alone.
struct Stage {
  std::string label{};
  std::vector<std::string> subjects{};  ///< by what results are kept
  std::function<std::vector<Setting>()> settings{};
  /// What the cells lack of these settings; the stage must outlive it.
  std::function<std::vector<Work>(const Workshop&, const std::vector<Setting>&)> work{};
};

/// The stages, their settings by the results that `cells` holds when they are asked for.
inline std::vector<Stage> stages(const Cells& cells, const Plan& plan, const Studies& studies) {
  const auto &people = studies.people, &things = studies.things, &rows = studies.rows, &rivals = studies.rivals,
             &weights = studies.weights;
  std::vector<Stage> list;
  const auto add = [&](std::string label, auto subjects, std::function<std::vector<Setting>()> settings, auto work) {
    list.push_back({std::move(label), ids(subjects), std::move(settings),
                    [subjects, work](const Workshop& workshop, const std::vector<Setting>& asked) {
                      return work(workshop, asked, subjects);
                    }});
  };
  const auto learn = [&](std::string label, const std::vector<Specimen>& specimens,
                         std::function<std::vector<Setting>()> settings) {
    add(std::move(label), specimens, std::move(settings),
        [](const Workshop& workshop, const std::vector<Setting>& asked, const std::vector<Specimen>& all) {
          return work_of(workshop, missing(workshop.cells, asked, all, workshop.undrawn));
        });
  };
  const auto grid = [](const Study& study) { return [&study] { return study.settings(); }; };
  const auto first = [&](const Study& study) { return [&] { return first_settings(cells, plan, study); }; };
  const auto best = [&](const Study& study) {
    return [&] {
      auto settings = study.chosen(cells);
      settings.insert(settings.end(), study.published.begin(), study.published.end());
      return settings;
    };
  };
  add(
      "words fed back", plan.fed_back(), [] { return std::vector<Setting>{fed_back_setting}; },
      [](const Workshop& workshop, const auto&, const auto& words) { return fed_back_work(workshop, words); });
  const auto nothing = [] { return std::vector<Setting>{untrained}; };
  add("people, untrained", people.test, nothing, untrained_work);
  add("animals and objects, untrained", things.test, nothing, untrained_work);
  learn("validation people", people.validation, grid(people));
  learn("people, published and best settings", people.test, first(people));
  learn("people, ablations", people.test, [&] {
    std::vector<Setting> settings;
    for (const Setting& whole : taken_apart(cells, plan, people))
      for (const Setting& setting : plan.ablations(whole)) settings.push_back(setting);
    return settings;
  });
  learn("validation animals and objects", things.validation, grid(things));
  learn("animals and objects, published and best settings", things.test, first(things));
  const auto few = static_cast<std::ptrdiff_t>(std::min(people.test.size(), plan.long_people));
  learn("people, 5000 steps", {people.test.begin(), people.test.begin() + few}, [&] { return plan.long_runs(); });
  learn("rivals, validation animals and objects", rows.validation, grid(rows));
  learn("rivals, animals and objects", rows.test, best(rows));
  learn("BaTex's steps, validation", studies.steps.validation, grid(studies.steps));
  learn("BaTex's steps", studies.steps.test, [&] { return best_after_steps(cells, studies.steps); });
  learn("poor words", rows.test, [&] { return poor_words(cells, rows); });
  learn("sizes of the basis at one rate", rows.test, [&] { return sizes_at_one_rate(cells, rows); });
  learn("sizes of the basis by text and image", rows.test, [&] { return sizes_by_text_and_image(cells, rows); });
  add("styles", style_subjects(plan.styles), [&] { return style_settings(plan); }, style_work);
  learn("weights, validation", weights.validation, grid(weights));
  learn("weights", weights.test, best(weights));
  learn("SVDiff's variants and subsets", studies.subsets, [&] { return spectral_variants(cells, studies); });
  add(
      "two things in one model", pairs_of(studies.paired), [&] { return pair_settings(cells, plan, studies); },
      pair_work);
  add("one picture, edited, validation", studies.edits.validation, grid(studies.edits), edit_work);
  add("one picture, edited", studies.edits.test, [&] { return edit_settings(cells, studies); }, edit_work);
  learn("rivals, validation people", rivals.validation, grid(rivals));
  learn("rivals, people", rivals.test, [&] { return rivals.chosen(cells); });
  learn("people, the whole grid", people.test, grid(people));
  return list;
}

/// How many results the stages ask for, each counted once, how many of them there are, and how many of these a GPU
/// gave.
struct Tally {
  std::size_t asked = 0, there = 0, on_gpu = 0;
};
inline Tally tally(const Cells& cells, const std::vector<Stage>& list) {
  std::map<Setting, std::set<std::string>> asked;
  for (const Stage& stage : list)
    for (const Setting& setting : stage.settings()) asked[setting].insert(stage.subjects.begin(), stage.subjects.end());
  Tally sum;
  for (const auto& [setting, subjects] : asked) {
    sum.asked += subjects.size();
    const auto all = cells.read(setting);
    for (const auto& [id, result] : all.items())
      if (subjects.contains(id)) ++sum.there, sum.on_gpu += result.value("device", "cpu") != "cpu";
  }
  return sum;
}

}  // namespace tables
