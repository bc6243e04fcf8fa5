// Two people in one picture, each learned from one photo by a run and a method of its own: Ada by BaTex, Bo by Cross
// Initialization. Rows are added to the vocabulary, so what was learned apart meets in one prompt (BaTex, Fig. 3).

#include "support/gallery.hpp"
#include "support/preset.hpp"

int main(int argc, char** argv) {
  std::int64_t steps = 0;
  const auto options = [&](CLI::App& app) {
    app.add_option("--steps", steps, "of each training; each method's own unless given")->check(CLI::PositiveNumber);
  };
  const std::vector<std::string> prompts{"a photo of a <ada> person in the forest",
                                         "a photo of a <bo> person in the forest",
                                         "a photo of a <ada> person and a <bo> person",
                                         "a <ada> person and a <bo> person sit on a sofa",
                                         "a <bo> person and a <ada> person sit on a sofa",
                                         "a <ada> person and a <bo> person taking a relaxing hike in the mountains",
                                         "a <ada> person and a <bo> person are baking a birthday cake",
                                         "a <ada> person and a <bo> person in the snow"};
  return examples::show_gallery(
      argc, argv, "persona: two people in one picture", "out/two_people", options, [&](const auto& sd, auto& gallery) {
        const std::vector people{examples::person("ada"), examples::person("bo")};
        gallery.photos(people);
        const auto learn = [&](const std::string& title, const persona::Subject& subject, const auto& sum,
                               std::int64_t usual) {
          return examples::finish(
              persona::personalize(sd, subject, sum, {.steps = steps > 0 ? steps : usual, .batch = 8, .seed = 1}),
              title);
        };
        const auto names = persona::read_lines(PERSONA_SOURCE "/examples/toyland/names.txt");
        const auto& ci = examples::cross_initialization_preset;
        const auto ada = learn("Ada by BaTex", people[0], persona::batex("person", 5e-3), 320);
        const auto bo =
            learn("Bo by Cross Initialization", people[1], persona::cross_initialization(names, ci.lr), ci.steps);
        const auto both = sd.with(ada).with(bo);
        gallery.grid("Each alone, and both", "two_people",
                     persona::generate(both, prompts, {.steps = 30, .guidance = 3.5, .seed = 1, .sampler = "ddim"}),
                     prompts, 4);
      });
}
