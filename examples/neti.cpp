// NeTI: a cat from one photo, as a network that gives its row for every timestep and layer, beside Textual Inversion.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(argc, argv, "persona: a cat as a network of timestep and layer", examples::cat("out/neti"),
                        [](auto& show) {
                          show.learn("NeTI", persona::neti(show.subject.class_word), 320);
                          show.learn("Textual Inversion", persona::textual_inversion(show.subject.class_word), 320);
                        });
}
