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
  std::size_t people = 20, long_people = 3, things = 15, validation = 5, words = 12;
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

  /// Every method at every rate, after every number of steps.
  std::vector<Setting> grid(const std::vector<std::string>& methods) const {
    std::vector<Setting> all;
    for (const auto& method : methods)
      for (const double lr : rates)
        for (const auto n : steps) all.push_back({method, lr, n});
    return all;
  }
  std::vector<Setting> long_runs() const { return {{"ti", 5e-3, 5000}, {"ci", 5e-3, 5000}}; }
  /// Cross Initialization at one rate and after so many steps, and without each of its parts.
  std::vector<Setting> ablations(const Setting& whole) const {
    std::vector<Setting> all;
    for (const char* method : {"ci", "ci_without_cross", "ci_without_mean", "ci_without_regularization"})
      all.push_back({method, whole.lr, whole.steps});
    return all;
  }
  Setting usual_ci() const { return {"ci", 5e-3, usual_steps}; }
  /// Cross Initialization's rate and steps, whatever the method.
  bool usual(const Setting& s) const { return s.lr == 5e-3 && s.steps == usual_steps; }
};

/// What a setting is worth on some subjects: the sum of the scores named; nothing where one of its runs broke off.
inline double worth(const Cells& cells, const Setting& setting, const std::vector<std::string>& subjects,
                    const std::vector<std::string>& scores) {
  double sum = 0;
  for (const auto& score : scores) {
    const auto mean = cells.mean(setting, subjects, score);
    sum += mean.count == subjects.size() ? mean.mean : std::nan("");
  }
  return sum;
}

/// The settings of a method, the most worth first; those not scored on all of these subjects are left out.
inline std::vector<Setting> ranked(const Cells& cells, const std::vector<Setting>& settings, const std::string& method,
                                   const std::vector<std::string>& subjects, const std::vector<std::string>& scores) {
  std::vector<Setting> list;
  for (const auto& setting : settings)
    if (setting.method == method && std::isfinite(worth(cells, setting, subjects, scores))) list.push_back(setting);
  std::ranges::stable_sort(list, std::greater{}, [&](const Setting& s) { return worth(cells, s, subjects, scores); });
  return list;
}

inline std::vector<std::string> ids(const std::vector<Specimen>& list) {
  std::vector<std::string> names;
  for (const auto& one : list) names.push_back(one.id);
  return names;
}

/// Methods that are compared on one kind of subjects: each one's setting is the best on the validation split.
struct Study {
  std::vector<std::string> methods{};
  std::vector<Specimen> validation{}, test{};
  std::vector<std::string> worth{};  ///< the scores whose sum chooses a setting
  std::vector<Setting> published{};

  bool is_published(const Setting& setting) const { return std::ranges::find(published, setting) != published.end(); }
  std::vector<Setting> grid(const Plan& plan) const { return plan.grid(methods); }
  /// Of each method the best setting of those that were scored.
  std::vector<Setting> chosen(const Cells& cells, const Plan& plan) const {
    std::vector<Setting> list;
    for (const auto& method : methods)
      if (const auto best = ranked(cells, grid(plan), method, ids(validation), worth); !best.empty())
        list.push_back(best.front());
    return list;
  }
};

/// Where Cross Initialization is taken apart: at the paper's setting, and at its best on the validation split.
inline std::vector<Setting> taken_apart(const Cells& cells, const Plan& plan, const Study& study) {
  std::vector<Setting> all{plan.usual_ci()};
  for (const Setting& best : study.chosen(cells, plan))
    if (best.method == "ci" && best != all.front()) all.push_back(best);
  return all;
}

/// Who is learned, by whom settings are chosen, and by what.
struct Studies {
  /// Published for faces: CI in 320 steps at 5e-3 and in 25 at 8e-2, TI in 5000 at 5e-3.
  Study people{.methods = {"ti", "ci"},
               .worth = {"alone", "obeyed"},
               .published = {{"ci", 5e-3, 320}, {"ci", 8e-2, 25}, {"ti", 5e-3, 5000}}};
  Study things{.methods = {"ti", "ci"}, .worth = {"traits", "obeyed"}};

  /// The first five people and the last five things are the validation split.
  static Studies read(const Plan& plan) {
    const auto people = read_specimens("people"), things = read_specimens("things");
    constexpr std::ptrdiff_t split = 5;
    const auto some = [](auto first, auto last, std::size_t most) {
      return std::vector<Specimen>(first, std::min(last, first + static_cast<std::ptrdiff_t>(most)));
    };
    Studies all;
    all.people.validation = some(people.begin(), people.begin() + split, plan.validation);
    all.people.test = some(people.begin() + split, people.end(), plan.people);
    all.things.validation = some(things.end() - split, things.end(), plan.validation);
    all.things.test = some(things.begin(), things.end() - split, plan.things);
    return all;
  }
};

/// The settings that the reading rests on: the best on the validation split, the published, the usual.
inline std::vector<Setting> first_settings(const Cells& cells, const Plan& plan, const Study& study) {
  auto first = study.chosen(cells, plan);
  for (const Setting& setting : study.grid(plan))
    if (study.is_published(setting) || plan.usual(setting)) first.push_back(setting);
  return first;
}

}  // namespace tables
