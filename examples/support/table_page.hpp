#pragma once
// The tables as a page with pictures and curves, and as Markdown.

#include "support/table_cells.hpp"

#include <persona/images.hpp>
#include <persona/io/report.hpp>

#include <algorithm>
#include <cctype>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tables {

/// A page and a Markdown file that say the same.
class Page {
 public:
  explicit Page(const std::string& title) : report_(title), markdown_("# " + title + "\n\n") {}

  Page& section(const std::string& heading) {
    report_.section(heading), markdown_ += "## " + heading + "\n\n";
    return *this;
  }
  Page& paragraph(const std::string& text) {
    report_.paragraph(text), markdown_ += text + "\n\n";
    return *this;
  }
  Page& table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
    report_.table(header, rows);
    const auto line = [](const std::vector<std::string>& cells) {
      std::string text = "|";
      for (const auto& cell : cells) text += " " + cell + " |";
      return text + "\n";
    };
    markdown_ += line(header) + line(std::vector<std::string>(header.size(), "---"));
    for (const auto& row : rows) markdown_ += line(row);
    markdown_ += "\n";
    return *this;
  }
  /// Of a result that there is; its picture may be on another machine.
  Page& picture(const std::filesystem::path& file, const std::string& caption) {
    if (!std::filesystem::exists(file)) return absent_.insert(file.filename().string()), *this;
    const auto image = persona::read_image(file);
    report_.image(image, caption, image.width);
    return *this;
  }
  /// The pictures that were asked for and are not there.
  const std::set<std::string>& absent() const { return absent_; }
  Page& chart(const std::string& title, const std::vector<persona::Series>& lines, const char* x_label = "step") {
    report_.chart(title, lines, {.x_label = x_label});
    std::string name;
    for (const char c : title)
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '_')
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      else if (!name.empty() && name.back() != '_')
        name += '_';
    name += ".svg";
    markdown_ += "![" + title + "](charts/" + name + ")\n\n";
    charts_.push_back({std::move(name), lines, x_label});
    return *this;
  }
  /// FOLDER/tables.html, and tables.md with its charts.
  void save(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder / "charts");
    report_.save(folder / "tables.html");
    for (const auto& [name, lines, x_label] : charts_)
      persona::write_chart(folder / "charts" / name, lines, {.x_label = x_label});
    persona::write_file_atomically(folder / "tables.md", markdown_);
  }

 private:
  struct Chart {
    std::string name{};
    std::vector<persona::Series> lines{};
    std::string x_label{};
  };
  persona::Report report_;
  std::string markdown_;
  std::vector<Chart> charts_{};
  std::set<std::string> absent_{};
};

/// A score's mean; with `above`, how many subjects have more.
struct Column {
  std::string title{}, key{};
  std::optional<double> above{};
};

/// A row a setting: its scores over the subjects, how many there are, and what is to be said of it. A score that fewer
/// subjects have says of how many it is; a run that broke off has none.
inline void add_table(Page& page, const Cells& cells, const std::vector<Setting>& settings,
                      const std::vector<std::string>& subjects, const std::vector<Column>& columns,
                      const std::function<std::string(const Setting&)>& remark) {
  std::vector<std::string> header{"method", "learning rate", "steps"};
  for (const auto& column : columns) header.push_back(column.title);
  header.insert(header.end(), {"subjects", "remark"});
  std::vector<std::vector<std::string>> rows;
  for (const Setting& setting : settings) {
    char lr[24];
    std::snprintf(lr, sizeof lr, "%g", setting.lr);
    std::vector<std::string> row{setting.method, lr, std::to_string(setting.steps)};
    const auto count = cells.count(setting, subjects);
    if (count == 0) continue;
    for (const auto& column : columns) {
      const auto mean = cells.mean(setting, subjects, column.key);
      if (column.above) {
        row.push_back(mean.count == 0 ? "" : std::to_string(cells.above(setting, subjects, column.key, *column.above)));
        continue;
      }
      row.push_back(mean.text(column.key == "cpu_seconds" ? 1 : 3) +
                    (mean.count > 0 && mean.count < count ? " (of " + std::to_string(mean.count) + ")" : ""));
    }
    row.push_back(std::to_string(count)), row.push_back(remark(setting));
    rows.push_back(std::move(row));
  }
  page.table(header, rows);
}

/// What a curve's points hold, beside the step; layered rows have a loss alone.
enum class Curve { loss = 1, norm, cosine_to_start, cross_cosine, cross_norm };

/// The curves that one subject left.
inline std::vector<persona::Series> curves(const Cells& cells, const std::vector<Setting>& settings,
                                           const std::string& subject, Curve what) {
  const auto column = static_cast<std::size_t>(what);
  std::vector<persona::Series> lines;
  for (const Setting& setting : settings) {
    const auto results = cells.read(setting);
    if (!results.contains(subject) || !results[subject].contains("curve")) continue;
    const auto& curve = results[subject]["curve"];
    if (curve.empty() || curve.front().size() <= column) continue;
    persona::Series line{setting.name()};
    for (const auto& point : curve)
      line.x.push_back(point[0].get<double>()), line.y.push_back(point[column].get<double>());
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace tables
