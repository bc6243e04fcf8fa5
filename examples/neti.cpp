// NeTI: a cat from one photo, as a network that gives its row for every timestep and layer, beside Textual Inversion.

#include "support/page.hpp"

int main(int argc, char** argv) {
  const examples::Settings settings{
      .out = "out/neti", .photo = examples::toyland_folder + "/photos/things/thing_00.png", .class_word = "cat"};
  return examples::show(
      argc, argv, "persona: a cat as a network of timestep and layer", settings,
      [](auto& page, const auto& sd, const auto& thing, const auto& settings) {
        const auto learn = [&](const char* title, const auto& sum, std::int64_t steps) {
          page.learn(title, sd, thing,
                     persona::personalize(sd, thing, sum, {.steps = steps, .batch = 8, .seed = settings.seed}));
        };
        learn("NeTI", persona::neti(thing.class_word), 320);
        learn("Textual Inversion", persona::textual_inversion(thing.class_word), 320);
      });
}
