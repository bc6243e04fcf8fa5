// Learned shifts as values: two cats learned apart, then drawn from one model by interpolation (SVDiff, Eq. 5), scaled,
// added (Eq. 4), and mixed by layer: the shape of one, the look of the other.

#include "support/page.hpp"

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  std::string out = "out/mix";
  std::int64_t steps = 500;
  CLI::App app("persona: learned shifts, mixed");
  app.add_option("--out", out, "folder that is written");
  app.add_option("--steps", steps, "of each training");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto sd = persona::StableDiffusion::load(examples::toyland_folder + "/model");
    persona::Report report("persona: learned shifts, mixed");
    const auto learn = [&](const std::string& id) {
      const persona::Subject cat{.token = "sks",
                                 .class_word = "cat",
                                 .photos = persona::photos(examples::toyland_folder + "/photos/things/" + id + ".png"),
                                 .captions = persona::Captions::prompt("a photo of a sks cat")};
      report.section(id).images({{cat.photos[0].image, id, 192}});
      auto run = persona::personalize(sd, cat, persona::svdiff_single_image(), {.steps = steps, .batch = 2, .seed = 1});
      persona::ProgressBar progress(id);
      for (const persona::Step& step : run) progress(step);
      return run.learned();
    };
    const auto first = learn("thing_00"), second = learn("thing_12");
    std::filesystem::create_directories(out);
    const auto show = [&](const std::string& title, const std::vector<std::pair<std::string, persona::Learned>>& list) {
      std::vector<persona::Image> cells;
      std::vector<std::string> captions;
      for (const auto& [caption, learned] : list) {
        cells.push_back(persona::generate(sd.with(learned), "a photo of a sks cat in the snow",
                                          {.steps = 30, .guidance = 3.5, .seed = 3, .sampler = "ddim"}));
        captions.push_back(caption);
      }
      const auto grid = persona::make_grid(cells, {.columns = 6, .captions = captions, .scale = 2});
      persona::write_png(grid, out + "/" + title + ".png");
      report.section(title).image(grid);
      std::cout << out << "/" << title << ".png\n";
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
    report.save(out + "/index.html");
    std::cout << out << "/index.html\n";
    return 0;
  } catch (const persona::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
