// SVDiff's single-image editing: the model learns one picture with its caption as shifts of singular values, and draws
// it again from its own noise with another caption. Beside it the same edit without training, and with LoRA. The rates
// are Toyland's; Stable Diffusion's are 1e-3 and 1e-4.

#include "support/gallery.hpp"

int main(int argc, char** argv) {
  std::string photo = PERSONA_SOURCE "/examples/toyland/photos/things/thing_00.png";
  std::string caption = "a photo of a black cat on a sofa";
  std::vector<std::string> targets{"a photo of a black dog on a sofa", "a photo of a red cat on a sofa",
                                   "a photo of a black cat in the forest", "cubism painting of a black cat on a sofa"};
  const auto options = [&](CLI::App& app) {
    app.add_option("--photo", photo, "the picture");
    app.add_option("--caption", caption, "what it shows");
    app.add_option("--target", targets, "what is to be shown instead");
  };
  return examples::show_gallery(
      argc, argv, "persona: edit one image", "out/edit_one_image", options, [&](const auto& sd, auto& gallery) {
        const persona::Subject subject{
            .token = "it", .photos = persona::photos(photo), .captions = persona::Captions::prompt(caption)};
        const auto [channels, height, width] = sd.latent_shape();
        const auto factor = sd.autoencoder().vae_scale_factor();
        const auto picture =
            persona::to_images(persona::prepare_photo(subject.photos[0].image, height * factor, width * factor))
                .front();  // as the model sees it
        std::vector<persona::Image> cells;
        std::vector<std::string> captions;
        const auto draw = [&](const auto& model, const std::string& title) {
          cells.push_back(picture), captions.push_back(title);
          for (const auto& target : targets) {
            cells.push_back(
                persona::edit(model, picture, target, {.sampling = {.guidance = 3, .sampler = "ddim", .eta = 0.1}}));
            captions.push_back(target);
          }
        };
        const auto learn = [&](const std::string& title, const auto& sum) {
          draw(sd.with(examples::finish(persona::personalize(sd, subject, sum, {.steps = 300, .batch = 4, .seed = 1}),
                                        title)),
               title);
        };
        draw(sd, "no training");
        learn("SVDiff", persona::svdiff_single_image(1e-2));
        learn("LoRA", persona::lora(4, 1e-3));
        gallery.grid("Edits", "edits", cells, captions, static_cast<std::int64_t>(targets.size()) + 1);
      });
}
