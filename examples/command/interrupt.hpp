#pragma once
// Ctrl-C ends a run after the step that it is in; a second one ends the program.

#include <csignal>

namespace command {

class Interrupt {
 public:
  Interrupt() {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, &Interrupt::note);
  }
  ~Interrupt() {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  bool asked() const { return asked_ != 0; }

 private:
  static void note(int signal) {
    asked_ = 1;
    std::signal(signal, SIG_DFL);
  }
  inline static volatile std::sig_atomic_t asked_ = 0;
};

}  // namespace command
