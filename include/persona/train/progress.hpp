#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace persona {

/// Where and how a ProgressBar draws; what is not given is asked of the environment (NO_COLOR, TERM, COLUMNS, the
/// locale).
struct ProgressOptions {
  std::ostream* out = &std::cerr;
  std::optional<bool> terminal{};         ///< default: stderr is one, and TERM is not "dumb"
  std::optional<bool> color{};            ///< default: unless NO_COLOR is set
  std::optional<bool> unicode{};          ///< default: where the locale is UTF-8
  std::optional<std::int64_t> columns{};  ///< default: COLUMNS, else what the terminal says, else 80
  std::function<double()> seconds{};      ///< a clock; default: std::chrono::steady_clock
  std::string unit = "steps";             ///< what is counted; empty: the label says it
};

/// One line on stderr with share done, steps a second, time left and loss. A terminal sees it redrawn at most ten times
/// a second; a log file gets a first and a last line and no carriage return. Call it with each Step of a run, or
/// `update` it yourself.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label = {}, ProgressOptions options = {})
      : label_(std::move(label)), options_(std::move(options)) {
    const auto variable = [](const char* name) { return std::string_view(std::getenv(name) ? std::getenv(name) : ""); };
    if (!options_.terminal) options_.terminal = ::isatty(STDERR_FILENO) == 1 && variable("TERM") != "dumb";
    if (!options_.color) options_.color = variable("NO_COLOR").empty();
    if (!options_.unicode) {
      std::string_view locale = variable("LC_ALL");
      if (locale.empty()) locale = variable("LC_CTYPE");
      if (locale.empty()) locale = variable("LANG");
      options_.unicode = locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
    }
    if (!options_.seconds)
      options_.seconds = [] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
      };
  }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// A loop that stopped early leaves its line finished.
  ~ProgressBar() {
    note_.clear();  // of an older step
    if (total_) finish();
  }

  /// For a persona::Step, or whatever has `index` (from 1), `steps` and `loss()`; the loss is read only when it is
  /// drawn.
  template <class S>
    requires requires(const S& step) { step.index, step.steps, step.loss(); }
  void operator()(const S& step) {
    update(step.index, step.steps, [&] {
      char text[40];
      std::snprintf(text, sizeof text, "loss %.4f", static_cast<double>(step.loss()));
      return std::string(text);
    });
  }

  /// `done` of `total` are finished; `note` gives a few words for the end of the line, asked for only when it is drawn.
  void update(std::int64_t done, std::int64_t total, const std::function<std::string()>& note = {}) {
    const double now = options_.seconds();
    const bool first = !total_;
    if (first) {
      first_ = done;
      started_ = now;
    }
    total_ = total;
    last_ = done;
    now_ = now;
    if (done >= total) {
      if (note) note_ = note();
      return finish();
    }
    if (!*options_.terminal) {
      if (first) *options_.out << prefix() << total << unit() << std::endl;
    } else if (first || now - drawn_ >= 0.1) {
      if (note) note_ = note();
      drawn_ = now;
      draw();
    }
  }

  /// 65 -> "1:05", 3700 -> "1:01:40".
  static std::string clock(double seconds) {
    const auto s = static_cast<std::int64_t>(std::clamp(std::round(seconds), 0.0, 359999.0));
    char text[16];
    if (s < 3600)
      std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(s / 60), static_cast<int>(s % 60));
    else
      std::snprintf(text, sizeof text, "%d:%02d:%02d", static_cast<int>(s / 3600), static_cast<int>(s / 60 % 60),
                    static_cast<int>(s % 60));
    return text;
  }

 private:
  std::string unit() const { return options_.unit.empty() ? "" : " " + options_.unit; }
  std::string prefix() const { return label_.empty() ? "" : label_ + ": "; }

  // The first step warms caches up, so time is counted from its end.
  std::optional<double> rate() const {
    if (last_ <= first_ || now_ <= started_) return {};
    return static_cast<double>(last_ - first_) / (now_ - started_);
  }
  static std::string rate_text(double rate) {
    char text[32];
    if (rate >= 1)
      std::snprintf(text, sizeof text, "%.1f it/s", rate);
    else
      std::snprintf(text, sizeof text, "%.1f s/it", 1 / rate);
    return text;
  }

  std::int64_t columns() const {
    if (options_.columns) return *options_.columns;
    if (const char* given = std::getenv("COLUMNS"); given && std::atoi(given) > 0) return std::atoi(given);
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
  }

  // Display columns, taken as code points; cut so that no line wraps, since a wrapped one cannot be redrawn.
  static std::int64_t width(std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  }
  static std::string cut(const std::string& text, std::int64_t columns) {
    std::int64_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
      if ((text[i] & 0xC0) != 0x80 && seen++ == columns) return text.substr(0, i);
    return text;
  }

  void draw() const {
    const double share = static_cast<double>(last_) / static_cast<double>(std::max<std::int64_t>(*total_, 1));
    char percent[16];
    std::snprintf(percent, sizeof percent, "%3d %% ", static_cast<int>(share * 100));
    std::string right = std::string(" ") + std::to_string(last_) + "/" + std::to_string(*total_);
    if (const auto speed = rate())
      right += "  " + rate_text(*speed) + "  " + clock(static_cast<double>(*total_ - last_) / *speed) + " left";
    if (!note_.empty()) right += "  " + note_;
    const auto left = prefix() + percent;
    const auto room = columns() - 1;
    const auto length = std::min<std::int64_t>(room - width(left) - width(right), 40);
    *options_.out << '\r';
    if (length < 5) {
      *options_.out << cut(left + right, std::max<std::int64_t>(room, 0));
    } else {
      const auto full = std::clamp<std::int64_t>(std::llround(share * static_cast<double>(length)), 0, length);
      *options_.out << left << (*options_.color ? "\x1b[36m" : "") << repeat(*options_.unicode ? "\u2501" : "#", full)
                    << (*options_.color ? "\x1b[2m" : "")
                    << repeat(*options_.unicode ? (*options_.color ? "\u2501" : "\u2500") : "-", length - full)
                    << (*options_.color ? "\x1b[0m" : "") << right;
    }
    *options_.out << "\x1b[K" << std::flush;
  }
  static std::string repeat(std::string_view piece, std::int64_t times) {
    std::string text;
    for (std::int64_t i = 0; i < times; ++i) text += piece;
    return text;
  }

  void finish() {
    if (*options_.terminal) *options_.out << '\r';
    *options_.out << prefix() << last_ << (last_ < *total_ ? " of " + std::to_string(*total_) : "") << unit() << " in "
                  << clock(now_ - started_);
    if (const auto speed = rate()) *options_.out << ", " << rate_text(*speed);
    if (!note_.empty()) *options_.out << ", " << note_;
    *options_.out << (*options_.terminal ? "\x1b[K" : "") << std::endl;
    total_.reset();
    note_.clear();
    drawn_ = 0;
  }

  std::string label_;
  ProgressOptions options_;
  std::optional<std::int64_t> total_{};
  std::int64_t first_ = 0, last_ = 0;
  double started_ = 0, now_ = 0, drawn_ = 0;
  std::string note_{};
};

}  // namespace persona
