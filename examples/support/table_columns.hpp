#pragma once
// What a table of people and one of animals and objects show of a setting, and what is to be said of it.

#include "support/table_page.hpp"
#include "support/table_plan.hpp"

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace tables {

inline const std::vector<Column> person_columns{{"alone", "alone"},
                                                {"above 0.5", "alone", 0.5},
                                                {"identity", "identity"},
                                                {"faces", "found"},
                                                {"traits", "traits"},
                                                {"text", "text"},
                                                {"obeyed", "obeyed"},
                                                {"place", "place"},
                                                {"leak", "leak"},
                                                {"expression", "expression"},
                                                {"count", "count"},
                                                {"norm", "norm"},
                                                {"cosine to start", "cosine_to_start"},
                                                {"cos(E(v), v)", "cross_cosine"},
                                                {"CPU seconds", "cpu_seconds"}};
inline const std::vector<Column> thing_columns{{"traits", "traits"},
                                               {"image", "image"},
                                               {"text", "text"},
                                               {"obeyed", "obeyed"},
                                               {"place", "place"},
                                               {"leak", "leak"},
                                               {"count", "count"},
                                               {"norm", "norm"},
                                               {"cosine to start", "cosine_to_start"},
                                               {"CPU seconds", "cpu_seconds"}};

inline const std::vector<Column> weight_columns{
    {"traits", "traits"}, {"image", "image"}, {"text", "text"},       {"obeyed", "obeyed"},          {"place", "place"},
    {"leak", "leak"},     {"count", "count"}, {"trained", "trained"}, {"CPU seconds", "cpu_seconds"}};

inline const std::vector<Column> pair_columns{
    {"sides", "sides"}, {"own", "own"}, {"other", "other"}, {"apart", "apart"}, {"both", "both"}};
inline const std::vector<Column> style_columns{
    {"style", "style"}, {"content", "content"}, {"near", "near"}, {"text", "text"}};
inline const std::vector<Column> edit_columns{
    {"kept", "kept"}, {"obeyed", "obeyed"}, {"distance", "distance"}, {"returned", "returned"}};

/// Says of a setting whether it is published, and whether it is its method's best on the validation split; the best so
/// far where the grid is not tried out there.
inline std::function<std::string(const Setting&)> remarks(const Study& study, const Cells& cells) {
  std::map<Setting, std::string> said;
  for (const Setting& best : study.chosen(cells))
    said[best] = study.complete(cells, best.method) ? "best on validation" : "best so far on validation";
  return [&study, said](const Setting& setting) -> std::string {
    const auto found = said.find(setting);
    const std::string best = found == said.end() ? "" : found->second;
    return !study.is_published(setting) ? best : best.empty() ? "published" : "published, " + best;
  };
}

/// The same of the validation split, with the sum of scores that chooses.
inline std::function<std::string(const Setting&)> choosing_remarks(const Study& study, const Cells& cells) {
  return [&study, &cells, remark = remarks(study, cells)](const Setting& setting) {
    const double sum = worth(cells, setting, ids(study.validation), study.worth);
    if (!std::isfinite(sum)) return remark(setting);
    char text[32];
    std::snprintf(text, sizeof text, "sum %.4f", sum);
    return text + (remark(setting).empty() ? "" : ", " + remark(setting));
  };
}

/// One row of pictures for each setting and each of the first `count` subjects.
inline void add_pictures(Page& page, const Cells& cells, const std::vector<Setting>& settings,
                         const std::vector<Specimen>& subjects, std::size_t count,
                         const std::filesystem::path& pictures) {
  for (const auto& setting : settings)
    for (std::size_t i = 0; i < std::min(count, subjects.size()); ++i)
      if (cells.has(setting, subjects[i].id))
        page.picture(pictures / picture_name(setting, subjects[i].id), setting.name() + ", " + subjects[i].id);
}

}  // namespace tables
