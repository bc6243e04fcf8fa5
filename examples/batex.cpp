// BaTex: a cat from one photo, as a weighted sum of the 96 vocabulary rows nearest to "cat", beside Textual Inversion.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(argc, argv, "persona: a cat in a textual subspace", examples::cat("out/batex"), [](auto& show) {
    show.learn("BaTex", persona::batex(show.subject.class_word), 320);
    show.learn("Textual Inversion", persona::textual_inversion(show.subject.class_word), 320);
  });
}
