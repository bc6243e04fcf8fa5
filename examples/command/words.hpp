#pragma once
// The library speaks of its fields and types; whoever uses the program has flags.

#include "command/settings.hpp"

#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace command {

/// "set LoadOptions::tokenizer" -> "set --tokenizer", "give .class_word" -> "give --class-word".
inline std::string in_flags(std::string text) {
  static const std::vector<std::pair<std::string, std::string>> whole{
      {"import_embedding(model, FILE) takes", "--model MODEL takes"},
      {"Learned::save keeps all", "the file that is converted keeps all"},
      {"keep Learned::save's file", "keep the file that is converted"},
      {"bake() and save_folder a whole model", "--to model a whole model"},
      {"VectorForm::scale", "--vector-form scale"},
      {".full = true", "--full-basis"}};
  for (const auto& [ours, theirs] : whole)
    for (auto at = text.find(ours); at != text.npos; at = text.find(ours, at + theirs.size()))
      text.replace(at, ours.size(), theirs);
  text = std::regex_replace(text, std::regex("(Weight)?Format::([a-z_]+)"), "--to $2");

  Settings settings;
  std::map<std::string, std::string> flags;
  for (const auto& parameter : parameters(settings)) flags[parameter.key] = parameter.flag();
  flags["feature"] = flags["face_feature"], flags["size"] = flags["basis_size"];
  flags["prompt"] = flags["class_prompt"], flags["images"] = flags["class_images"];
  flags["weight"] = flags["prior_loss_weight"];
  static const std::regex field("(^|[ ('\"])(?:LoadOptions::|\\.)([a-z_]+)(?![a-z_./])");
  std::string told;
  auto from = text.cbegin();
  for (std::sregex_iterator at(text.cbegin(), text.cend(), field), end; at != end; ++at) {
    const auto flag = flags.find((*at)[2].str());
    if (flag == flags.end()) continue;
    told.append(from, (*at)[0].first).append((*at)[1].str()).append(flag->second);
    from = (*at)[0].second;
  }
  return told.append(from, text.cend());
}

}  // namespace command
