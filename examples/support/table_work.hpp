#pragma once
// All that the tables compute, in the order in which it is worth having.

#include "support/table_fed_back.hpp"
#include "support/table_plan.hpp"
#include "support/table_runs.hpp"

namespace tables {

/// Computes what the plan asks for and the cells lack.
inline void compute(const Workshop& workshop, const Plan& plan, const Specimens& specimens, long threads) {
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
  const auto& people = specimens.people;
  work_off(workshop, missing(cells, plan.grid(), specimens.validation), threads, "validation people");
  const auto first = first_settings(cells, plan, ids(specimens.validation));
  work_off(workshop, missing(cells, first, people), threads, "published and best settings");
  work_off(workshop, missing(cells, plan.ablations(), people), threads, "ablations");
  work_off(workshop, missing(cells, first, specimens.things), threads, "animals and objects");
  work_off(workshop, missing(cells, plan.grid(), people), threads, "the whole grid");
  const auto few = static_cast<std::ptrdiff_t>(std::min(people.size(), plan.long_people));
  const std::vector<Specimen> some(people.begin(), people.begin() + few);
  work_off(workshop, missing(cells, plan.long_runs(), some), threads, "5000 steps");
}

}  // namespace tables
