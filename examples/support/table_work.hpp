#pragma once
// Computes what the tables' stages ask for and the cells lack.

#include "support/table_stages.hpp"

namespace tables {

inline void compute(const Workshop& workshop, const Plan& plan, const Studies& studies, long threads) {
  auto& cells = workshop.cells;
  std::filesystem::create_directories(workshop.pictures);
  const auto list = stages(cells, plan, studies);
  for (const Stage& stage : list) {
    if (&stage == &list.back())  // the longest: what it is not needed for comes before
      for (const auto* split : {&studies.people.validation, &studies.people.test})
        work_off(workshop, untimed(cells, studies.people.settings(), *split), threads, "seconds");
    work_through(stage.work(workshop, stage.settings()), threads, stage.label);
  }
}

}  // namespace tables
