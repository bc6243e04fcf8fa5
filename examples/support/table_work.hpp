#pragma once
// All that the tables compute, in the order in which it is worth having.

#include "support/table_edits.hpp"
#include "support/table_fed_back.hpp"
#include "support/table_pairs.hpp"
#include "support/table_plan.hpp"
#include "support/table_runs.hpp"

namespace tables {

/// Computes what the plan asks for and the cells lack.
inline void compute(const Workshop& workshop, const Plan& plan, const Studies& studies, long threads) {
  auto& cells = workshop.cells;
  std::filesystem::create_directories(workshop.pictures);
  const Setting fed_back{"fed_back", 0, 0};
  for (int kind = 0; kind < static_cast<int>(plan.words); ++kind) {
    const std::string word(toyland::kind_names[static_cast<std::size_t>(kind)]);
    if (cells.has(fed_back, word)) continue;
    std::vector<persona::Image> shown;
    cells.add(fed_back, word, feed_back(workshop.sd, workshop.metrics, kind, workshop.drawing, &shown));
    persona::write_png(persona::make_grid(shown, {.columns = 4}), workshop.pictures / ("fed_back_" + word + ".png"));
  }
  const auto work = [&](const std::vector<Setting>& settings, const std::vector<Specimen>& subjects,
                        const std::string& label) {
    work_off(workshop, missing(cells, settings, subjects), threads, label);
  };
  const auto &people = studies.people, &things = studies.things, &rows = studies.rows, &rivals = studies.rivals,
             &weights = studies.weights;
  work(people.settings(), people.validation, "validation people");
  work(first_settings(cells, plan, people), people.test, "people, published and best settings");
  for (const Setting& whole : taken_apart(cells, plan, people))
    work(plan.ablations(whole), people.test, "people, ablations");
  work(things.settings(), things.validation, "validation animals and objects");
  work(first_settings(cells, plan, things), things.test, "animals and objects, published and best settings");
  const auto few = static_cast<std::ptrdiff_t>(std::min(people.test.size(), plan.long_people));
  work(plan.long_runs(), {people.test.begin(), people.test.begin() + few}, "people, 5000 steps");
  work(rows.settings(), rows.validation, "rivals, validation animals and objects");
  auto best = rows.chosen(cells);
  best.insert(best.end(), rows.published.begin(), rows.published.end());
  work(best, rows.test, "rivals, animals and objects");
  work(poor_words(cells, rows), rows.test, "poor words");
  work(weights.settings(), weights.validation, "weights, validation");
  best = weights.chosen(cells);
  best.insert(best.end(), weights.published.begin(), weights.published.end());
  work(best, weights.test, "weights");
  work(spectral_variants(cells, studies), studies.subsets, "SVDiff's variants and subsets");
  const auto pairs = pairs_of(studies.paired);
  compute_pairs(workshop, pair_settings(cells, plan, studies), pairs, threads);
  compute_edits(workshop, edit_settings(cells, plan, studies), weights.test, threads);
  work(rivals.settings(), rivals.validation, "rivals, validation people");
  work(rivals.chosen(cells), rivals.test, "rivals, people");
  for (const auto* split : {&people.validation, &people.test})
    work_off(workshop, untimed(cells, people.settings(), *split), threads, "seconds");
  work(people.settings(), people.test, "people, the whole grid");
}

}  // namespace tables
