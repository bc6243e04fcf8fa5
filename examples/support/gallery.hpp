#pragma once
// For examples that show grids of pictures and no scores: options, a progress bar, the grids, one page.

#include "support/model_options.hpp"
#include "support/program.hpp"
#include "support/subjects.hpp"

#include <persona/core/memory.hpp>
#include <persona/data/grid.hpp>
#include <persona/images.hpp>
#include <persona/io/report.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace examples {

/// A folder of grids and its page.
class Gallery {
 public:
  Gallery(const std::string& title, std::filesystem::path out) : out_(std::move(out)), report_(title) {
    std::filesystem::create_directories(out_);
  }

  const std::filesystem::path& folder() const { return out_; }
  void photos(const std::vector<persona::Subject>& subjects) {
    std::vector<persona::Figure> list;
    for (const auto& subject : subjects) list.push_back({subject.photos[0].image, subject.photos[0].name, 192});
    report_.section("The photos").images(list);
  }
  /// NAME.png, and a section of the page.
  void grid(const std::string& title, const std::string& name, const std::vector<persona::Image>& images,
            const std::vector<std::string>& captions, std::int64_t columns) {
    const auto grid = persona::make_grid(images, {.columns = columns, .captions = captions, .scale = 2});
    persona::write_png(grid, out_ / (name + ".png"));
    report_.section(title).image(grid);
    std::cout << (out_ / (name + ".png")).string() << '\n';
  }
  void save() const {
    report_.save(out_ / "index.html");
    std::cout << (out_ / "index.html").string() << '\n';
  }

 private:
  std::filesystem::path out_;
  persona::Report report_;
};

/// A thing of Toyland's photos that goes by a rare word.
inline persona::Subject rare_thing(const std::string& word, const std::string& class_word, const std::string& id) {
  return by_rare_word(word, class_word,
                      persona::photos(PERSONA_SOURCE "/examples/toyland/photos/things/" + id + ".png"));
}
/// A person of Toyland's photos: "<ada>" of ada.png.
inline persona::Subject person(const std::string& name) {
  return by_token("<" + name + ">", "person",
                  persona::photos(PERSONA_SOURCE "/examples/toyland/photos/" + name + ".png"));
}

/// Runs to the end with a progress bar.
inline persona::Learned finish(const persona::Run& run, const std::string& title) {
  persona::ProgressBar progress(title);
  for (const persona::Step& step : run) progress(step);
  return run.learned();
}

/// The whole of such an example: `options(app)` adds its own, `act(model, gallery)` learns and draws. Returns main's
/// exit code.
template <class Options, class Act>
int show_gallery(int argc, char** argv, const std::string& title, std::string out, Options&& options, Act&& act) {
  persona::keep_freed_memory();
  std::string model = PERSONA_SOURCE "/examples/toyland/model";
  CLI::App app(title);
  app.add_option("--out", out, "folder that is written");
  persona::LoadOptions load;
  add_model_options(app, model, load);
  options(app);
  return run(app, argc, argv, [&] {
    Gallery gallery(title, out);
    act(persona::StableDiffusion::load(model, load), gallery);
    gallery.save();
  });
}

}  // namespace examples
