// Two subjects in one model: a cat and a dog, one photo each, as shifts of the UNet's singular values, with SVDiff's
// Cut-Mix-Unmix, with Cut-Mix alone, and without. Draws both together and each alone.

#include "support/gallery.hpp"

int main(int argc, char** argv) {
  std::int64_t steps = 600;
  double lr = 1e-2;  // Toyland's; 1e-3 of Stable Diffusion
  const auto options = [&](CLI::App& app) {
    app.add_option("--steps", steps, "of each training");
    app.add_option("--lr", lr, "learning rate");
  };
  const std::vector<std::string> prompts{"a sks cat on the left and a ktn dog on the right",
                                         "a ktn dog on the left and a sks cat on the right",
                                         "a sks cat and a ktn dog on the beach",
                                         "a sks cat and a ktn dog in the forest",
                                         "a photo of a sks cat in the snow",
                                         "a photo of a ktn dog in the snow"};
  return examples::show_gallery(
      argc, argv, "persona: two subjects in one model", "out/two_subjects", options,
      [&](const auto& sd, auto& gallery) {
        const std::vector subjects{examples::rare_thing("sks", "cat", "thing_00"),
                                   examples::rare_thing("ktn", "dog", "thing_01")};
        gallery.photos(subjects);
        const persona::PriorPreservation prior{.images = 32, .sampling = {.steps = 25, .guidance = 3.5}};
        const auto learn = [&](const std::string& title, const std::string& name, const auto& sum) {
          const auto learned = examples::finish(
              persona::personalize(sd, std::span(subjects), sum, {.steps = steps, .batch = 2, .seed = 1}), title);
          gallery.grid(title, name,
                       persona::generate(sd.with(learned), prompts, {.steps = 30, .guidance = 3.5, .sampler = "ddim"}),
                       prompts, 6);
        };
        learn("SVDiff with Cut-Mix-Unmix", "cut_mix_unmix", persona::svdiff_cut_mix_unmix(prior, 1.0, lr));
        learn("SVDiff with Cut-Mix alone", "cut_mix", persona::svdiff_cut_mix_unmix(prior, 0.0, lr));
        learn("SVDiff, trained on each alone", "alone", persona::svdiff(prior, lr));
      });
}
