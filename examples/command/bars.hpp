#pragma once
// Progress of what takes long beside training: class images, decompositions, pictures.

#include <persona/model/sample_options.hpp>
#include <persona/train/progress.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

namespace command {

/// A progress bar for whatever takes long, one after the other.
class Bars {
 public:
  explicit Bars(std::function<void()> at_each = {}) : at_each_(std::move(at_each)) {}
  void operator()(const std::string& what, std::int64_t now, std::int64_t all) {
    if (at_each_) at_each_();
    if (::isatty(STDERR_FILENO) != 1) return;  // training alone has lines in a log
    if (!bar_ || what != what_) bar_.emplace(what_ = what, persona::ProgressOptions{.unit = {}});
    bar_->update(now, all);
    if (now >= all) bar_.reset();
  }
  /// How pictures are drawn, with a bar.
  persona::SampleOptions of(const std::string& what, persona::SampleOptions drawing) {
    drawing.progress = [this, what](std::int64_t now, std::int64_t all) { (*this)(what, now, all); };
    return drawing;
  }

 private:
  std::function<void()> at_each_;  ///< may throw, to leave
  std::optional<persona::ProgressBar> bar_{};
  std::string what_{};
};

}  // namespace command
