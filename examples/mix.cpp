// Learned shifts as values: two cats learned apart, then drawn from one model by interpolation (SVDiff, Eq. 5), scaled,
// added (Eq. 4), and mixed by layer: the shape of one, the look of the other.

#include "support/gallery.hpp"

int main(int argc, char** argv) {
  std::int64_t steps = 300;
  double lr = 1e-2;  // Toyland's; 1e-3 of Stable Diffusion
  const auto options = [&](CLI::App& app) {
    app.add_option("--steps", steps, "of each training");
    app.add_option("--lr", lr, "learning rate");
  };
  return examples::show_gallery(
      argc, argv, "persona: learned shifts, mixed", "out/mix", options, [&](const auto& sd, auto& gallery) {
        const std::vector cats{examples::rare_thing("sks", "cat", "thing_00"),
                               examples::rare_thing("sks", "cat", "thing_12")};
        gallery.photos(cats);
        const auto learn = [&](const persona::Subject& cat) {
          return examples::finish(
              persona::personalize(sd, cat, persona::svdiff_single_image(lr), {.steps = steps, .batch = 4, .seed = 1}),
              cat.photos[0].name);
        };
        const auto first = learn(cats[0]), second = learn(cats[1]);
        const auto show = [&](const std::string& name,
                              const std::vector<std::pair<std::string, persona::Learned>>& list) {
          std::vector<persona::Image> images;
          std::vector<std::string> captions;
          for (const auto& [caption, learned] : list) {
            images.push_back(persona::generate(sd.with(learned), "a photo of a sks cat in the snow",
                                               {.steps = 30, .guidance = 3.5, .seed = 3, .sampler = "ddim"}));
            captions.push_back(caption);
          }
          gallery.grid(name, name, images, captions, 6);
        };
        std::vector<std::pair<std::string, persona::Learned>> between, scaled;
        for (const double a : {1.0, 0.8, 0.6, 0.4, 0.2, 0.0})
          between.emplace_back("a = " + std::to_string(a).substr(0, 3), persona::interpolate(first, second, a));
        for (const double c : {0.0, 0.4, 0.8, 1.0, 1.2, 1.6})
          scaled.emplace_back("c = " + std::to_string(c).substr(0, 3), persona::scale(first, c));
        show("interpolate", between);
        show("scale", scaled);
        const auto coarse = [](const std::string& name) {  // the middle of the UNet carries the shape
          return name.find("mid_block") != name.npos || name.find("down_blocks.2") != name.npos;
        };
        show("style_mix", {{"first", first},
                           {"second", second},
                           {"shape of the first", persona::style_mix(first, second, coarse)},
                           {"shape of the second", persona::style_mix(second, first, coarse)},
                           {"both added", persona::add(first, second)}});
      });
}
