#pragma once

#include <persona/core/error.hpp>
#include <persona/stable_diffusion/tokenizer_json.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace persona::detail {

/// One config.json, read key by key. What is not asked for, not known to be harmless and not checked is an error: a key that could change
/// the arithmetic never passes in silence.
class ConfigFile {
 public:
  explicit ConfigFile(const std::filesystem::path& path) : file_(path.string()), json_(JsonFileReader::read(path).value) {
    if (!json_.is_object()) throw Error(file_, "must be a JSON object");
  }

  bool has(const char* key) const { return json_.contains(key) && !json_.at(key).is_null(); }

  /// Overwrites `value` where the key is there and not null.
  void read(const char* key, std::int64_t& value) { take(key, value, "an integer", [](const auto& j) { return j.is_number_integer(); }); }
  void read(const char* key, double& value) { take(key, value, "a number", [](const auto& j) { return j.is_number(); }); }
  void read(const char* key, bool& value) { take(key, value, "true or false", [](const auto& j) { return j.is_boolean(); }); }
  void read(const char* key, std::string& value) { take(key, value, "a string", [](const auto& j) { return j.is_string(); }); }
  void read(const char* key, std::vector<std::int64_t>& value) {
    take(key, value, "a list of integers", [](const auto& j) { return list_of(j, [](const auto& e) { return e.is_number_integer(); }); });
  }
  void read(const char* key, std::vector<std::string>& value) {
    take(key, value, "a list of strings", [](const auto& j) { return list_of(j, [](const auto& e) { return e.is_string(); }); });
  }
  /// A list with one entry a level, or one integer for all.
  void read_by_level(const char* key, std::vector<std::int64_t>& value, std::size_t levels) {
    if (has(key) && json_.at(key).is_number_integer()) {
      known_.insert(key);
      value.assign(levels, json_.at(key).template get<std::int64_t>());
    } else {
      if (!has(key)) value.assign(levels, value.empty() ? 1 : value.front());
      read(key, value);
    }
  }

  /// Throws unless the key is missing or has one of the values (JSON text).
  void only(const char* key, std::initializer_list<const char*> allowed) {
    known_.insert(key);
    if (!json_.contains(key)) return;
    std::string list;
    for (const char* text : allowed) {
      if (json_.at(key) == nlohmann::json::parse(text)) return;
      list += (list.empty() ? "" : ", ") + std::string(text);
    }
    throw Error(file_ + ": " + key, "is " + json_.at(key).dump(), "supported: " + list);
  }
  /// Keys that change no arithmetic here.
  void ignore(std::initializer_list<const char*> keys) { known_.insert(keys.begin(), keys.end()); }

  /// Throws Error naming every key that nothing above spoke of.
  void finish() const {
    std::string unknown;
    for (const auto& [key, value] : json_.items())
      if (!key.starts_with("_") && !known_.contains(key)) unknown += (unknown.empty() ? "'" : ", '") + key + "' = " + value.dump();
    if (!unknown.empty())
      throw Error(file_, "holds what this version does not know: " + unknown, "it might change what the model computes; remove the key if you know that it does not");
  }

  const std::string& file() const { return file_; }

 private:
  template <class F>
  static bool list_of(const nlohmann::json& json, F&& f) {
    if (!json.is_array() || json.empty()) return false;
    for (const auto& entry : json)
      if (!f(entry)) return false;
    return true;
  }
  template <class T, class F>
  void take(const char* key, T& value, const char* what, F&& fits) {
    known_.insert(key);
    if (!has(key)) return;
    const auto& found = json_.at(key);
    if (!fits(found)) throw Error(file_ + ": " + key, std::string("must be ") + what + ", is " + found.dump().substr(0, 80));
    value = found.template get<T>();
  }

  std::string file_;
  nlohmann::json json_;
  std::set<std::string> known_{};
};

}  // namespace persona::detail
