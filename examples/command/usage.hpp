#pragma once
// From flags and a file to the settings of a run.

#include "command/config_file.hpp"
#include "command/methods.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace command {

/// The command line was wrong: exit code 2, where a run that failed has 1.
struct Usage : persona::Error {
  using Error::Error;
  explicit Usage(const persona::Error& error) : Error(error) {}
};

/// What a program answers to its caller.
enum Exit : int { done = 0, failed = 1, misused = 2, interrupted = 130 };

namespace detail {

inline std::string kind_of(const Parameter& parameter) {
  if (std::holds_alternative<std::int64_t*>(parameter.value)) return "INT";
  if (std::holds_alternative<double*>(parameter.value)) return "NUMBER";
  if (std::holds_alternative<std::vector<std::string>*>(parameter.value)) return "TEXT ...";
  std::string choices;
  for (const auto& choice : parameter.choices) choices += (choices.empty() ? "" : "|") + choice;
  return choices.empty() ? "TEXT" : choices;
}

/// The methods that read a setting.
inline std::string readers(const std::string& key) {
  std::string list;
  for (const Method& method : methods())
    if (method.reads_key(key)) list += (list.empty() ? "" : ", ") + method.name;
  return list;
}

}  // namespace detail

/// What a program was called with, its lists of texts apart: CLI11 would read brackets in them, and take a flag for
/// one.
struct Arguments {
  std::vector<std::string> others{};                        ///< the last one first, as CLI11 wants them
  std::map<std::string, std::vector<std::string>> texts{};  ///< "--prompt" -> all that stands behind it

  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string given = argv[i], flag = given.substr(0, given.find('='));
      if (flag != "--prompt" && flag != "--learned" && flag != "--validation-prompts") {
        others.insert(others.begin(), given);
        continue;
      }
      auto& list = texts[flag];
      const auto had = list.size();
      if (flag.size() < given.size()) list.push_back(given.substr(flag.size() + 1));
      while (i + 1 < argc && !std::string_view(argv[i + 1]).starts_with("--") && argv[i + 1] != std::string_view("-h"))
        list.emplace_back(argv[++i]);
      if (list.size() == had)
        throw Usage(flag, i + 1 < argc ? std::string("is given no text before ") + argv[i + 1] : "is given no text",
                    flag + " 'a text' 'another'");
    }
  }
  /// Throws Usage where the command takes no such list.
  void expect_known(const CLI::App& command) const {
    for (const auto& [flag, list] : texts)
      if (!command.get_option_no_throw(flag))
        throw Usage(flag, "is no flag of persona " + command.get_name(), "persona " + command.get_name() + " --help");
  }
  /// Throws Usage where another flag is none of the command's: CLI11 would not say which was meant.
  void expect_flags(const CLI::App& command) const {
    std::vector<std::string> known;
    for (const CLI::Option* option : command.get_options())
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    for (auto at = others.rbegin(); at != others.rend(); ++at) {
      const auto flag = at->substr(0, at->find('='));
      if (!flag.starts_with("--") || flag.size() == 2 || std::ranges::find(known, flag) != known.end()) continue;
      const auto meant = nearest(flag, known);
      throw Usage(flag,
                  "is no flag of persona " + command.get_name() + (meant.empty() ? "" : "; was " + meant + " meant?"),
                  "persona " + command.get_name() + " --help");
    }
  }
  std::vector<std::string> list(const std::string& flag) const {
    const auto found = texts.find(flag);
    return found == texts.end() ? std::vector<std::string>{} : found->second;
  }
};

