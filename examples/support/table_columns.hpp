#pragma once
// What a table of people and one of animals and objects show of a setting, and what is to be said of it.

#include "support/table_page.hpp"
#include "support/table_plan.hpp"

namespace tables {

inline const std::vector<Column> person_columns{
    {"identity", "identity"},  {"faces", "found"}, {"alone", "alone"},
    {"traits", "traits"},      {"text", "text"},   {"obeyed", "obeyed"},
    {"place", "place"},        {"leak", "leak"},   {"expression", "expression"},
    {"who is there", "count"}, {"norm", "norm"},   {"cos(E(v), v)", "cross_cosine"},
    {"CPU seconds", "cpu_seconds"}};
inline const std::vector<Column> thing_columns{{"traits", "traits"}, {"image", "image"},    {"text", "text"},
                                               {"obeyed", "obeyed"}, {"place", "place"},    {"leak", "leak"},
                                               {"norm", "norm"},     {"CPU seconds", "cpu_seconds"}};

inline const std::vector<Column> weight_columns{{"traits", "traits"},   {"image", "image"},    {"text", "text"},
                                                {"obeyed", "obeyed"},   {"place", "place"},    {"leak", "leak"},
                                                {"trained", "trained"}, {"CPU seconds", "cpu_seconds"}};

inline const std::vector<Column> pair_columns{
    {"sides", "sides"}, {"own", "own"}, {"other", "other"}, {"apart", "apart"}, {"both", "both"}};
inline const std::vector<Column> edit_columns{
    {"kept", "kept"}, {"obeyed", "obeyed"}, {"distance", "distance"}, {"returned", "returned"}};

/// Says of a setting whether it is published, and whether it is its method's best on the validation split.
inline std::function<std::string(const Setting&)> remarks(const Study& study, const Cells& cells) {
  return [&study, best = study.chosen(cells)](const Setting& setting) -> std::string {
    const bool chosen = std::ranges::find(best, setting) != best.end();
    return study.is_published(setting) ? chosen ? "published, best on validation" : "published"
           : chosen                    ? "best on validation"
                                       : "";
  };
}

/// One row of pictures for each setting and each of the first `count` subjects.
inline void add_pictures(Page& page, const std::vector<Setting>& settings, const std::vector<Specimen>& subjects,
                         std::size_t count, const std::filesystem::path& pictures) {
  for (const auto& setting : settings)
    for (std::size_t i = 0; i < std::min(count, subjects.size()); ++i)
      page.picture(pictures / (setting.name() + "_" + subjects[i].id + ".png"), setting.name() + ", " + subjects[i].id);
}

}  // namespace tables
