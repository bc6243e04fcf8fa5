// Custom Diffusion: a cat and a dog, one photo each, as a token row (from the class word's) and the K and V projections
// of cross-attention each: learned apart and merged without training, and learned together. Draws each alone and both
// in one picture.

#include "support/gallery.hpp"

int main(int argc, char** argv) {
  std::int64_t steps = 300;
  double lr = 1e-3;  // Toyland's; 1e-5 times batch and images of Stable Diffusion
  const auto options = [&](CLI::App& app) {
    app.add_option("--steps", steps, "of each training");
    app.add_option("--lr", lr, "learning rate");
  };
  const std::vector<std::string> prompts{
      "a photo of a <new1> cat in the snow",        "a <new1> cat on a sofa",
      "a photo of a <new2> dog in the snow",        "a <new2> dog on the beach",
      "a <new1> cat and a <new2> dog on the beach", "a <new1> cat and a <new2> dog in the forest"};
  return examples::show_gallery(
      argc, argv, "persona: Custom Diffusion of two things", "out/custom_diffusion", options,
      [&](const auto& sd, auto& gallery) {
        const std::vector things{examples::rare_thing("<new1>", "cat", "thing_00"),
                                 examples::rare_thing("<new2>", "dog", "thing_01")};
        gallery.photos(things);
        const auto learn = [&](const std::vector<persona::Subject>& subjects, const std::string& title) {
          const persona::PriorPreservation prior{.images = 32, .sampling = {.steps = 25, .guidance = 3.5}};
          // custom_diffusion() without its smaller and larger photos: this model's captions never speak of size
          const auto sum = persona::TokenInit{} + persona::CrossAttentionKV{} + prior + persona::NoAugmentation{} +
                           persona::AdamW{.lr = lr, .max_grad_norm = 1};
          return examples::finish(persona::personalize(sd, std::span(subjects), sum,
                                                       {.steps = steps * std::ssize(subjects), .batch = 2, .seed = 1}),
                                  title);
        };
        const auto draw = [&](const std::string& title, const std::string& name, const auto& model,
                              const std::vector<std::string>& said) {
          gallery.grid(title, name, persona::generate(model, said, {.steps = 30, .guidance = 3.5, .sampler = "ddim"}),
                       said, 6);
        };
        const auto cat = learn({things[0]}, "the cat"), dog = learn({things[1]}, "the dog");
        draw("Each in a model of its own: the cat", "cat", sd.with(cat), {prompts[0], prompts[1]});
        draw("Each in a model of its own: the dog", "dog", sd.with(dog), {prompts[2], prompts[3]});
        std::vector<std::string> captions;  // of many things, to stay as they are
        for (const char* thing : {"cat", "dog", "panda", "elephant", "bear", "bird", "pot", "chair", "sculpture",
                                  "building", "car", "clock", "person"})
          for (const char* place : {"on the beach", "in the snow", "in the city", "in the forest", "on a sofa",
                                    "in space", "in a library", "in the mountains"})
            captions.push_back(std::string("a photo of a ") + thing + " " + place);
        draw("Merged without training", "merged",
             sd.with(persona::merge_concepts(sd, {{cat, "a photo of a <new1> cat"}, {dog, "a photo of a <new2> dog"}},
                                             captions)),
             prompts);
        draw("Learned together", "together", sd.with(learn(things, "both")), prompts);
      });
}
