// BaTex: a face from one photo, each of its two rows a weighted sum of the 96 vocabulary rows nearest to its class
// word, beside a basis of those rows that the photo asks for, and Textual Inversion. (One row in a noun's place learns
// no animal on Toyland, by either: docs/methods/batex.md.)

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(
      argc, argv, "persona: a face in a textual subspace", examples::ada("out/batex"), [](auto& show) {
        const auto& word = show.subject.class_word;
        show.learn("BaTex", persona::batex(word, 5e-3), 320);
        show.learn(
            "BaTex, rows that the photo asks for",
            persona::TokenInit{word} + persona::SubspaceBasis{.size = persona::automatic} + persona::AdamW{.lr = 5e-3},
            320);
        show.learn("Textual Inversion", persona::textual_inversion(word, 1.25e-3), 320);
      });
}
