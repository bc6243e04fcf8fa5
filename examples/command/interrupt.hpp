#pragma once
// Ctrl-C, or a terminal that goes away, ends a run after the step that it is in; a second Ctrl-C ends the program.

#include <unistd.h>
#include <array>
#include <csignal>
#include <cstddef>
#include <exception>

namespace command {

/// What ends drawing and preparations, in which no step is under way.
struct Stopped : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

class Interrupt {
 public:
  Interrupt() {
    struct sigaction noted{};
    noted.sa_handler = &Interrupt::note;
    noted.sa_flags = SA_RESTART;
    struct sigaction ignored{};
    ignored.sa_handler = SIG_IGN;
    for (std::size_t i = 0; i < signals.size(); ++i) {
      ::sigaction(signals[i], nullptr, &before_[i]);
      // What nohup and shells have switched off stays so. A reader of the progress that goes away ends no run.
      if (before_[i].sa_handler != SIG_IGN) ::sigaction(signals[i], signals[i] == SIGPIPE ? &ignored : &noted, nullptr);
    }
  }
  ~Interrupt() {
    for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before_[i], nullptr);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  bool asked() const { return asked_ != 0; }
  /// Throws Stopped where somebody asked.
  void leave() const {
    if (asked()) throw Stopped();
  }

 private:
  static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGPIPE};

  static void note(int signal) {
    asked_ = 1;
    if (signal == SIGHUP) return;  // shell and kernel both send it when a terminal is closed
    static constexpr char said[] = "\nstopping; once more ends the program at once\n";
    static_cast<void>(::write(STDERR_FILENO, said, sizeof said - 1));
    std::signal(signal, SIG_DFL);
  }
  std::array<struct sigaction, 4> before_{};
  inline static volatile std::sig_atomic_t asked_ = 0;
};

}  // namespace command
