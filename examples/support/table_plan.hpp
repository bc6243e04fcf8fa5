#pragma once
// What the tables compare: the grid of settings, which of them are published, and how the best is chosen.

#include "support/table_cells.hpp"
#include "support/table_scores.hpp"
#include "support/table_weight_methods.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tables {

/// Every method at every rate, after every number of steps.
struct Grid {
  std::vector<double> rates{1.25e-3, 5e-3, 2e-2, 8e-2};  ///< four, each four times the last
  std::vector<std::int64_t> steps{25, 320, 1000};

  std::vector<Setting> of(const std::vector<std::string>& methods) const {
    std::vector<Setting> all;
    for (const auto& method : methods)
      for (const double lr : rates)
        for (const auto n : steps) all.push_back({method, lr, n});
    return all;
  }
};

struct Plan {
  Grid grid{};
  Grid rivals_grid{.steps = {320}};
  Grid weights_grid{.rates = {1e-5, 1e-4, 1e-3, 1e-2}, .steps = {300}};
  std::int64_t usual_steps = 320;  ///< Cross Initialization's
  std::size_t people = 20, long_people = 3, things = 15, validation = 5, rivals_test = 10, subsets_test = 5, words = 12,
              styles = 5;
  std::int64_t images = 4;  ///< a prompt
  std::int64_t drawing_steps = 25;
  std::int64_t pair_steps = 600, edit_steps = 300;
  bool every = true;  ///< every basis size and subset, published settings off the grid; else one of each

  /// Minutes on two cores: one of each, two rates, few steps, one coarse picture a prompt.
  static Plan quick() {
    return {.grid = {.rates = {5e-3, 2e-2}, .steps = {10, 25}},
            .rivals_grid = {.rates = {2e-2}, .steps = {25}},
            .weights_grid = {.rates = {1e-3}, .steps = {25}},
            .usual_steps = 25,
            .people = 1,
            .long_people = 0,
            .things = 1,
            .validation = 1,
            .rivals_test = 1,
            .subsets_test = 1,
            .words = 3,
            .styles = 1,
            .images = 1,
            .drawing_steps = 12,
            .pair_steps = 25,
            .edit_steps = 25,
            .every = false};
  }

  /// What is fed back (Fig. 3): kinds of things, and "person".
  std::vector<std::string> fed_back() const {
    const auto& kinds = toyland::kind_names;
    const auto last = kinds.begin() + static_cast<std::ptrdiff_t>(std::min(words, kinds.size()));
    std::vector<std::string> list(kinds.begin(), last);
    list.push_back("person");
    return list;
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

inline std::vector<std::string> ids(const std::vector<std::string>& list) { return list; }
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
  Grid grid{};

  std::vector<Setting> settings() const { return grid.of(methods); }
  /// Whether all of a method's grid was tried on the validation split; before that its best is the best so far.
  bool complete(const Cells& cells, const std::string& method) const {
    return std::ranges::all_of(grid.of({method}), [&](const Setting& setting) {
      return cells.count(setting, ids(validation)) == validation.size();
    });
  }
  bool is_published(const Setting& setting) const { return std::ranges::find(published, setting) != published.end(); }
  /// A method's best setting, where one was scored.
  std::optional<Setting> best(const Cells& cells, const std::string& method) const {
    const auto list = ranked(cells, settings(), method, ids(validation), worth);
    return list.empty() ? std::nullopt : std::optional(list.front());
  }
  /// Of each method the best setting of those that were scored.
  std::vector<Setting> chosen(const Cells& cells) const {
    std::vector<Setting> list;
    for (const auto& method : methods)
      if (const auto found = best(cells, method)) list.push_back(*found);
    return list;
  }
};

/// Where Cross Initialization is taken apart: at the paper's setting, and at its best on the validation split.
inline std::vector<Setting> taken_apart(const Cells& cells, const Plan& plan, const Study& study) {
  std::vector<Setting> all{plan.usual_ci()};
  for (const Setting& best : study.chosen(cells))
    if (best.method == "ci" && best != all.front()) all.push_back(best);
  return all;
}

/// Who is learned, by whom settings are chosen, and by what: the two methods on people, on animals and objects, and
/// then with their rivals.
struct Studies {
  /// Published for faces: CI in 320 steps at 5e-3 and in 25 at 8e-2, TI in 5000 at 5e-3.
  Study people{.methods = {"ti", "ci"},
               .worth = {"alone", "obeyed"},
               .published = {{"ci", 5e-3, 320}, {"ci", 8e-2, 25}, {"ti", 5e-3, 5000}}};
  Study things{.methods = {"ti", "ci"}, .worth = {"traits", "obeyed"}};
  /// Every method that needs no names. BaTex's paper gives no rate; its code's, and the paper's steps.
  Study rows{.methods = {"ti", "ci", "ci_near", "ci_batex", "batex_automatic", "xti", "neti"},
             .worth = things.worth,
             .published = {{batex_name(paper_share), 2e-3, 500}}};
  /// Textual Inversion and BaTex on the same things over the whole grid of steps, the other's in `things`.
  Study steps{.methods = {"ti", batex_name(paper_share)}, .worth = things.worth};
  /// Every method that faces or names are asked for, and those for anything.
  Study rivals{.methods = {"ti", "ci", "celeb", "celeb_direct", "ci_celeb", "xti", "neti", batex_name(paper_share)},
               .worth = people.worth};

