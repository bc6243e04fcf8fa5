#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/images.hpp"

#include <persona/io/report.hpp>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <limits>
#include <locale>
#include <string>
#include <vector>

using namespace persona::test;
using Catch::Contains;
using persona::Report;

namespace {

std::vector<std::byte> from_base64(const std::string& text) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::byte> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(letters.find(c));
    if ((count += 6) >= 8) bytes.push_back(static_cast<std::byte>(bits >> (count -= 8)));
  }
  return bytes;
}

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t times = 0;
  for (auto at = text.find(piece); at != text.npos; at = text.find(piece, at + piece.size())) ++times;
  return times;
}

}  // namespace

TEST_CASE("Text stands in the page as it was given, and asks for nothing from outside") {
  Report report("<ada> & \"others\"");
  report.section("<script>alert(1)</script>").paragraph("a < b && c > 'd'").table({"<h>"}, {{"<img src=x>"}});
  report.image(noise(3, 2), "\"><b>")
      .chart("<t>", {{"<one>", {1, 2}, {3, 4}}, {"two", {1, 2}, {4, 3}}}, {.x_label = "<x>", .y_label = "<y>"});
  const auto html = report.html();
  CHECK_THAT(html, Contains("<title>&lt;ada&gt; &amp; &quot;others&quot;</title>"));
  CHECK_THAT(html, Contains("<p>a &lt; b &amp;&amp; c &gt; &#39;d&#39;</p>"));
  CHECK_THAT(html, Contains("<td>&lt;img src=x&gt;</td>"));
  for (const char* wrong : {"<script", "<b>", "<one>", "<x>", "<y>", "<t>", "http", "url(", "@import", "<link"}) {
    INFO(wrong);
    CHECK_THAT(html, !Contains(wrong));
  }
  for (const char* element : {"figure", "table", "tr", "svg", "body", "html", "p", "h2"})
    CHECK(count(html, std::string("<") + element + ">") + count(html, std::string("<") + element + " ") ==
          count(html, std::string("</") + element + ">"));
}

TEST_CASE("The picture in the page is the picture") {
  for (const auto& image : {noise(1, 1), noise(5, 4), noise(16, 16)}) {
    const auto html = Report("r").image(image).html();
    const std::string start = "data:image/png;base64,";
    const auto at = html.find(start) + start.size();
    CHECK(persona::decode_png(from_base64(html.substr(at, html.find('"', at) - at))) == image);
  }
}

TEST_CASE("A chart's lines lie where the numbers say, whatever they are") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto chart = [](std::vector<persona::Series> series) {
    return Report("r").chart("c", series, {.height = 200}).html();
  };
  // Left edge 62, right edge 640 - 14; a legend only for more than one line.
  const auto one = chart({{"a", {0, 5, 10}, {0, 1, 0}}});
  CHECK_THAT(one, Contains("d=\"M62.0 ") && Contains("L344.0 ") && Contains("L626.0 "));
  CHECK_THAT(one, !Contains(">a</text>"));
  CHECK_THAT(chart({{"a", {0, 1}, {0, 1}}, {"b", {0, 1}, {1, 0}}}),
             Contains(">a</text>") && Contains(">b</text>") && Contains("line s1"));
  // A gap starts a new piece, and numbers that are none reach no coordinate.
  const auto gap = chart({{"a", {0, 1, 2, 3}, {1, nan, 2, 3}}});
  CHECK(count(gap, "class=\"line s0\"") == 1);
  CHECK_THAT(gap, !Contains("nan") && !Contains("inf"));
  for (const auto& series :
       {persona::Series{"flat", {1, 2}, {0.5, 0.5}}, persona::Series{"zero", {1}, {0}}, persona::Series{"none", {}, {}},
        persona::Series{"large", {1, 2}, {1e300, -1e300}}, persona::Series{"close", {1, 2}, {1e16, 1e16 + 2}}}) {
    INFO(series.name);
    const auto html = chart({series});
    CHECK_THAT(html, Contains("</svg>"));
    CHECK(html.size() < 20000);
  }
  CHECK_THROWS_WITH(chart({{"a", {1, 2}, {1}}}), Contains("'a' has 2 x and 1 y"));
  CHECK_THROWS_WITH(Report("r").table({"a", "b"}, {{"1"}}), Contains("1 cells, the header 2"));
}

TEST_CASE("Ticks are round and cover the range") {
  using persona::detail::ticks;
  CHECK(ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
  CHECK(ticks(1, 320, 7) == std::vector<double>{50, 100, 150, 200, 250, 300});
  for (const double size : {1e-9, 0.3, 7.0, 1e6}) {
    const auto list = ticks(-size, size, 5);
    CHECK(list.size() >= 3);
    CHECK(list.size() <= 12);
    CHECK(std::count(list.begin(), list.end(), 0.0) == 1);
  }
}

TEST_CASE("A page is saved whole") {
  const Folder folder;
  Report("r").paragraph("hello").save(folder / "index.html");
  std::ifstream file(folder / "index.html");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == Report("r").paragraph("hello").html());
  CHECK_THROWS_WITH(Report("r").save(folder / "missing" / "index.html"), Contains("index.html"));
}
