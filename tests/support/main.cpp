// The main of every test program. A run that asks for the [cuda] cases where there is no such device ends with 77,
// which ctest counts as skipped: Catch2 2 has no way of its own to say so.

#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "[cuda]" && !at::hasCUDA()) {
      std::puts("skipped: no CUDA device here");
      return 77;
    }
  }
  return Catch::Session().run(argc, argv);
}
