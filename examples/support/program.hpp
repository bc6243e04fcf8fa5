#pragma once
// What the main of every example is: options, and errors as one sentence.

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>

namespace examples {

/// Reads the options, runs the body, and returns main's exit code: 1 after an error, which is said.
template <class Body>
int run(CLI::App& app, int argc, char** argv, Body&& body) {
  CLI11_PARSE(app, argc, argv);
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

}  // namespace examples
