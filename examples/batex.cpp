// BaTex: a face from one photo, each of its two rows a weighted sum of the 96 vocabulary rows nearest to "person",
// beside a basis of those rows that the photo asks for, and Textual Inversion. (One row in a noun's place learns no
// animal on Toyland, by either: docs/methods/batex.md.)

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(argc, argv, "persona: a face in a textual subspace", examples::ada("out/batex"),
                        [](auto& show) {
                          show.learn("BaTex", persona::batex("person", 5e-3), 320);
                          show.learn("BaTex, rows that the photo asks for",
                                     persona::TokenInit{"person"} + persona::SubspaceBasis{.size = persona::automatic} +
                                         persona::AdamW{.lr = 5e-3},
                                     320);
                          show.learn("Textual Inversion", persona::textual_inversion("person", 1.25e-3), 320);
                        });
}
