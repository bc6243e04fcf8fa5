#include "support/catch.hpp"

#include <persona/train/progress.hpp>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

using Catch::Contains;
using persona::ProgressBar;

namespace {

struct FakeStep {
  std::int64_t index = 0, steps = 0;
  int* asked = nullptr;
  double loss() const {
    ++*asked;
    return 0.25;
  }
};

std::vector<std::string> redraws(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line, '\r');) lines.push_back(line);
  return lines;
}

// Columns on the screen: code points outside of escape sequences.
std::int64_t columns(const std::string& line) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      while (!std::isalpha(static_cast<unsigned char>(line[i]))) ++i;
    } else if ((line[i] & 0xC0) != 0x80 && line[i] != '\n') {
      ++count;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("A log gets a first and a last line, and neither carriage returns nor escapes") {
  std::ostringstream out;
  double now = 0;
  int asked = 0;
  ProgressBar bar("learning <ada>", {.out = &out, .terminal = false, .seconds = [&] { return now; }});
  for (std::int64_t i = 1; i <= 320; ++i, now += 0.5) bar(FakeStep{i, 320, &asked});
  CHECK(out.str() == "learning <ada>: 320 steps\nlearning <ada>: 320 steps in 2:40, 2.0 it/s, loss 0.2500\n");
  CHECK(asked == 1);  // a loss on a device is waited for once
}

TEST_CASE("A terminal sees one line, redrawn at most ten times a second") {
  std::ostringstream out;
  double now = 0;
  int asked = 0;
  ProgressBar bar("x", {.out = &out, .terminal = true, .color = false, .unicode = false, .columns = 80, .seconds = [&] {
                          return now;
                        }});
  for (std::int64_t i = 1; i <= 1000; ++i, now += 0.01) bar(FakeStep{i, 1000, &asked});
  const auto lines = redraws(out.str());
  CHECK(lines.size() >= 90);
  CHECK(lines.size() <= 105);
  CHECK(asked <= 105);
  CHECK(std::ranges::count(out.str(), '\n') == 1);
  CHECK(out.str().back() == '\n');
  CHECK_THAT(lines[50], Contains("x:  ") && Contains("####") && Contains("/1000") && Contains("it/s") &&
                            Contains(" left") && Contains("loss 0.2500"));
  CHECK_THAT(out.str(), !Contains("\x1b[36m"));
  for (const auto& line : lines) CHECK(columns(line) <= 79);
}

TEST_CASE("A narrow terminal gets a shorter line, never a second one") {
  for (const std::int64_t width : {1, 10, 20, 40, 60, 200}) {
    std::ostringstream out;
    double now = 0;
    int asked = 0;
    {
      ProgressBar bar("learning \xc3\xa9t\xc3\xa9",
                      {.out = &out, .terminal = true, .color = true, .unicode = true, .columns = width, .seconds = [&] {
                         return now;
                       }});
      for (std::int64_t i = 1; i < 50; ++i, now += 1) bar(FakeStep{i, 50, &asked});
      for (const auto& line : redraws(out.str())) CHECK(columns(line) <= std::max<std::int64_t>(width - 1, 0));
    }
  }
}

TEST_CASE("A loop that stops early, and one that goes on") {
  std::ostringstream out;
  double now = 0;
  const persona::ProgressOptions options{.out = &out, .terminal = false, .seconds = [&] { return now; }};
  {
    ProgressBar bar("drawing", options);
    for (std::int64_t i = 1; i <= 5; ++i, now += 2) bar.update(i, 8);
  }
  CHECK(out.str() == "drawing: 8 steps\ndrawing: 5 of 8 steps in 0:08, 2.0 s/it\n" + std::string());
  out.str("");
  {
    ProgressBar bar({}, options);
    bar.update(1, 1);
    bar.update(1, 1);
  }
  CHECK(out.str() == "1 steps in 0:00\n1 steps in 0:00\n");
}

TEST_CASE("Times") {
  CHECK(ProgressBar::clock(0) == "0:00");
  CHECK(ProgressBar::clock(65.4) == "1:05");
  CHECK(ProgressBar::clock(3700) == "1:01:40");
  CHECK(ProgressBar::clock(-3) == "0:00");
  CHECK(ProgressBar::clock(1e30) == "99:59:59");
}
