// Draws named people in places from a checkpoint or a diffusers folder, asks the probe what is in the pictures, and
// prints its answers.

#include "model_files.hpp"
#include "options.hpp"
#include "probe.hpp"
#include "text_batches.hpp"

#include <persona/model/sample.hpp>

using namespace toyland;

int main(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"unet", "unet.safetensors"},
                         {"vae", "vae.safetensors"},
                         {"probe", "probe.safetensors"},
                         {"tokenizer", "model/tokenizer"},
                         {"model", ""},
                         {"out", "samples.png"},
                         {"names", "12"},
                         {"steps", "25"},
                         {"guidance", "3.5"},
                         {"seed", "0"},
                         {"average", "1"}});
  persona::keep_freed_memory();
  const auto folder = options.text("model");
  const auto model = folder.empty() ? model_from_checkpoints(options.text("unet"), options.text("vae"),
                                                             options.text("tokenizer"), options.count("average") != 0)
                                    : persona::StableDiffusion::load(folder);
  const bool has_probe = std::filesystem::exists(options.text("probe"));
  auto probe = make_probe();
  if (has_probe) load_probe(probe, options.text("probe"));

  const int people = static_cast<int>(options.count("names"));
  Dice dice(static_cast<std::uint64_t>(options.count("seed")), "samples");
  std::vector<Picture> sheet;
  std::array<double, question_count> trait_right{};
  double plain = 0, placed = 0, place_right = 0, garment_right = 0, color_right = 0;
  for (int p = 0; p < people; ++p) {
    const auto& named = named_people()[static_cast<std::size_t>(dice.below(named_count))];
    std::vector<std::string> prompts{"a photo of " + named.name() + " person"};
    std::vector<Scene> wanted(1);
    for (int k = 0; k < 7; ++k) {
      Scene scene = random_scene(dice, 0);
      scene.place = static_cast<Place>(1 + (p * 7 + k) % (count_of<Place> - 1));
      std::string prompt = "a photo of a " + named.name() + " person";
      const bool place = k % 3 != 2, garment = k % 3 != 1;
      if (!garment) scene.garment = Garment::count;
      if (!place) scene.place = Place::count;
      if (garment)
        prompt +=
            " wearing a " + std::string(color_names[static_cast<std::size_t>(scene.garment_color)]) + " " +
            (scene.garment == Garment::striped ? "striped shirt"
                                               : std::string(garment_names[static_cast<std::size_t>(scene.garment)]));
      if (place) prompt += " " + place_phrase(scene.place, dice);
      prompts.push_back(prompt), wanted.push_back(scene);
    }
    const auto latents = persona::sample_latents(model, prompts,
                                                 {.steps = options.count("steps"),
                                                  .guidance = options.number("guidance"),
                                                  .seed = static_cast<std::uint64_t>(options.count("seed") * 1000 + p),
                                                  .sampler = "ddim"});
    const at::NoGradGuard no_grad;
    const auto images = model.autoencoder().decode(latents / model.autoencoder().scaling_factor()).clamp(-1, 1);
    sheet.push_back(render(named.person, {}));
    const auto drawn = to_pictures(images);
    sheet.insert(sheet.end(), drawn.begin(), drawn.end());
    if (!has_probe) continue;
    const auto found = ask(probe, images);
    plain += identity(named.person, found[0]) / people;
    for (std::size_t k = 0; k < 8; ++k) {
      for (std::size_t t = 0; t < trait_count; ++t)
        trait_right[t] += (found[k][t] == named.person.value[t]) / (8.0 * people);
      if (k == 0) continue;
      placed += identity(named.person, found[k]) / (7.0 * people);
      if (wanted[k].place != Place::count)
        place_right += (found[k][place_question] == static_cast<int>(wanted[k].place)) / (5.0 * people);
      if (wanted[k].garment != Garment::count) {
        garment_right += (found[k][garment_question] == static_cast<int>(wanted[k].garment)) / (5.0 * people);
        color_right += (found[k][garment_color_question] == wanted[k].garment_color) / (5.0 * people);
      }
    }
  }
  write_sheet(options.text("out").c_str(), sheet, 9, 2);
  if (!has_probe) return 0;
  std::printf(
      "identity by name alone %.3f, with place or garment %.3f; place right %.3f, garment right %.3f, its colour "
      "%.3f\n",
      plain, placed, place_right, garment_right, color_right);
  for (std::size_t t = 0; t < trait_count; ++t)
    std::printf("%s %.2f  ", std::string(traits[t].name).c_str(), trait_right[t]);
  std::printf("\n");
}
