#pragma once
// The tables' memory: one small JSON file a setting, with what every subject gave; nothing is computed twice.

#include "command/folder_lock.hpp"

#include <persona/core/error.hpp>
#include <persona/io/atomic_file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tables {

/// A row of a table: a method, its learning rate and its steps.
struct Setting {
  std::string method{};
  double lr = 0;
  std::int64_t steps = 0;

  std::string name() const {
    char text[96];
    std::snprintf(text, sizeof text, "%s_lr%g_steps%lld", method.c_str(), lr, static_cast<long long>(steps));
    return text;
  }
  friend auto operator<=>(const Setting&, const Setting&) = default;
};

/// The file of a result's row of pictures.
inline std::string picture_name(const Setting& setting, const std::string& subject) {
  return setting.name() + "_" + subject + ".png";
}

/// Mean over subjects, and its standard error.
struct Mean {
  double mean = std::nan(""), error = std::nan("");
  std::size_t count = 0;

  std::string text(int digits = 2) const {
    char out[48];
    if (count == 0) return "";
    if (count == 1)
      std::snprintf(out, sizeof out, "%.*f", digits, mean);
    else
      std::snprintf(out, sizeof out, "%.*f ± %.*f", digits, mean, digits, error);
    return out;
  }
  /// Whether a difference is beyond what chance gives once in twenty, by Student's t.
  bool stands_out() const {
    constexpr std::array t{12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23,  // of two to twenty subjects
                           2.20,  2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09};
    if (count < 2 || mean == 0) return false;
    return std::abs(mean) >= t[std::min(count, t.size() + 1) - 2] * error;
  }
};

inline Mean mean_of(const std::vector<double>& values) {
  Mean result{.count = values.size()};
  if (values.empty()) return result;
  const double n = static_cast<double>(values.size());
  double sum = 0, square = 0;
  for (const double v : values) sum += v;
  for (const double v : values) square += (v - sum / n) * (v - sum / n);
  result.mean = sum / n;
  if (n > 1) result.error = std::sqrt(square / (n - 1) / n);
  return result;
}

/// The folder of results. A file holds the setting, what all results of the folder have in common (`common`: the model,
/// how it is drawn), and `subjects`: id -> scores. Results of another model or drawing are refused.
class Cells {
 public:
  Cells(std::filesystem::path folder, nlohmann::json common) : folder_(std::move(folder)), common_(std::move(common)) {
    std::filesystem::create_directories(folder_);
  }

  /// The results of a setting so far.
  nlohmann::json read(const Setting& setting) const {
    const auto path = folder_ / (setting.name() + ".json");
    if (!std::filesystem::exists(path)) return nlohmann::json::object();
    return read(path).at("subjects");
  }
  bool has(const Setting& setting, const std::string& subject) const {
    const std::lock_guard lock(mutex_);
    return read(setting).contains(subject);
  }
  void add(const Setting& setting, const std::string& subject, const nlohmann::json& result) {
    const std::lock_guard lock(mutex_);
    auto subjects = read(setting);
    subjects[subject] = result;
    const nlohmann::json cell{{"method", setting.method},
                              {"lr", setting.lr},
                              {"steps", setting.steps},
                              {"common", common_},
                              {"subjects", subjects}};
    persona::write_file_atomically(folder_ / (setting.name() + ".json"), cell.dump(1) + "\n");
  }

  /// One more score of a result that there is.
  void amend(const Setting& setting, const std::string& subject, const std::string& key, double value) {
    auto result = read(setting).at(subject);
    result[key] = value;
    add(setting, subject, result);
  }

  /// Takes over the results that another folder has and this one lacks, such as another machine's; returns how many.
  /// Throws Error where there is no such folder, or it is of another model or another way of drawing.
  std::size_t take(const std::filesystem::path& other) {
    if (!std::filesystem::is_directory(other))
      throw persona::Error(other.string(), "is no folder of results", "give one that tables wrote with --cells");
    const Cells theirs(other, common_);
    std::size_t taken = 0;
    for (const auto& entry : std::filesystem::directory_iterator(other)) {
      if (entry.path().extension() != ".json") continue;
      const auto cell = theirs.read(entry.path());
      const Setting setting{cell.value("method", ""), cell.value("lr", 0.0), cell.value("steps", std::int64_t{0})};
      for (const auto& [subject, result] : cell.at("subjects").items())
        if (!has(setting, subject)) add(setting, subject, result), ++taken;
    }
    return taken;
  }

  /// How many of the subjects have been tried.
  std::size_t count(const Setting& setting, const std::vector<std::string>& subjects) const {
    const auto all = read(setting);
    return static_cast<std::size_t>(std::ranges::count_if(subjects, [&](const auto& id) { return all.contains(id); }));
  }
  /// One score over the subjects named; those without a result, or without that score, are passed over.
  Mean mean(const Setting& setting, const std::vector<std::string>& subjects, const std::string& key) const {
    const auto all = read(setting);
    std::vector<double> values;
    for (const auto& id : subjects)
      if (has_score(all, id, key)) values.push_back(all[id][key]);
    return mean_of(values);
  }
  /// How many of the subjects have more than this of a score.
  std::size_t above(const Setting& setting, const std::vector<std::string>& subjects, const std::string& key,
                    double bound) const {
    const auto all = read(setting);
    return static_cast<std::size_t>(std::ranges::count_if(subjects, [&](const auto& id) {
      return has_score(all, id, key) && all[id][key].template get<double>() > bound;
    }));
  }
  /// One setting's score less the other's, over the subjects named that have both: the mean of the paired differences.
  Mean difference(const Setting& one, const Setting& other, const std::vector<std::string>& subjects,
                  const std::string& key) const {
    const auto mine = read(one), theirs = read(other);
    std::vector<double> values;
    for (const auto& id : subjects)
      if (has_score(mine, id, key) && has_score(theirs, id, key))
        values.push_back(mine[id][key].get<double>() - theirs[id][key].get<double>());
    return mean_of(values);
  }

 private:
  /// A file of results, whole; throws Error where it is cut, or of another model or another way of drawing.
  nlohmann::json read(const std::filesystem::path& path) const {
    std::ifstream file(path);
    auto cell = nlohmann::json::parse(file, nullptr, false);
    if (!cell.is_object() || !cell.contains("common") || !cell.contains("subjects") || !cell["subjects"].is_object() ||
        !std::ranges::all_of(cell["subjects"], [](const auto& result) { return result.is_object(); }))
      throw persona::Error(path.string(), "is not a file of results: cut off, or changed by hand",
                           "delete it, and its results are computed again; or take it back from git");
    if (cell["common"] != common_)
      throw persona::Error(path.string(), "holds results of another model or another way of drawing",
                           "give another folder with --cells, or delete it");
    return cell;
  }
  static bool has_score(const nlohmann::json& results, const std::string& id, const std::string& key) {
    return results.contains(id) && results[id].contains(key) && results[id][key].is_number();
  }
  std::filesystem::path folder_;
  nlohmann::json common_;
  mutable std::mutex mutex_;
};

/// Held while results are added: two programs in one folder would write over each other's. Throws Error where another
/// holds it.
inline std::unique_ptr<command::FolderLock> hold(const std::filesystem::path& cells) {
  std::filesystem::create_directories(cells);
  try {
    return std::make_unique<command::FolderLock>(cells);
  } catch (const persona::Error& error) {
    if (!error.where().starts_with("--out")) throw;
    throw persona::Error("--cells " + cells.string(), "another program is adding results there",
                         "wait for it, stop it, or give another folder; --report writes the page meanwhile");
  }
}

}  // namespace tables
