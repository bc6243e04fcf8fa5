#pragma once
// What the tables compare: every method as a sum, by name.

#include "support/subjects.hpp"
#include "support/table_scores.hpp"

#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace tables {

/// What a run is begun with.
struct Task {
  const persona::StableDiffusion& sd;
  const Specimen& one;
  const std::vector<std::string>& names;
  const Metrics& metrics;
  double lr = 0;
  persona::TrainOptions options{};

  template <class Sum>
  persona::Run learn(const Sum& sum) const {
    const auto subject = examples::by_token("<one>", one.class_word, {{.image = one.photo, .name = one.id}});
    return persona::personalize(sd, subject, sum, options);
  }
  /// A word that says little of the specimen: of another kind, or none that the model saw in training.
  std::string other_word() const {
    const auto& kinds = toyland::kind_names;
    const auto found = std::ranges::find(kinds, one.class_word);
    return found == kinds.end() ? "object" : std::string(kinds[(found - kinds.begin() + 1) % std::ssize(kinds)]);
  }
};

using Method = std::function<persona::Run(const Task&)>;

namespace detail {

inline auto cross(const Task& task, persona::CrossInit from, double weight = 1e-5) {
  return task.learn(std::move(from) + persona::FreeRows{} + persona::L2Reg{weight} + persona::AdamW{.lr = task.lr});
}
/// For things there are no names to average: the class word.
inline std::vector<std::string> names_of(const Task& task) {
  return task.one.is_person() ? task.names : std::vector<std::string>{task.one.class_word};
}
inline std::vector<std::string> class_word_of(const Task& task) {
  const auto& word = task.one.class_word;
  return {task.one.is_person() ? word + " " + word : word};
}
inline auto batex_of(const Task& task, persona::SubspaceBasis basis, const std::string& word = {}) {
  return task.learn(persona::TokenInit{word} + std::move(basis) + persona::AdamW{.lr = task.lr});
}
inline persona::CelebBasis celeb_of(const Task& task) {
  return {.names = task.names, .columns = persona::NameColumns::words};
}

}  // namespace detail

/// The shares of a row's width that BaTex's Table 4 tries as M (96 to 672 of 768).
inline const std::vector<double>& basis_shares() {
  static const std::vector<double> all{0.125, 0.25, 0.5, 0.75, 0.875};
  return all;
}
inline constexpr double paper_share = 0.75;
inline std::string batex_name(double share) {
  char name[32];
  std::snprintf(name, sizeof name, "batex_%g", share);
  return name;
}

/// All of them.
///   ci_without_cross           starts from the mean rows themselves
///   ci_without_mean            starts from E(class word); the paper gives no recipe, this is ours
///   ci_without_regularization  weight 0
///   ci_near                    starts from E(mean of the rows nearest to the class word)
///   X_other_word, X_animal     X from the word of another kind, or from "animal", which no caption of the training
///   held
inline const std::map<std::string, Method>& methods() {
  using namespace persona;
  static const std::map<std::string, Method> all = [] {
    std::map<std::string, Method> list{
        {"ti", [](const Task& t) { return t.learn(textual_inversion({}, t.lr)); }},
        {"ci", [](const Task& t) { return detail::cross(t, {.names = detail::names_of(t)}); }},
        {"ci_without_cross", [](const Task& t) { return detail::cross(t, {.names = t.names, .use_encoder = false}); }},
        {"ci_without_mean", [](const Task& t) { return detail::cross(t, {.names = detail::class_word_of(t)}); }},
        {"ci_without_regularization",
         [](const Task& t) { return t.learn(CrossInit{.names = t.names} + FreeRows{} + AdamW{.lr = t.lr}); }},
        {"ci_near",
         [](const Task& t) { return t.learn(CrossInitNear{} + FreeRows{} + L2Reg{1e-5} + AdamW{.lr = t.lr}); }},
        {"ci_batex",
         [](const Task& t) {
           return t.learn(CrossInit{.names = detail::names_of(t)} + SubspaceBasis{.word = t.one.class_word} +
                          L2Reg{1e-5} + AdamW{.lr = t.lr});
         }},
        {"ti_other_word", [](const Task& t) { return t.learn(textual_inversion(t.other_word(), t.lr)); }},
        {"ti_animal", [](const Task& t) { return t.learn(textual_inversion("animal", t.lr)); }},
        {"batex_other_word", [](const Task& t) { return t.learn(batex(t.other_word(), t.lr)); }},
        {"batex_animal", [](const Task& t) { return t.learn(batex("animal", t.lr)); }},
        {"xti", [](const Task& t) { return t.learn(xti({}, t.lr)); }},
        {"neti", [](const Task& t) { return t.learn(neti({}, t.lr)); }},
        {"ci_celeb",
         [](const Task& t) { return t.learn(CrossInit{.names = t.names} + detail::celeb_of(t) + AdamW{.lr = t.lr}); }},
        {"celeb_direct",
         [](const Task& t) {
           return t.learn(CrossInit{.names = t.names, .use_encoder = false} + detail::celeb_of(t) + AdamW{.lr = t.lr});
         }},
        {"celeb", [](const Task& t) {
           const auto feature = t.metrics.recognizer.recognize(to_tensor(t.one.photo).unsqueeze(0)).features[0];
           return t.learn(CrossInit{.names = t.names, .use_encoder = false} +
                          CelebMapper{.names = t.names, .feature = feature, .columns = NameColumns::words} +
                          AdamW{.lr = t.lr});
         }}};
    list["batex_automatic"] = [](const Task& t) { return detail::batex_of(t, {.size = automatic}); };
    for (const double share : basis_shares())
      list[batex_name(share)] = [share](const Task& t) { return detail::batex_of(t, {.size = ratio(share)}); };
    return list;
  }();
  return all;
}

}  // namespace tables
