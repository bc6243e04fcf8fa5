#pragma once
// Settings in a file: TOML or JSON, flat, one key a setting.

#include "command/settings.hpp"

#include <persona/io/atomic_file.hpp>
#include <persona/io/read_file.hpp>

#include <toml++/toml.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace command {

/// What was given for each key, as text, and where.
struct Given {
  std::vector<std::string> values{};
  std::string where{};
};
using Givens = std::map<std::string, Given>;

/// Reads FILE.toml or FILE.json; throws Error with line and column where it is neither.
inline Givens read_config(const std::filesystem::path& file) {
  const auto bytes = persona::read_file(file);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  nlohmann::json table;
  if (file.extension() == ".json") {
    std::set<std::string> seen;
    const auto once = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& key) {
      if (event == nlohmann::json::parse_event_t::key && depth == 1 && !seen.insert(key.get<std::string>()).second)
        throw persona::Error(file.string(), "gives " + key.dump() + " twice", "keep one of them");
      return true;
    };
    try {
      table = nlohmann::json::parse(text, once);
    } catch (const nlohmann::json::exception& error) {
      throw persona::Error(file.string(), "is no JSON: " + std::string(error.what()));
    }
  } else {
    try {
      std::stringstream as_json;
      as_json << toml::json_formatter(toml::parse(text, file.string()));
      table = nlohmann::json::parse(as_json.str());
    } catch (const toml::parse_error& error) {
      const auto at = error.source().begin;
      throw persona::Error(file.string() + ":" + std::to_string(at.line) + ":" + std::to_string(at.column),
                           std::string(error.description()), "one 'key = value' a line; texts in quotes");
    }
  }
  if (!table.is_object()) throw persona::Error(file.string(), "holds no table of settings", "one 'key = value' a line");
  Givens givens;
  const auto as_text = [&](const std::string& key, const nlohmann::json& value) -> std::string {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value.is_number()) return value.dump();
    if (value.is_null()) throw persona::Error(file.string(), "'" + key + "' is null", "give a value, or leave it out");
    throw persona::Error(file.string(), "'" + key + "' is a table", "settings are flat: one 'key = value' a line");
  };
  for (const auto& [key, value] : table.items()) {
    Given given{.where = file.string()};
    if (value.is_array())
      for (const auto& one : value) given.values.push_back(as_text(key, one));
    else
      given.values.push_back(as_text(key, value));
    givens.emplace(key, std::move(given));
  }
  return givens;
}

/// Writes settings as TOML, whole or not at all: a run of this file is the same run.
inline void write_config(const std::filesystem::path& file, const std::vector<Parameter>& chosen,
                         const std::string& heading) {
  std::ostringstream text;
  text << "# " << heading << "\n";
  for (const Parameter& parameter : chosen) {
    if (!parameter.choices.empty() && text_of(parameter).empty()) continue;
    text << parameter.key << " = ";
    if (const auto* const* list = std::get_if<std::vector<std::string>*>(&parameter.value)) {
      toml::array array;
      for (const auto& one : **list) array.push_back(one);
      text << array;
    } else if (const auto* const* words = std::get_if<std::string*>(&parameter.value)) {
      text << toml::value<std::string>(**words);
    } else {
      text << text_of(parameter);
    }
    text << "\n";
  }
  persona::write_file_atomically(file, text.str());
}

}  // namespace command
