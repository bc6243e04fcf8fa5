// A face from one photo: Cross Initialization in 320 and in 25 steps, and Textual Inversion for contrast, on the
// embedded model. Writes PNGs and one page, index.html, and prints what it found.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(argc, argv, "persona: a face from one photo", examples::ada("out/quickstart"), [](auto& show) {
    show.learn("Cross Initialization, 320 steps", persona::cross_initialization(show.names()), 320);
    show.learn("Cross Initialization, 25 steps", persona::cross_initialization_fast(show.names()), 25);
    show.learn("Textual Inversion, 320 steps", persona::textual_inversion("person"), 320);
  });
}
