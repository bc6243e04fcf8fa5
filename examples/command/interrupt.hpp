#pragma once
// Ctrl-C, or a terminal that goes away, ends a run after the step that it is in; a second one ends the program.

#include <unistd.h>
#include <csignal>
#include <exception>

namespace command {

/// What ends drawing and preparations, in which no step is under way.
struct Stopped : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

class Interrupt {
 public:
  Interrupt() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, &Interrupt::note);
  }
  ~Interrupt() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  bool asked() const { return asked_ != 0; }
  /// Throws Stopped where somebody asked.
  void leave() const {
    if (asked()) throw Stopped();
  }

 private:
  static void note(int signal) {
    asked_ = 1;
    static constexpr char said[] = "\nstopping; once more ends the program at once\n";
    static_cast<void>(::write(STDERR_FILENO, said, sizeof said - 1));
    std::signal(signal, SIG_DFL);
  }
  inline static volatile std::sig_atomic_t asked_ = 0;
};

}  // namespace command
