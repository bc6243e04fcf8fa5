#pragma once
// persona completion: what a shell asks for at a tab.

#include "command/files.hpp"
#include "command/usage.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <set>
#include <string>

namespace command {

namespace detail {
inline std::string flags_of(const CLI::App& app) {
  std::string list;
  for (const CLI::Option* option : app.get_options())
    for (const auto& name : option->get_lnames()) list += (list.empty() ? "--" : " --") + name;
  return list;
}
/// All flags that take a value, as a pattern of bash.
inline std::string takers_of(const CLI::App& app) {
  std::set<std::string> flags;
  for (const CLI::App* sub : app.get_subcommands({}))
    for (const CLI::Option* option : sub->get_options())
      if (option->get_items_expected_max() > 0)
        for (const auto& name : option->get_lnames()) flags.insert("--" + name);
  std::string pattern;
  for (const auto& flag : flags) pattern += (pattern.empty() ? "" : "|") + flag;
  return pattern;
}
}  // namespace detail

/// Writes a completion script of bash or zsh (which reads bash's) for the program's subcommands and flags.
inline int complete(const CLI::App& app, const std::string& shell) {
  if (shell != "bash" && shell != "zsh") throw Usage("completion", "'" + shell + "' is not known", "bash or zsh");
  std::string commands, methods;
  for (const CLI::App* sub : app.get_subcommands({})) commands += (commands.empty() ? "" : " ") + sub->get_name();
  for (const Method& method : command::methods()) methods += (methods.empty() ? "" : " ") + method.name;
  auto& out = std::cout;
  if (shell == "zsh") out << "#compdef persona\nautoload -U +X bashcompinit && bashcompinit\n";
  out << "_persona_words() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
         "  case $before in\n"
         "    --method|methods) words='"
      << methods
      << "' ;;\n"
         "    --to) words='"
      << detail::all_formats(" ")
      << "' ;;\n"
         "    --device) words='auto cpu cuda' ;;\n"
         "    completion) words='bash zsh' ;;\n";
  Settings settings;
  for (const Parameter& parameter : parameters(settings)) {
    if (parameter.choices.empty()) continue;
    out << "    " << parameter.flag() << ") words='";
    for (std::size_t i = 0; i < parameter.choices.size(); ++i) out << (i ? " " : "") << parameter.choices[i];
    out << "' ;;\n";
  }
  // Behind a flag that takes a value, and where no flag is begun, a file's name is meant: -o default.
  out << "    " << detail::takers_of(app)
      << ") COMPREPLY=(); return ;;\n"
         "  esac\n"
         "  if [ -z \"$words\" ]; then\n"
         "    case ${COMP_CWORD}:${COMP_WORDS[1]-}:$word in\n"
         "      1:*) words='"
      << commands << "' ;;\n";
  for (const CLI::App* sub : app.get_subcommands({}))
    out << "      *:" << sub->get_name() << ":-*) words='" << detail::flags_of(*sub) << "' ;;\n";
  out << "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _persona_words persona\n";
  // zsh reads the file at the first tab, and wants its answer at once.
  if (shell == "zsh") out << "[ \"${funcstack[1]-}\" != _persona ] || _bash_complete -o default -F _persona_words\n";
  return done;
}

}  // namespace command
