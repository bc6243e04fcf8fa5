// Celeb Basis: a face from one photo, as a point between the people whom the model knows, with a recogniser and
// without.

#include "support/page.hpp"

int main(int argc, char** argv) {
  const examples::Settings settings{.out = "out/celeb_basis", .photo = examples::toyland_folder + "/photos/ada.png"};
  return examples::show(argc, argv, "persona: a face among known faces", settings,
                        [](auto& page, const auto& sd, const auto& face, const auto& settings) {
                          const auto names = persona::read_lines(settings.names);
                          const auto learn = [&](const char* title, const auto& sum) {
                            page.learn(
                                title, sd, face,
                                persona::personalize(sd, face, sum, {.steps = 400, .batch = 2, .seed = settings.seed}));
                          };
                          const toyland::Recognizer recognizer{toyland::Probe()};
                          const auto photo = persona::to_tensor(face.photos.front().image).unsqueeze(0);
                          learn("Celeb Basis", persona::celeb_basis(names, recognizer.recognize(photo).features[0]));
                          learn("Celeb Basis, coefficients alone", persona::celeb_basis_direct(names));
                        });
}
