// Two subjects in one model: a cat and a dog, one photo each, as shifts of the UNet's singular values, with SVDiff's
// Cut-Mix-Unmix and without. Writes a grid of pictures of both together and of each alone, and a page.

#include "support/page.hpp"

namespace {

persona::Subject thing(const char* token, const char* word, const char* id) {
  return {.token = token,
          .class_word = word,
          .photos = persona::photos(examples::toyland_folder + "/photos/things/" + id + ".png"),
          .captions = persona::Captions::prompt("a photo of a {}"),
          .phrase = std::string("{} ") + word};
}

const std::vector<std::string> prompts{
    "a sks cat on the left and a ktn dog on the right",
    "a ktn dog on the left and a sks cat on the right",
    "a sks cat and a ktn dog on the beach",
    "a sks cat and a ktn dog in the forest",
    "a photo of a sks cat in the snow",
    "a photo of a ktn dog in the snow",
};

}  // namespace

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  std::string out = "out/two_subjects";
  std::int64_t steps = 600;
  CLI::App app("persona: two subjects in one model");
  app.add_option("--out", out, "folder that is written");
  app.add_option("--steps", steps, "of each training");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto sd = persona::StableDiffusion::load(examples::toyland_folder + "/model");
    const std::vector subjects{thing("sks", "cat", "thing_00"), thing("ktn", "dog", "thing_01")};
    const persona::PriorPreservation prior{.images = 32, .sampling = {.steps = 25, .guidance = 3.5}};
    persona::Report report("persona: two subjects in one model");
    report.section("The photos")
        .images({{subjects[0].photos[0].image, "a sks cat", 192}, {subjects[1].photos[0].image, "a ktn dog", 192}});
    std::filesystem::create_directories(out);
    const auto learn = [&](const std::string& title, const std::string& name, const auto& sum) {
      auto run = persona::personalize(sd, std::span(subjects), sum, {.steps = steps, .batch = 2, .seed = 1});
      persona::ProgressBar progress(title);
      for (const persona::Step& step : run) progress(step);
      const auto images =
          persona::generate(sd.with(run.learned()), prompts, {.steps = 30, .guidance = 3.5, .sampler = "ddim"});
      const auto grid = persona::make_grid(images, {.columns = 6, .captions = prompts, .scale = 2});
      persona::write_png(grid, out + "/" + name + ".png");
      report.section(title).image(grid);
      std::cout << out << "/" << name << ".png\n";
    };
    learn("SVDiff with Cut-Mix-Unmix", "cut_mix_unmix", persona::svdiff_cut_mix_unmix(prior));
    learn("SVDiff with Cut-Mix alone", "cut_mix",
          persona::SpectralShift{} + persona::CutMix{} + prior + persona::AdamW{.lr = 1e-3});
    learn("SVDiff, trained on each alone", "alone", persona::svdiff(prior));
    report.save(out + "/index.html");
    std::cout << out << "/index.html\n";
    return 0;
  } catch (const persona::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
