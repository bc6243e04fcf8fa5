#pragma once

#include <persona/core/error.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/image.hpp>
#include <persona/io/png.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// One line of a chart; values that are not finite leave a gap.
struct Series {
  std::string name{};
  std::vector<double> x{}, y{};
};

/// What a chart says of its axes, and how tall it is drawn.
struct ChartOptions {
  std::string x_label{};
  std::string y_label{};
  std::int64_t height = 240;
};

/// A picture of a report, its caption, and how many screen pixels wide it is shown (0: as it is).
struct Figure {
  Image image{};
  std::string caption{};
  std::int64_t width = 0;
};

namespace detail {

inline std::string escape_html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      case '\'': safe += "&#39;"; break;
      default: safe += c;
    }
  }
  return safe;
}

inline std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto given = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (k < given ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) text += k <= given ? letters[three >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

// The point is a point whatever the program's locale says.
inline std::string rounded(double value, int digits) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr;
  return {text, end};
}
inline std::string pixels(double value) {
  char text[400];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 1).ptr;
  return {text, end};
}

/// Round values from about `low` to about `high`, 1, 2 or 5 times a power of ten apart.
inline std::vector<double> ticks(double low, double high, int about) {
  const double rough = (high - low) / about;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  std::vector<double> list;
  for (double tick = std::ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step)
    list.push_back(std::abs(tick) < step * 1e-9 ? 0 : tick);
  return list;
}

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Room for a line that does not move, and for charts without any value.
  void open() {
    if (!(low <= high)) low = 0, high = 1;
    if (high - low < 1e-12 * std::max(std::abs(low), std::abs(high)) || high == low) {
      const double room = low == 0 ? 1 : std::abs(low) * 0.1;
      low -= room;
      high += room;
    }
  }
};

/// A line chart as an SVG element: axes with ticks, grid lines, a legend where there is more than one line.
inline std::string svg_chart(const std::vector<Series>& series, const ChartOptions& options) {
  constexpr double width = 640, left = 62, right = 14;
  // The legend: one name after the other, on a new line where the next would not fit.
  std::vector<std::pair<double, double>> legend;
  double legend_x = left, legend_y = 15;
  for (const Series& line : series) {
    const double length = 44 + 7 * static_cast<double>(line.name.size());
    if (legend_x > left && legend_x + length > width) legend_x = left, legend_y += 18;
    legend.emplace_back(legend_x, legend_y);
    legend_x += length;
  }
  const double top = series.size() > 1 ? legend_y + 17 : 14, bottom = options.x_label.empty() ? 26 : 42;
  const auto height = static_cast<double>(std::max<std::int64_t>(options.height, 120));
  Range xs, ys;
  for (const Series& line : series) {
    if (line.x.size() != line.y.size())
      throw Error(
          "Report::chart",
          "'" + line.name + "' has " + std::to_string(line.x.size()) + " x and " + std::to_string(line.y.size()) + " y",
          "one y for every x");
    for (std::size_t i = 0; i < line.x.size(); ++i)
      if (std::isfinite(line.x[i]) && std::isfinite(line.y[i])) xs.add(line.x[i]), ys.add(line.y[i]);
  }
  xs.open();
  ys.open();
  const double above = (ys.high - ys.low) * 0.06;
  ys.low -= above;
  ys.high += above;
  const auto place = [&](double x, double y) {
    return std::pair(left + (x - xs.low) / (xs.high - xs.low) * (width - left - right),
                     height - bottom - (y - ys.low) / (ys.high - ys.low) * (height - top - bottom));
  };
  const auto text = [](double x, double y, const char* anchor, const std::string& words, const std::string& more = "") {
    return "<text x=\"" + pixels(x) + "\" y=\"" + pixels(y) + "\" text-anchor=\"" + anchor + "\"" + more + ">" +
           escape_html(words) + "</text>\n";
  };
  const auto line = [](double x1, double y1, double x2, double y2, const char* kind) {
    return std::string("<line class=\"") + kind + "\" x1=\"" + pixels(x1) + "\" y1=\"" + pixels(y1) + "\" x2=\"" +
           pixels(x2) + "\" y2=\"" + pixels(y2) + "\"/>\n";
  };

  std::string svg = "<svg class=\"chart\" viewBox=\"0 0 " + pixels(width) + " " + pixels(height) + "\" role=\"img\">\n";
  for (const double tick : ticks(ys.low, ys.high, 5)) {
    const auto y = place(xs.low, tick).second;
    svg += line(left, y, width - right, y, "rule") + text(left - 7, y + 4, "end", rounded(tick, 4));
  }
  for (const double tick : ticks(xs.low, xs.high, 7)) {
    const auto x = place(tick, ys.low).first;
    svg += line(x, height - bottom, x, height - bottom + 5, "axis") +
           text(x, height - bottom + 18, "middle", rounded(tick, 6));
  }
  svg += line(left, height - bottom, width - right, height - bottom, "axis") +
         line(left, top, left, height - bottom, "axis");
  if (!options.x_label.empty()) svg += text((left + width - right) / 2, height - 6, "middle", options.x_label);
  if (!options.y_label.empty())
    svg += text(0, 0, "middle", options.y_label,
                " transform=\"translate(14 " + pixels((top + height - bottom) / 2) + ") rotate(-90)\"");

  for (std::size_t s = 0; s < series.size(); ++s) {
    const auto kind = " class=\"line s" + std::to_string(s % 6) + "\"";
    std::string path;
    bool pen_down = false;
    for (std::size_t i = 0; i < series[s].x.size(); ++i) {
      const bool drawn = std::isfinite(series[s].x[i]) && std::isfinite(series[s].y[i]);
      if (drawn) {
        const auto [x, y] = place(series[s].x[i], series[s].y[i]);
        path += pen_down ? 'L' : 'M';
        path += pixels(x) + ' ' + pixels(y);
      }
      pen_down = drawn;
    }
    svg += "<path" + kind + " d=\"" + path + "\"/>\n";
    if (series.size() < 2) continue;
    const auto [x, y] = legend[s];
    svg += "<path" + kind + " d=\"M" + pixels(x) + ' ' + pixels(y) + "h18\"/>\n" +
           text(x + 24, y + 4, "start", series[s].name);
  }
  return svg + "</svg>\n";
}

