#pragma once

#include <persona/core/error.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

/// The lines of a text file, without white space around them and without empty ones; throws Error naming the file.
inline std::vector<std::string> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path))
    throw Error(path.string(), "cannot be read as a text file", "one entry a line");
  std::vector<std::string> lines;
  constexpr std::string_view white = " \t\r\n\v\f";
  for (std::string line; std::getline(file, line);) {
    if (lines.empty() && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    const auto first = line.find_first_not_of(white);
    if (first != std::string::npos) lines.push_back(line.substr(first, line.find_last_not_of(white) + 1 - first));
  }
  if (lines.empty()) throw Error(path.string(), "holds no line", "one entry a line");
  return lines;
}

}  // namespace persona
