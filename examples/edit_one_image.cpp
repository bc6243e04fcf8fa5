// SVDiff's single-image editing: the model learns one picture with its caption as shifts of singular values, and draws
// it again from its own noise with another caption. Beside it the same edit without training, and with LoRA.

#include "support/page.hpp"

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  std::string out = "out/edit_one_image", photo = examples::toyland_folder + "/photos/things/thing_00.png";
  std::string caption = "a photo of a black cat on a sofa";
  std::vector<std::string> targets{"a photo of a black dog on a sofa", "a photo of a red cat on a sofa",
                                   "a photo of a black cat in the forest", "cubism painting of a black cat on a sofa"};
  CLI::App app("persona: edit one image");
  app.add_option("--out", out, "folder that is written");
  app.add_option("--photo", photo, "the picture");
  app.add_option("--caption", caption, "what it shows");
  app.add_option("--target", targets, "what is to be shown instead");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto sd = persona::StableDiffusion::load(examples::toyland_folder + "/model");
    const persona::Subject subject{
        .token = "it", .photos = persona::photos(photo), .captions = persona::Captions::prompt(caption)};
    const auto& picture = subject.photos[0].image;
    std::filesystem::create_directories(out);
    persona::Report report("persona: edit one image");
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
      auto run = persona::personalize(sd, subject, sum, {.steps = 300, .batch = 4, .seed = 1});
      persona::ProgressBar progress(title);
      for (const persona::Step& step : run) progress(step);
      draw(sd.with(run.learned()), title);
    };
    draw(sd, "no training");
    learn("SVDiff", persona::svdiff_single_image());
    learn("LoRA", persona::lora(4, 2e-3));
    const auto grid = persona::make_grid(
        cells, {.columns = static_cast<std::int64_t>(targets.size()) + 1, .captions = captions, .scale = 2});
    persona::write_png(grid, out + "/edits.png");
    report.section("Edits").image(grid).save(out + "/index.html");
    std::cout << out << "/edits.png\n" << out << "/index.html\n";
    return 0;
  } catch (const persona::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
