#pragma once
// All that the tables compute, as a list: its stages, in the order in which they are worth having.

#include "support/table_fed_back.hpp"
#include "support/table_pairs.hpp"
#include "support/table_plan.hpp"

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tables {

/// Settings, each on all of some subjects. The settings are asked for when the stage's turn comes: those that are best
/// are known after the validation split alone.
struct Stage {
  enum class Kind { words, specimens, pairs, edits };

  std::string label{};
  Kind kind = Kind::specimens;
  std::function<std::vector<Setting>()> settings{};
  std::vector<Specimen> specimens{};
  std::vector<std::string> subjects{};  ///< by what results are kept
};

/// The stages, their settings by the results that `cells` holds when they are asked for.
inline std::vector<Stage> stages(const Cells& cells, const Plan& plan, const Studies& studies) {
  const auto &people = studies.people, &things = studies.things, &rows = studies.rows, &rivals = studies.rivals,
             &weights = studies.weights;
  std::vector<Stage> list;
  const auto work = [&](std::string label, const std::vector<Specimen>& specimens,
                        std::function<std::vector<Setting>()> settings, Stage::Kind kind = Stage::Kind::specimens) {
    list.push_back({std::move(label), kind, std::move(settings), specimens,
                    kind == Stage::Kind::pairs ? ids(pairs_of(specimens)) : ids(specimens)});
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
  list.push_back({"words fed back",
                  Stage::Kind::words,
                  [] { return std::vector<Setting>{fed_back_setting}; },
                  {},
                  plan.fed_back()});
  work("validation people", people.validation, grid(people));
  work("people, published and best settings", people.test, first(people));
  work("people, ablations", people.test, [&] {
    std::vector<Setting> settings;
    for (const Setting& whole : taken_apart(cells, plan, people))
      for (const Setting& setting : plan.ablations(whole)) settings.push_back(setting);
    return settings;
  });
  work("validation animals and objects", things.validation, grid(things));
  work("animals and objects, published and best settings", things.test, first(things));
  const auto few = static_cast<std::ptrdiff_t>(std::min(people.test.size(), plan.long_people));
  work("people, 5000 steps", {people.test.begin(), people.test.begin() + few}, [&] { return plan.long_runs(); });
  work("rivals, validation animals and objects", rows.validation, grid(rows));
  work("rivals, animals and objects", rows.test, best(rows));
  work("poor words", rows.test, [&] { return poor_words(cells, rows); });
  work("weights, validation", weights.validation, grid(weights));
  work("weights", weights.test, best(weights));
  work("SVDiff's variants and subsets", studies.subsets, [&] { return spectral_variants(cells, studies); });
  work(
      "two things in one model", studies.paired, [&] { return pair_settings(cells, plan, studies); },
      Stage::Kind::pairs);
  work("one picture, edited", weights.test, [&] { return edit_settings(cells, plan, studies); }, Stage::Kind::edits);
  work("rivals, validation people", rivals.validation, grid(rivals));
  work("rivals, people", rivals.test, [&] { return rivals.chosen(cells); });
  work("people, the whole grid", people.test, grid(people));
  return list;
}

/// How many results the stages ask for, each counted once, and how many of them there are.
inline std::pair<std::size_t, std::size_t> tally(const Cells& cells, const std::vector<Stage>& list) {
  std::set<std::pair<Setting, std::string>> asked;
  for (const Stage& stage : list)
    for (const Setting& setting : stage.settings())
      for (const auto& id : stage.subjects) asked.emplace(setting, id);
  std::map<Setting, std::vector<std::string>> by_setting;
  for (const auto& [setting, id] : asked) by_setting[setting].push_back(id);
  std::size_t there = 0;
  for (const auto& [setting, subjects] : by_setting) there += cells.count(setting, subjects);
  return {asked.size(), there};
}

}  // namespace tables