inline constexpr std::string_view report_style =
    ":root{color-scheme:light "
    "dark;--ink:#222;--soft:#666;--rule:#e3e3e3;--page:#fff;--s0:#2563a8;--s1:#c2571a;--s2:#2f7d4f;"
    "--s3:#8a4fa3;--s4:#1e93a8;--s5:#b0304f}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#ddd;--soft:#999;--rule:#333;--page:#161616;--s0:#6ea8e0;--s1:#"
    "e88f5a;"
    "--s2:#6cc08f;--s3:#c193d8;--s4:#5fd0de;--s5:#e77f97}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:60rem;margin:2rem "
    "auto;padding:0 1rem}\n"
    "h1{font-size:1.7rem}h2{font-size:1.2rem;margin-top:2.5rem;border-bottom:1px solid "
    "var(--rule);padding-bottom:.3rem}\n"
    "figure{margin:.5rem .7rem .5rem 0;display:inline-block;vertical-align:top;max-width:100%}\n"
    "figure img{max-width:100%;height:auto;display:block}.enlarged{image-rendering:pixelated}\n"
    "figcaption{color:var(--soft);font-size:.85rem;max-width:30rem}\n"
    "table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}\n"
    "th,td{padding:.3rem .9rem .3rem 0;border-bottom:1px solid "
    "var(--rule);text-align:left;font-variant-numeric:tabular-nums}\n"
    ".wide{font-size:.75rem;width:max-content;max-width:calc(100vw - 3rem);position:relative;left:50%;transform:"
    "translateX(-50%)}.wide td{white-space:nowrap}.wide th,.wide td{padding-right:.7rem}\n"
    "th{color:var(--soft);font-weight:600}h3{font-size:1rem;margin:1.2rem 0 .2rem}\n"
    ".chart{width:100%;max-width:40rem;height:auto;display:block}.chart text{font:12px "
    "system-ui,sans-serif;fill:var(--soft)}\n"
    ".rule{stroke:var(--rule)}.axis{stroke:var(--soft)}.line{fill:none;stroke-width:1.8;stroke-linejoin:round}\n"
    ".s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}.s4{stroke:var(--s4)}.s5{"
    "stroke:var(--s5)}\n";

}  // namespace detail

