// Four faces from one photo each, every one learned for itself by Cross Initialization, all in the same passes of the
// frozen model: each learns what a run of its own would, in less time than four runs take.

#include "support/gallery.hpp"
#include "support/preset.hpp"

int main(int argc, char** argv) {
  std::int64_t steps = 320;
  const auto options = [&](CLI::App& app) {
    app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber);
  };
  return examples::show_gallery(
      argc, argv, "persona: four faces at once", "out/personalize_each", options, [&](const auto& sd, auto& gallery) {
        std::vector<persona::Subject> people;
        for (const char* name : {"ada", "bo", "cleo", "dan"}) people.push_back(examples::person(name));
        const auto recipe =
            persona::cross_initialization(persona::read_lines(PERSONA_SOURCE "/examples/toyland/names.txt"),
                                          examples::cross_initialization_preset.lr);
        const auto runs =
            persona::personalize_each(sd, std::span(std::as_const(people)), recipe, {.steps = steps, .batch = 8});
        persona::ProgressBar bar("four faces");
        while (runs.advance()) bar.update(runs.completed(), steps);

        std::vector<persona::Image> cells;
        std::vector<std::string> captions;
        for (std::size_t i = 0; i < people.size(); ++i) {
          const auto& photo = people[i].photos[0];
          cells.push_back(photo.image), captions.push_back(photo.name);
          const auto learned = runs[i].learned();
          learned.save(gallery.folder() / std::filesystem::path(photo.name).replace_extension(".safetensors"));
          std::vector<std::string> prompts;
          for (const char* scene : {"a {} person on the beach", "a photo of a {} person in the forest",
                                    "a {} person wearing a scifi spacesuit in space", "cubism painting of a {} person"})
            prompts.push_back(persona::fill_template(scene, people[i].token));
          for (auto& image : persona::generate(sd.with(learned), prompts,
                                               {.steps = 30, .guidance = 3.5, .seed = 1, .sampler = "ddim"}))
            cells.push_back(std::move(image));
          captions.insert(captions.end(), prompts.begin(), prompts.end());
        }
        gallery.grid("Each by its own token", "faces", cells, captions, 5);
      });
}
