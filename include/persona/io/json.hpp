#pragma once

#include <persona/core/error.hpp>
#include <persona/io/refuse.hpp>
#include <persona/io/utf8.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace persona {

namespace detail {

// Python writes Infinity and NaN as bare words, which JSON does not know: they become null.
inline void null_bare_infinities(std::string& text) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
        if (std::string_view(text).substr(i).starts_with(word)) text.replace(i, word.size(), "null");
    }
  }
}

inline nlohmann::json parse_json_file(const std::filesystem::path& path) {
  constexpr std::uintmax_t largest = 64 << 20;
  const auto name = path.string();
  std::error_code unreadable;
  if (!std::filesystem::is_regular_file(path, unreadable)) throw Error(name, "is not there, or is not a file");
  if (std::filesystem::file_size(path) > largest) throw Error(name, "expected at most 64 MiB of JSON");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(name, "cannot be opened", "may you read it?");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  refuse_other_formats(std::as_bytes(std::span(text)), text.size(), name);
  null_bare_infinities(text);

  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > 32) throw Error(name, "is nested deeper than 32 levels", "the file is damaged");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      throw Error(name, "'" + printable(value.get<std::string>()) + "' occurs twice",
                  "keep one: a second value would hide the first");
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    const std::string_view what = error.what();  // "[json.exception.parse_error.101] parse error at line 3, ..."
    const auto start = what.find("] ");
    throw Error(name, "is not valid JSON: " + printable(start == what.npos ? what : what.substr(start + 2)),
                "incomplete download?");
  }
}

template <class T>
inline constexpr bool is_json_list = false;
template <class T>
inline constexpr bool is_json_list<std::vector<T>> = true;

/// "a list of whole numbers".
template <class T>
std::string json_type_name(bool plural = false) {
  if constexpr (is_json_list<T>) return "a list of " + json_type_name<typename T::value_type>(true);
  if (std::same_as<T, bool>) return "true or false";
  const std::string name = std::integral<T> ? "whole number" : std::floating_point<T> ? "number" : "string";
  return plural ? name + "s" : "a " + name;
}

template <class T>
std::optional<T> json_to(const nlohmann::json& value) {
  if constexpr (is_json_list<T>) {
    if (!value.is_array()) return std::nullopt;
    T list;
    for (const auto& element : value) {
      auto one = json_to<typename T::value_type>(element);
      if (!one) return std::nullopt;
      list.push_back(*std::move(one));
    }
    return list;
  } else if constexpr (std::same_as<T, bool>) {
    return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
  } else if constexpr (std::same_as<T, std::int64_t>) {
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= std::uint64_t(std::numeric_limits<T>::max())
                          : value.is_number_integer();
    return fits ? std::optional(value.get<std::int64_t>()) : std::nullopt;
  } else if constexpr (std::same_as<T, double>) {
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
  } else {
    static_assert(std::same_as<T, std::string>,
                  "[persona] JsonObject reads bool, int64_t, double, string and lists of these");
    return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
  }
}

inline std::string json_shown(const nlohmann::json& value) {
  return printable(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace detail

/// The object of a JSON file, read key by key, strictly: a key twice, a value of another type or a key that nobody
/// asked for is an Error that names file, key, what was expected and what was found.
class JsonObject {
 public:
  /// Throws Error where the file is missing, not JSON, or not an object.
  static JsonObject read(const std::filesystem::path& path) { return {detail::parse_json_file(path), path.string()}; }

  JsonObject(nlohmann::json value, std::string name) : value_(std::move(value)), name_(std::move(name)) {
    if (!value_.is_object()) throw Error(name_, "expected an object, got " + detail::json_shown(value_));
  }

  const std::string& name() const { return name_; }
  const nlohmann::json& value() const { return value_; }
  bool contains(const std::string& key) const { return value_.contains(key); }

  /// The value of a key that must be there. T: bool, int64_t, double, std::string, or a vector of these.
  template <class T>
  T get(const std::string& key) {
    if (!contains(key)) throw Error(name_, "'" + key + "' is missing, expected " + detail::json_type_name<T>());
    return convert<T>(key);
  }
  /// The value of a key, or `otherwise` where it is not there.
  template <class T>
  T get(const std::string& key, T otherwise) {
    return contains(key) ? convert<T>(key) : otherwise;
  }
  /// The value of a key; nothing where it is not there or null.
  template <class T>
  std::optional<T> find(const std::string& key) {
    if (!contains(key)) return std::nullopt;
    if (!value_[key].is_null()) return convert<T>(key);
    read_.insert(key);
    return std::nullopt;
  }
  /// One value for all of `count`, or a list of `count` values.
  template <class T>
  std::vector<T> each(const std::string& key, std::size_t count) {
    if (!contains(key) || !value_[key].is_array()) return std::vector<T>(count, get<T>(key));
    auto list = convert<std::vector<T>>(key);
    if (list.size() != count)
      fail(key, "must have " + std::to_string(count) + " entries, got " + detail::json_shown(value_[key]));
    return list;
  }

  /// Where the key is there, its value must be one of `supported` (JSON text).
  void only(const std::string& key, std::initializer_list<const char*> supported) {
    read_.insert(key);
    if (!contains(key)) return;
    std::string list;
    for (const char* text : supported) {
      if (value_[key] == nlohmann::json::parse(text)) return;
      list += (list.empty() ? "" : ", ") + std::string(text);
    }
    fail(key, "is " + detail::json_shown(value_[key]), "supported: " + list);
  }
  /// These keys may be there, whatever they say.
  void ignore(std::initializer_list<const char*> keys) { read_.insert(keys.begin(), keys.end()); }

  /// Throws Error naming a key that was neither read nor ignored; names with a leading underscore are the writer's own.
  void expect_all_known() const {
    for (const auto& [key, value] : value_.items())
      if (!key.starts_with('_') && !read_.contains(key))
        fail(detail::printable(key), "is a key that is not known here, with the value " + detail::json_shown(value),
             "if it changes nothing in the model, remove it");
  }

  /// Throws Error about the value of a key: "unet/config.json: 'norm_eps' must be a number, got null".
  [[noreturn]] void fail(const std::string& key, const std::string& what, const std::string& hint = {}) const {
    throw Error(name_, "'" + key + "' " + what, hint);
  }

 private:
  template <class T>
  T convert(const std::string& key) {
    read_.insert(key);
    auto value = detail::json_to<T>(value_[key]);
    if (!value) fail(key, "must be " + detail::json_type_name<T>() + ", got " + detail::json_shown(value_[key]));
    return *std::move(value);
  }

  nlohmann::json value_;
  std::string name_;
  std::set<std::string> read_;
};

}  // namespace persona
