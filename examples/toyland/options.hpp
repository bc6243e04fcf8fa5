#pragma once

#include <charconv>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace toyland {

/// `--key value` pairs of a command line; every program names its keys, and an unknown one is an error.
class Options {
 public:
  struct Help {
    std::string text{};
  };
  /// `known`: keys and their defaults. Throws Help where that is asked for.
  Options(int argc, char** argv, std::map<std::string, std::string> known) : values_(std::move(known)) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word == "--help") throw Help{"options:" + usage()};
      const auto found = word.starts_with("--") ? values_.find(std::string(word.substr(2))) : values_.end();
      if (found == values_.end() || i + 1 == argc)
        throw std::invalid_argument("'" + std::string(word) + "' is no option with a value here; options:" + usage());
      found->second = argv[++i];
    }
  }

  const std::string& text(const std::string& key) const { return values_.at(key); }
  double number(const std::string& key) const { return read<double>(key, "a number"); }
  /// A whole number; of threads and batches at least one.
  long count(const std::string& key) const {
    const auto value = read<long>(key, "a whole number");
    if (value < 1 && (key == "threads" || key == "batch"))
      throw std::invalid_argument("--" + key + " is " + values_.at(key) + ": at least 1");
    return value;
  }

 private:
  template <class T>
  T read(const std::string& key, const char* what) const {
    const auto& text = values_.at(key);
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      throw std::invalid_argument("--" + key + " is '" + text + "': expected " + what);
    return value;
  }
  std::string usage() const {
    std::string text;
    for (const auto& [key, value] : values_) text += " --" + key + " (" + value + ")";
    return text;
  }
  std::map<std::string, std::string> values_;
};

/// A program's exit code: 0 when it is done or has helped, 1 after an error, which is said.
inline int guarded(void (*make)(int, char**), int argc, char** argv) {
  try {
    make(argc, argv);
    return 0;
  } catch (const Options::Help& help) {
    std::cout << help.text << '\n';
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

}  // namespace toyland
