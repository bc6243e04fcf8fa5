// XTI: a cat from one photo, with a row of its own for each cross-attention layer, beside Textual Inversion.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(argc, argv, "persona: a cat with rows for every layer", examples::cat("out/xti"),
                        [](auto& show) {
                          show.learn("XTI", persona::xti(show.subject.class_word), 320);
                          show.learn("Textual Inversion", persona::textual_inversion(show.subject.class_word), 320);
                        });
}
