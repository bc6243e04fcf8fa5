#pragma once
// The tables' memory: one small JSON file a setting, with what every subject gave; nothing is computed twice.

#include <persona/core/error.hpp>
#include <persona/io/atomic_file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
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
};

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
    std::ifstream file(path);
    if (!file) return nlohmann::json::object();
    const auto cell = nlohmann::json::parse(file);
    if (cell.at("common") != common_)
      throw persona::Error(path.string(), "holds results of another model or another way of drawing",
                           "give another folder with --cells, or delete it");
    return cell.at("subjects");
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
      if (all.contains(id) && all[id].contains(key) && all[id][key].is_number()) values.push_back(all[id][key]);
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

 private:
  std::filesystem::path folder_;
  nlohmann::json common_;
  mutable std::mutex mutex_;
};

}  // namespace tables
