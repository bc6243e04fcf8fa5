// A face from one photo: Cross Initialization and Textual Inversion side by side, each at the embedded model's preset,
// and Cross Initialization at its paper's setting. Writes PNGs and one page, index.html, and prints what it found.

#include "support/page.hpp"
#include "support/preset.hpp"

int main(int argc, char** argv) {
  return examples::show(argc, argv, "persona: a face from one photo", examples::ada("out/quickstart"), [](auto& show) {
    const auto& word = show.subject.class_word;
    if (word != "person") {  // names say nothing of it
      show.learn("Cross Initialization, without names", persona::cross_initialization_near(word), 320);
      show.learn("Textual Inversion", persona::textual_inversion(word), 320);
      return;
    }
    if (show.embedded()) {
      const auto ci = examples::cross_initialization_preset, ti = examples::textual_inversion_preset;
      show.learn("Cross Initialization, preset", persona::cross_initialization(show.names(), ci.lr), ci.steps);
      show.learn("Textual Inversion, preset", persona::textual_inversion("person", ti.lr), ti.steps);
    }
    show.learn("Cross Initialization, paper's setting", persona::cross_initialization(show.names()), 320);
  });
}