  /// The methods that change weights, on the animals and objects of `rows`; SVDiff's authors' rate, and its paper's
  /// steps.
  Study weights{.methods = {"svdiff", "dreambooth", "custom_diffusion", "custom_diffusion_plain", "lora"},
                .worth = things.worth,
                .published = {{"svdiff", 1e-3, 500}}};
  /// Learned from one picture and edited: on the same things, over the same grid of rates.
  Study edits{.methods = {"edit_svdiff", "edit_all_weights", "edit_lora"}, .worth = {"kept", "obeyed"}};
  std::vector<Specimen> subsets{};  ///< on whom SVDiff's variants and the subsets of its Table 1 are compared
  std::vector<Specimen> paired{};   ///< learned two by two
  bool every_subset = true;         ///< else one

  /// The first five people and the last five things are the validation split.
  static Studies read(const Plan& plan) {
    const auto people = read_specimens("people"), things = read_specimens("things");
    constexpr std::ptrdiff_t split = 5;
    const auto some = [](auto first, auto last, std::size_t most) {
      return std::vector<Specimen>(first, std::min(last, first + static_cast<std::ptrdiff_t>(most)));
    };
    Studies all;
    if (!plan.every) {
      all.rows.published.clear(), all.weights.published.clear();
      all.rivals.methods = {"ti", "ci", "celeb"}, all.edits.methods = {"edit_svdiff"};
      std::erase(all.weights.methods, "custom_diffusion_plain");
      all.every_subset = false;
    }
    all.people.grid = all.things.grid = plan.grid, all.rows.grid = all.rivals.grid = plan.rivals_grid;
    all.people.validation = some(people.begin(), people.begin() + split, plan.validation);
    all.people.test = some(people.begin() + split, people.end(), plan.people);
    all.things.validation = some(things.end() - split, things.end(), plan.validation);
    all.things.test = some(things.begin(), things.end() - split, plan.things);
    for (const double share : basis_shares())
      if (plan.every || share == paper_share) all.rows.methods.push_back(batex_name(share));
    all.rows.validation = all.steps.validation = all.things.validation;
    all.rivals.validation = all.people.validation, all.steps.grid = plan.grid;
    all.rows.test = some(all.things.test.begin(), all.things.test.end(), plan.rivals_test);
    all.steps.test = all.rows.test;
    all.rivals.test = some(all.people.test.begin(), all.people.test.end(), plan.rivals_test);
    all.weights.grid = plan.weights_grid, all.weights.validation = all.rows.validation,
    all.weights.test = all.rows.test;
    all.edits.grid = {.rates = plan.weights_grid.rates, .steps = {plan.edit_steps}};
    all.edits.validation = all.weights.validation, all.edits.test = all.weights.test;
    all.paired = some(things.begin(), things.end() - split, std::max<std::size_t>(plan.rivals_test, 2));
    all.subsets = some(all.rows.test.begin(), all.rows.test.end(), plan.subsets_test);
    return all;
  }
};

/// The settings that the reading rests on: the best on the validation split, the published, the usual.
inline std::vector<Setting> first_settings(const Cells& cells, const Plan& plan, const Study& study) {
  auto first = study.chosen(cells);
  for (const Setting& setting : study.settings())
    if (study.is_published(setting) || plan.usual(setting)) first.push_back(setting);
  std::ranges::sort(first);
  first.erase(std::ranges::unique(first).begin(), first.end());
  return first;
}

/// Of each method and number of steps the setting of the best rate.
inline std::vector<Setting> best_after_steps(const Cells& cells, const Study& study) {
  std::vector<Setting> all;
  for (const auto steps : study.grid.steps) {
    auto grid = study.settings();
    std::erase_if(grid, [&](const Setting& s) { return s.steps != steps; });
    for (const auto& method : study.methods)
      if (const auto list = ranked(cells, grid, method, ids(study.validation), study.worth); !list.empty())
        all.push_back(list.front());
  }
  return all;
}

/// The class word itself, nothing learned.
inline const Setting untrained{"untrained", 0, 0};

/// The settings and, before them, what the model draws untrained.
inline std::vector<Setting> with_untrained(std::vector<Setting> settings) {
  settings.insert(settings.begin(), untrained);
  return settings;
}

/// Every size of the basis, and the one found from the photos, at the rate that is best for the paper's: M alone
/// differs.
inline std::vector<Setting> sizes_at_one_rate(const Cells& cells, const Study& rows) {
  std::vector<Setting> all;
  if (const auto best = rows.best(cells, batex_name(paper_share)))
    for (const auto& method : rows.methods)
      if (method.starts_with("batex_")) all.push_back({method, best->lr, best->steps});
  return all;
}

/// Every size of the basis, and the one found from the photos, at its best by text + image, the score that sizes are
/// compared by.
inline std::vector<Setting> sizes_by_text_and_image(const Cells& cells, const Study& rows) {
  std::vector<Setting> all;
  for (const auto& method : rows.methods)
    if (method.starts_with("batex_"))
      if (const auto list = ranked(cells, rows.settings(), method, ids(rows.validation), {"text", "image"});
          !list.empty())
        all.push_back(list.front());
  return all;
}

/// Textual Inversion and BaTex from the class word and from two others, each at its best setting (Tables 6 and 7).
inline std::vector<Setting> poor_words(const Cells& cells, const Study& rows) {
  const std::map<std::string, std::string> stems{{"ti", "ti"}, {batex_name(paper_share), "batex"}};
  std::vector<Setting> all;
  for (const Setting& best : rows.chosen(cells))
    if (const auto stem = stems.find(best.method); stem != stems.end()) {
      all.push_back(best);
      for (const char* word : {"_other_word", "_animal"}) all.push_back({stem->second + word, best.lr, best.steps});
    }
  return all;
}

/// SVDiff at its best setting: without the prior, together with LoRA, and each subset of its Table 1.
inline std::vector<Setting> spectral_variants(const Cells& cells, const Studies& studies) {
  std::vector<Setting> all;
  for (const Setting& best : studies.weights.chosen(cells))
    if (best.method == "svdiff") {
      all.push_back(best);
      for (const char* method : {"svdiff_without_prior", "svdiff_lora"}) all.push_back({method, best.lr, best.steps});
      for (const auto& [name, subset] : spectral_subsets())
        if (studies.every_subset ? name != "unet" : name == "ca_kv")
          all.push_back({"svdiff_" + name, best.lr, best.steps});
    }
  return all;
}

/// The class words of two things, nothing learned.
inline const Setting untrained_pair{"pair_untrained", 0, 0};

/// SVDiff at its best rate on two things at once, by each way of training them together, and nothing learned.
inline std::vector<Setting> pair_settings(const Cells& cells, const Plan& plan, const Studies& studies) {
  std::vector<Setting> all{untrained_pair};
  for (const Setting& best : studies.weights.chosen(cells))
    if (best.method == "svdiff")
      for (const char* method : {"pair_cut_mix_unmix", "pair_cut_mix", "pair_alone"})
        if (plan.every || method == std::string("pair_cut_mix_unmix"))
          all.push_back({method, best.lr, plan.pair_steps});
  return all;
}

/// Single-image edits: without training, by each method at its best setting, and at the rate at which it learns things
/// best.
inline std::vector<Setting> edit_settings(const Cells& cells, const Studies& studies) {
  const std::map<std::string, std::string> edits{
      {"svdiff", "edit_svdiff"}, {"dreambooth", "edit_all_weights"}, {"lora", "edit_lora"}};
  auto all = studies.edits.chosen(cells);
  for (const Setting& best : studies.weights.chosen(cells))
    if (const auto edit = edits.find(best.method); edit != edits.end())
      for (const Setting& setting : studies.edits.settings())
        if (setting.method == edit->second && setting.lr == best.lr && std::ranges::find(all, setting) == all.end())
          all.push_back(setting);
  std::ranges::sort(all);
  all.insert(all.begin(), {"edit_untrained", 0, 0});
  return all;
}

}  // namespace tables
