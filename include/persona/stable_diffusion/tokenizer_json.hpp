#pragma once

#include <persona/core/error.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace persona::detail {

// A text file as it is, without a byte-order mark.
inline std::string read_text_file(const std::filesystem::path& path) {
  std::ifstream file;
  if (std::filesystem::is_regular_file(path)) file.open(path, std::ios::binary);
  if (!file.is_open()) throw Error(path.string(), "cannot be read", "is it there, and a file?");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  return text;
}

// A JSON file in which no object has a key twice, and the line that each key stands on.
struct JsonFile {
  nlohmann::json value{};
  std::string name{};
  std::unordered_map<std::string, std::int64_t> lines{};  // of "parent/key"; the last where several objects share both

  std::string where(const std::string& parent, const std::string& key) const {
    const auto line = lines.find(parent + "/" + key);
    return line == lines.end() ? name : name + ":" + std::to_string(line->second);
  }
};

class JsonFileReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  using Json = nlohmann::json;

  static JsonFile read(const std::filesystem::path& path) {
    JsonFileReader reader;
    reader.file_.name = path.string();
    const std::string text = read_text_file(path);
    const Counted first{.at = text.data(), .line = &reader.line_},
        last{.at = text.data() + text.size(), .line = &reader.line_};
    Json::sax_parse(first, last, &reader);
    return std::move(reader.file_);
  }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const std::string parent = keys_.size() > 1 ? keys_[keys_.size() - 2] : std::string();
    if (open_.back()->contains(name))
      throw Error(here(), "the key '" + name + "' stands there twice",
                  "each key once: a second value would hide the first");
    file_.lines[parent + "/" + name] = line_;
    keys_.back() = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string& token, const Json::exception&) override {
    throw Error(here(), "not JSON at '" + token.substr(0, 40) + "'", "is the file complete?");
  }

 private:
  // Reads characters and counts the lines that are behind it.
  struct Counted {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;
    const char* at = nullptr;
    std::int64_t* line = nullptr;

    reference operator*() const { return *at; }
    Counted& operator++() {
      *line += *at++ == '\n';
      return *this;
    }
    Counted operator++(int) { return std::exchange(*this, ++Counted(*this)); }
    friend bool operator==(const Counted& a, const Counted& b) { return a.at == b.at; }
  };

  std::string here() const { return file_.name + ":" + std::to_string(line_); }

  Json& place() {
    if (open_.empty()) return file_.value;
    if (open_.back()->is_object()) return (*open_.back())[keys_.back()];
    return open_.back()->emplace_back();
  }
  template <class Value>
  bool put(Value&& value) {
    place() = std::forward<Value>(value);
    return true;
  }
  bool open(Json empty) {
    Json& node = place();
    node = std::move(empty);
    open_.push_back(&node);
    keys_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }

  JsonFile file_;
  std::vector<Json*> open_;        // the objects and arrays around the current value
  std::vector<std::string> keys_;  // the current key in each of them
  std::int64_t line_ = 1;
};

}  // namespace persona::detail
