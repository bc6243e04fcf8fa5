// A face from one photo: Cross Initialization in 320 and in 25 steps, and Textual Inversion for contrast, on the
// embedded model. Writes PNGs and one page, index.html, and prints what it found.

#include "support/quickstart.hpp"

#include <persona/core/memory.hpp>

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  quickstart::Settings settings;
  CLI::App app("Learns a face from one photo and draws it in new scenes.");
  app.add_option("--out", settings.out, "folder that is written");
  app.add_option("--model", settings.model, "Stable Diffusion model in diffusers' folder layout");
  app.add_option("--photo", settings.photo, "the photo (its traits in NAME.json beside it, where they are known)");
  app.add_option("--names", settings.names, "people whom the model knows, one 'First Last' a line");
  app.add_option("--seed", settings.seed, "of training and drawing");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto sd = persona::StableDiffusion::load(settings.model);
    const auto names = persona::read_lines(settings.names);
    const persona::Subject face{.token = "<ada>",
                                .class_word = "person",
                                .photos = persona::photos(settings.photo),
                                .captions = {.templates = persona::TemplateSet::mixed},
                                .vectors = 2,
                                .phrase = "face of {} person"};
    quickstart::Page page(settings, sd, face.photos.front().image);
    const auto learn = [&](const char* title, const auto& sum, std::int64_t steps) {
      page.learn(title, sd, face,
                 persona::personalize(sd, face, sum, {.steps = steps, .batch = 8, .seed = settings.seed}));
    };
    learn("Cross Initialization, 320 steps", persona::cross_initialization(names), 320);
    learn("Cross Initialization, 25 steps", persona::cross_initialization_fast(names), 25);
    learn("Textual Inversion, 320 steps", persona::textual_inversion("person"), 320);
    page.save();
    return 0;
  } catch (const persona::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
