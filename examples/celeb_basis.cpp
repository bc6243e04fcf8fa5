// Celeb Basis: a face from one photo, as a point between the people whom the model knows, with a recogniser and
// without. The coefficients' own rate is Toyland's; the library's, 1e-2, misses this face.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(
      argc, argv, "persona: a face among known faces", examples::ada("out/celeb_basis"), [](auto& show) {
        const toyland::Recognizer recognizer{toyland::Probe()};
        const auto face = recognizer.recognize(show.photo.unsqueeze(0));
        if (!face.found[0].template item<bool>())
          throw persona::Error("--photo", "the recogniser finds no face in it", "give a photo of one person");
        show.learn("Celeb Basis", persona::celeb_basis(show.names(), face.features[0]), 400, 2);
        show.learn("Celeb Basis, coefficients alone", persona::celeb_basis_direct(show.names(), 1.25e-3), 400, 2);
      });
}
