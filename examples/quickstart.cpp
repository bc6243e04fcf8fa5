// A face from one photo: Cross Initialization in 320 and in 25 steps, and Textual Inversion for contrast, on the
// embedded model. Writes PNGs and one page, index.html, and prints what it found.

#include "support/page.hpp"

int main(int argc, char** argv) {
  const examples::Settings settings{.out = "out/quickstart", .photo = examples::toyland_folder + "/photos/ada.png"};
  return examples::show(
      argc, argv, "persona: a face from one photo", settings,
      [](auto& page, const auto& sd, const auto& face, const auto& settings) {
        const auto names = persona::read_lines(settings.names);
        const auto learn = [&](const char* title, const auto& sum, std::int64_t steps) {
          page.learn(title, sd, face,
                     persona::personalize(sd, face, sum, {.steps = steps, .batch = 8, .seed = settings.seed}));
        };
        learn("Cross Initialization, 320 steps", persona::cross_initialization(names), 320);
        learn("Cross Initialization, 25 steps", persona::cross_initialization_fast(names), 25);
        learn("Textual Inversion, 320 steps", persona::textual_inversion("person"), 320);
      });
}
