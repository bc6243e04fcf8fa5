// Cross Initialization without a list of names, for things of any kind: the start is E(mean of the eight vocabulary
// rows nearest to the class word's), or with one neighbour E(the word). Here a face; --class and --photo take another
// thing. (One row in a noun's place learns no animal on Toyland, from whatever start: docs/methods/batex.md.)

#include "support/page.hpp"
#include "support/preset.hpp"

int main(int argc, char** argv) {
  return examples::show(argc, argv, "persona: Cross Initialization without names",
                        examples::ada("out/cross_initialization_near"), [](auto& show) {
                          const double lr = examples::cross_initialization_preset.lr;
                          show.learn("From eight neighbours of the word", persona::cross_initialization_near({}, lr),
                                     320);
                          show.learn("From the word itself", persona::cross_initialization_near({}, lr, 1), 320);
                        });
}