/// A line chart as an SVG file of its own, written all or nothing; throws Error where a line has not one y for every x.
inline void write_chart(const std::filesystem::path& file, const std::vector<Series>& series,
                        const ChartOptions& options = {}) {
  auto svg = detail::svg_chart(series, options);
  svg.insert(svg.find(">\n") + 2, "<style>" + std::string(detail::report_style) + "</style>\n");
  svg.insert(svg.find(' '), " xmlns=\"http://www.w3.org/2000/svg\"");
  write_file_atomically(file, svg);
}

/// A web page in one file: sections with text, pictures, tables and line charts; it asks the network for nothing, reads
/// well in light and dark, and shows every text as it was given.
class Report {
 public:
  explicit Report(std::string title) : title_(std::move(title)) {}

  Report& section(std::string_view heading) { return add("<h2>" + detail::escape_html(heading) + "</h2>\n"); }
  Report& paragraph(std::string_view text) { return add("<p>" + detail::escape_html(text) + "</p>\n"); }

  Report& images(const std::vector<Figure>& figures) {
    body_ += "<div>\n";
    for (const Figure& figure : figures) {
      const auto shown = figure.width > 0 ? figure.width : figure.image.width;
      const auto enlarged = shown > figure.image.width ? " class=\"enlarged\"" : "";
      body_ += std::string("<figure><img") + enlarged + " width=\"" + std::to_string(shown) + "\" alt=\"" +
               detail::escape_html(figure.caption) + "\" src=\"data:image/png;base64," +
               detail::base64(encode_png(figure.image)) + "\">";
      if (!figure.caption.empty()) body_ += "<figcaption>" + detail::escape_html(figure.caption) + "</figcaption>";
      body_ += "</figure>\n";
    }
    return add("</div>\n");
  }
  Report& image(const Image& picture, std::string caption = {}, std::int64_t width = 0) {
    return images({{.image = picture, .caption = std::move(caption), .width = width}});
  }

  /// Throws Error unless every row has as many cells as the header.
  Report& table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
    for (const auto& row : rows)
      if (row.size() != header.size())
        throw Error("Report::table",
                    "a row has " + std::to_string(row.size()) + " cells, the header " + std::to_string(header.size()));
    const bool wide = header.size() > 8;  // wider than the text, in small letters
    body_ += std::string(wide ? "<table class=\"wide\">\n" : "<table>\n") + cells(header, "th");
    for (const auto& row : rows) body_ += cells(row, "td");
    return add("</table>\n");
  }

  /// Throws Error where a line has not as many x as y.
  Report& chart(std::string_view title, const std::vector<Series>& series, const ChartOptions& options = {}) {
    return add("<h3>" + detail::escape_html(title) + "</h3>\n" + detail::svg_chart(series, options));
  }

  std::string html() const {
    const auto title = detail::escape_html(title_);
    return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
           title + "</title>\n<style>\n" + std::string(detail::report_style) + "</style></head><body>\n<h1>" + title +
           "</h1>\n" + body_ + "</body></html>\n";
  }
  /// Writes the page, whole or not at all; throws Error naming the file.
  void save(const std::filesystem::path& path) const { write_file_atomically(path, html()); }

 private:
  static std::string cells(const std::vector<std::string>& row, std::string_view kind) {
    std::string text = "<tr>";
    for (const auto& cell : row)
      text.append("<").append(kind).append(">").append(detail::escape_html(cell)).append("</").append(kind).append(">");
    return text + "</tr>\n";
  }
  Report& add(std::string_view html) {
    body_ += html;
    return *this;
  }

  std::string title_, body_{};
};

}  // namespace persona
