#pragma once
// Computes what the tables' stages ask for and the cells lack.

#include "support/table_stages.hpp"

namespace tables {

/// What of the plan is computed: some stages, by their labels (none: all), and every n-th piece of their work.
struct Portion {
  std::vector<std::string> stages{};
  std::size_t share = 1, shares = 1;

  bool has(const Stage& stage) const {
    return stages.empty() || std::ranges::find(stages, stage.label) != stages.end();
  }
  /// `share` of `shares`, which are about as long as one another.
  std::vector<Work> of(std::vector<Work> work) const {
    longest_first(work);
    std::vector<Work> own;
    for (std::size_t i = share - 1; i < work.size(); i += shares) own.push_back(std::move(work[i]));
    return own;
  }
};

inline void compute(const Workshop& workshop, const Plan& plan, const Studies& studies, long threads,
                    const Portion& portion = {}) {
  auto& cells = workshop.cells;
  std::filesystem::create_directories(workshop.pictures);
  const auto list = stages(cells, plan, studies);
  for (const auto& label : portion.stages)
    if (std::ranges::find(list, label, &Stage::label) == list.end()) {
      std::string known;
      for (const Stage& stage : list) known += (known.empty() ? "\"" : "\", \"") + stage.label;
      throw persona::Error("--stage " + label, "is no stage of the plan", "these are: " + known + "\"");
    }
  for (const Stage& stage : list) {
    if (!portion.has(stage)) continue;
    if (&stage == &list.back() && !workshop.on_gpu())  // the longest: what it is not needed for comes before
      for (const auto* split : {&studies.people.validation, &studies.people.test})
        work_through(portion.of(work_of(workshop, untimed(cells, studies.people.settings(), *split))), threads,
                     "seconds");
    work_through(portion.of(stage.work(workshop, stage.settings())), threads, stage.label);
  }
}

}  // namespace tables