/// A flag for every setting that `wanted` takes; what is given lands in `givens`.
inline void add_flags(CLI::App& app, Givens& givens, const std::function<bool(const Parameter&)>& wanted) {
  Settings defaults;
  for (const Parameter& parameter : parameters(defaults)) {
    if (!wanted(parameter)) continue;
    const auto key = parameter.key, flag = parameter.flag();
    // const: CLI11 would take it for the place where the value goes.
    const auto help = parameter.help + (parameter.of_method ? " (" + detail::readers(key) + ")" : "");
    CLI::Option* option = nullptr;
    if (std::holds_alternative<bool*>(parameter.value)) {
      option = app.add_flag_function(
          flag + ",!--no-" + flag.substr(2),
          [&givens, key, flag](std::int64_t count) { givens[key] = {{count > 0 ? "true" : "false"}, flag}; }, help);
    } else if (std::holds_alternative<std::vector<std::string>*>(parameter.value)) {
      option = app.add_option(flag, help)->expected(-1);  // read by Arguments
    } else {
      option = app.add_option_function<std::string>(
          flag, [&givens, key, flag](const std::string& text) { givens[key] = {{text}, flag}; }, help);
    }
    if (!std::holds_alternative<bool*>(parameter.value)) option->type_name(detail::kind_of(parameter));
    if (!std::holds_alternative<std::vector<std::string>*>(parameter.value)) option->take_last();
    option->group(parameter.of_method ? "Of some methods" : "Of every run");
  }
}

namespace detail {

inline const Parameter& parameter_of(const std::vector<Parameter>& all, const std::string& key,
                                     const std::string& where) {
  std::vector<std::string> keys;
  for (const Parameter& parameter : all) {
    if (parameter.key == key) return parameter;
    keys.push_back(parameter.key);
  }
  const auto meant = nearest(key, keys);
  throw Usage(where, "'" + key + "' is no setting" + (meant.empty() ? "" : "; was " + meant + " meant?"),
              "persona personalize --help lists them");
}

inline const std::string& single(const Given& given, const std::string& key) {
  if (given.values.size() != 1)
    throw Usage(given.where, key + " takes one value, " + std::to_string(given.values.size()) + " are given");
  return given.values.front();
}

inline void apply(const std::vector<Parameter>& all, const Givens& givens, const Method& method) {
  for (const auto& [key, given] : givens) {
    const auto& parameter = parameter_of(all, key, given.where);
    if (parameter.of_method && !method.reads_key(key))
      throw Usage(given.where, "the method " + method.name + " does not read " + key, "these do: " + readers(key));
    if (auto* const* list = std::get_if<std::vector<std::string>*>(&parameter.value))
      (*list)->clear();
    else
      (void)single(given, key);
    try {
      for (const auto& value : given.values) assign(parameter, value, given.where);
    } catch (const persona::Error& error) {
      throw Usage(error);
    }
  }
}

inline const Given* find(const Givens& flags, const Givens& file, const std::string& key) {
  if (const auto at = flags.find(key); at != flags.end()) return &at->second;
  if (const auto at = file.find(key); at != file.end()) return &at->second;
  return nullptr;
}

}  // namespace detail

/// The method's presets, then the file's settings, then the flags'. Throws Usage naming flag or file and key.
inline Settings resolve(const Givens& flags, const Givens& file) {
  Settings settings;
  const auto all = parameters(settings);
  std::string where = "--method";
  if (const auto* given = detail::find(flags, file, "method"))
    settings.method = detail::single(*given, "method"), where = given->where;
  const Method* method = nullptr;
  try {
    method = &method_of(settings.method, where);
  } catch (const persona::Error& error) {
    throw Usage(error);
  }
  if (const auto* given = detail::find(flags, file, "as_published"))
    settings.as_published = detail::single(*given, "as_published") == "true";
  if (!method->learns_rows || method->name == "custom_diffusion") settings.captions = "a photo of a {}";
  if (!method->learns_rows) settings.token = "sks";
  method->preset(settings);
  const auto own = settings;
  detail::apply(all, file, *method);
  detail::apply(all, flags, *method);
  if (settings.lr == 0) settings.lr = own.lr;
  if (settings.steps == 0) settings.steps = own.steps;
  return settings;
}

/// Settings of what is no run: no method has a say.
inline Settings resolve_alone(const Givens& flags) {
  Settings settings;
  const auto all = parameters(settings);
  for (const auto& [key, given] : flags) {
    try {
      assign(detail::parameter_of(all, key, given.where), given.values.at(0), given.where);
    } catch (const persona::Error& error) {
      throw Usage(error);
    }
  }
  return settings;
}

/// The settings that a run of this method depends on: what its file holds.
inline std::vector<Parameter> chosen(Settings& settings) {
  auto all = parameters(settings);
  const auto& method = method_of(settings.method);
  std::erase_if(all, [&](const Parameter& p) { return p.of_method && !method.reads_key(p.key); });
  return all;
}

}  // namespace command
