#pragma once
// What the tables compare: the grid of settings, which of them are published, and how the best is chosen.

#include "support/table_cells.hpp"
#include "support/table_scores.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace tables {

struct Plan {
  std::vector<double> rates{1.25e-3, 5e-3, 2e-2, 8e-2};  ///< four, each four times the last
  std::vector<std::int64_t> steps{25, 320, 1000};
  std::int64_t usual_steps = 320;  ///< Cross Initialization's
  std::size_t people = 20, long_people = 3, things = 20, validation = 5, words = 12;
  std::int64_t images = 4;  ///< a prompt

  /// Minutes on two cores: one of each, two rates, few steps, one picture a prompt.
  static Plan quick() {
    return {.rates = {5e-3, 2e-2},
            .steps = {25, 100},
            .usual_steps = 100,
            .people = 1,
            .long_people = 0,
            .things = 1,
            .validation = 1,
            .words = 3,
            .images = 1};
  }

  /// Textual Inversion and Cross Initialization at every rate, after every number of steps.
  std::vector<Setting> grid() const {
    std::vector<Setting> all;
    for (const char* method : {"ti", "ci"})
      for (const double lr : rates)
        for (const auto n : steps) all.push_back({method, lr, n});
    return all;
  }
  std::vector<Setting> long_runs() const { return {{"ti", 5e-3, 5000}, {"ci", 5e-3, 5000}}; }
  std::vector<Setting> ablations() const {
    std::vector<Setting> all;
    for (const char* method : {"ci", "ci_without_cross", "ci_without_mean", "ci_without_regularization"})
      all.push_back({method, 5e-3, usual_steps});
    return all;
  }
  /// Cross Initialization's rate and steps, whatever the method.
  bool usual(const Setting& s) const { return s.lr == 5e-3 && s.steps == usual_steps; }
};

/// The published settings: CI in 320 steps at 5e-3 and in 25 at 8e-2, TI in 5000 at 5e-3.
inline bool published(const Setting& s) {
  return s.method == "ti" ? s.lr == 5e-3 && s.steps == 5000
                          : (s.lr == 5e-3 && s.steps == 320) || (s.lr == 8e-2 && s.steps == 25);
}

/// What a setting is worth on the validation people: as much the person as the prompt.
inline double worth(const Cells& cells, const Setting& setting, const std::vector<std::string>& people) {
  return cells.mean(setting, people, "identity").mean + cells.mean(setting, people, "obeyed").mean;
}

/// The settings of a method, the best on the validation people first; those not scored there are left out.
inline std::vector<Setting> ranked(const Cells& cells, const std::vector<Setting>& settings, const std::string& method,
                                   const std::vector<std::string>& people) {
  std::vector<Setting> list;
  for (const auto& setting : settings)
    if (setting.method == method && std::isfinite(worth(cells, setting, people))) list.push_back(setting);
  std::ranges::stable_sort(list, std::greater{}, [&](const Setting& s) { return worth(cells, s, people); });
  return list;
}

/// The settings of both methods that the reading rests on: the best on the validation people, the published, the usual.
inline std::vector<Setting> first_settings(const Cells& cells, const Plan& plan,
                                           const std::vector<std::string>& validation) {
  std::vector<Setting> first;
  for (const char* method : {"ti", "ci"})
    if (const auto best = ranked(cells, plan.grid(), method, validation); !best.empty()) first.push_back(best.front());
  for (const Setting& setting : plan.grid())
    if (published(setting) || plan.usual(setting)) first.push_back(setting);
  return first;
}

/// Who is learned: people to choose settings on, people and things to judge by.
struct Specimens {
  std::vector<Specimen> validation{}, people{}, things{};

  /// The first five people are the validation split.
  static Specimens read(const Plan& plan) {
    Specimens all{.people = read_specimens("people"), .things = read_specimens("things")};
    constexpr std::ptrdiff_t split = 5;
    all.validation.assign(all.people.begin(), all.people.begin() + split);
    all.people.erase(all.people.begin(), all.people.begin() + split);
    all.validation.resize(std::min(all.validation.size(), plan.validation));
    all.people.resize(std::min(all.people.size(), plan.people));
    all.things.resize(std::min(all.things.size(), plan.things));
    return all;
  }
};

inline std::vector<std::string> ids(const std::vector<Specimen>& list) {
  std::vector<std::string> names;
  for (const auto& one : list) names.push_back(one.id);
  return names;
}

}  // namespace tables
