#pragma once
// What the quickstart shows beside learning: prompts, pictures, charts, and what the probe reads off pictures.

#include "support/toyland_metrics.hpp"

#include <persona/data/grid.hpp>
#include <persona/images.hpp>
#include <persona/io/report.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace quickstart {

struct Settings {
  std::string out = "out/quickstart";
  std::string model = PERSONA_SOURCE "/examples/toyland/model";
  std::string photo = PERSONA_SOURCE "/examples/toyland/photos/ada.png";
  std::string names = PERSONA_SOURCE "/examples/toyland/names.txt";
  std::uint64_t seed = 1;
};

/// What is drawn, and where that is; the probe then says whether it is there.
struct Prompt {
  std::string text;
  toyland::Place place = toyland::Place::count;
};

/// Four of the twenty evaluation prompts of Cross Initialization's appendix, and four of Toyland's own.
inline const std::vector<Prompt> prompts{
    {"a {} person on the beach", toyland::Place::beach},
    {"a {} person piloting a fighter jet", toyland::Place::jet},
    {"a {} person wearing a scifi spacesuit in space", toyland::Place::space},
    {"a photo of a {} person in the forest", toyland::Place::forest},
    {"a photo of a {} person wearing a red suit in the city", toyland::Place::city},
    {"a photo of a {} person wearing a green hoodie in the snow", toyland::Place::snow},
    {"a photo of a {} person in a library", toyland::Place::library},
    {"cubism painting of a {} person"},
};
inline constexpr std::size_t faces = 7;  ///< the first of them show a face to be known by

/// The traits in NAME.json beside NAME.png; nothing where there is no such file.
inline std::optional<toyland::Person> traits_beside(std::filesystem::path photo) {
  std::ifstream file(photo.replace_extension(".json"));
  if (!file) return std::nullopt;
  const auto values = nlohmann::json::parse(file).at("values").get<std::vector<std::uint8_t>>();
  if (values.size() != toyland::trait_count)
    throw persona::Error(photo.string(), "expected " + std::to_string(toyland::trait_count) + " values, found " +
                                             std::to_string(values.size()));
  toyland::Person person;
  std::copy(values.begin(), values.end(), person.value.begin());
  return person;
}

/// Gathers what the methods give, and writes it.
class Page {
 public:
  Page(const Settings& settings, const persona::StableDiffusion& sd, const persona::Image& photo)
      : settings_(settings),
        report_("persona: a face from one photo"),
        photo_(photo),
        truth_(traits_beside(settings.photo)) {
    std::filesystem::create_directories(settings_.out);
    const auto input = persona::to_tensor(photo).unsqueeze(0);
    const at::NoGradGuard no_grad;
    const auto reconstruction = sd.autoencoder().decode(sd.autoencoder().encode(input).mean);
    report_.section("The photo")
        .images({{photo_, "the photo", 192},
                 {persona::to_images(reconstruction).front(), "through the autoencoder and back", 192}});
    if (truth_) {
      std::printf("probe: %s\n", probe_.accuracy().c_str());
      std::printf("traits of the photo %.2f, of its reconstruction %.2f (chance about 0.27)\n",
                  toyland::identity(*truth_, probe_.look(input).front()),
                  toyland::identity(*truth_, probe_.look(reconstruction).front()));
    }
    print(columns_);
  }

  /// Runs to the end with a progress bar, draws the prompts, and notes it all.
  void learn(const std::string& title, const persona::StableDiffusion& sd, const persona::Subject& subject,
             const persona::Run& run) {
    persona::Series loss{title}, norm{title}, cosine{title};
    persona::ProgressBar progress(title);
    double seconds = 0;
    for (const persona::Step& step : run) {
      const auto x = static_cast<double>(step.index);
      loss.x.push_back(x), norm.x.push_back(x), cosine.x.push_back(x);
      // A single step's loss says more about its timestep than about the run: a running mean is drawn.
      const double share = std::min(1.0, 1.0 / std::min(x, 20.0));
      loss.y.push_back(loss.y.empty() ? step.denoising_loss()
                                      : (1 - share) * loss.y.back() + share * step.denoising_loss());
      norm.y.push_back(step.row_norm()), cosine.y.push_back(step.cosine_to_start());
      progress(step);
      seconds = step.seconds;
    }
    const auto learned = run.learned();
    const auto stem = std::to_string(++methods_) + "-" + std::to_string(run.steps());
    learned.save(std::filesystem::path(settings_.out) / (stem + ".safetensors"));

    std::vector<std::string> filled;
    for (const Prompt& prompt : prompts) filled.push_back(persona::fill_template(prompt.text, subject.token));
    const auto images = persona::generate(sd.with(learned), filled,
                                          {.steps = 30, .guidance = 3.5, .seed = settings_.seed, .sampler = "ddim"});
    for (std::size_t i = 0; i < images.size(); ++i)
      persona::write_png(images[i],
                         std::filesystem::path(settings_.out) / (stem + "-" + std::to_string(i + 1) + ".png"));
    std::vector<persona::Image> cells{photo_};
    std::vector<std::string> captions{"the photo"};
    cells.insert(cells.end(), images.begin(), images.end());
    captions.insert(captions.end(), filled.begin(), filled.end());
    const auto grid = persona::make_grid(cells, {.columns = 9, .captions = captions, .scale = 2});
    const auto file = std::filesystem::path(settings_.out) / (stem + ".png");
    persona::write_png(grid, file);
    files_.push_back(file.string());

    const auto number = [](double value, int digits) {
      char text[32];
      std::snprintf(text, sizeof text, "%.*f", digits, value);
      return std::string(text);
    };
    std::vector<std::string> row{title, number(seconds, 1), number(static_cast<double>(run.steps()) / seconds, 1),
                                 number(norm.y.back(), 2), number(cosine.y.back(), 3)};
    if (truth_) {
      std::vector<persona::Tensor> stack;
      for (const auto& image : images) stack.push_back(persona::to_tensor(image));
      const auto drawn = at::stack(stack);
      const auto identity =
          persona::identity_similarity(recognizer_, drawn.slice(0, 0, faces), persona::to_tensor(photo_).unsqueeze(0));
      const auto found = probe_.look(drawn);
      double traits = 0;
      int asked = 0, right = 0;
      for (std::size_t i = 0; i < images.size(); ++i) {
        if (i < faces) traits += toyland::identity(*truth_, found[i]) / static_cast<double>(faces);
        if (prompts[i].place == toyland::Place::count) continue;
        ++asked, right += found[i][toyland::place_question] == static_cast<int>(prompts[i].place);
      }
      row.insert(row.end(),
                 {number(identity.mean, 2), number(traits, 2), std::to_string(right) + " of " + std::to_string(asked)});
    } else {
      row.insert(row.end(), {"-", "-", "-"});  // the networks that score are of Toyland's people
    }
    table_.push_back(std::move(row));
    print(table_.back());
    report_.section(title).image(grid);
    loss_.push_back(std::move(loss)), norm_.push_back(std::move(norm)), cosine_.push_back(std::move(cosine));
  }

  void save() {
    report_.section("Numbers").table(columns_, table_);
    report_.chart("Denoising loss, running mean", loss_, {.x_label = "step"})
        .chart("Row norm", norm_, {.x_label = "step"})
        .chart("Cosine of the rows to their start", cosine_, {.x_label = "step"});
    const auto page = std::filesystem::path(settings_.out) / "index.html";
    report_.save(page);
    for (const std::string& file : files_) std::printf("%s\n", file.c_str());
    std::printf("%s\n", page.c_str());
  }

 private:
  static void print(const std::vector<std::string>& row) {
    std::printf("%-34s", row.front().c_str());
    for (std::size_t i = 1; i < row.size(); ++i) std::printf(" %10s", row[i].c_str());
    std::printf("\n"), std::fflush(stdout);
  }

  const std::vector<std::string> columns_{"method", "seconds",  "it/s",   "row norm",
                                          "cosine", "identity", "traits", "place"};
  Settings settings_;
  persona::Report report_;
  persona::Image photo_;
  std::optional<toyland::Person> truth_;
  toyland::Probe probe_{};
  toyland::Recognizer recognizer_{probe_};
  int methods_ = 0;
  std::vector<std::string> files_{};
  std::vector<std::vector<std::string>> table_{};
  std::vector<persona::Series> loss_{}, norm_{}, cosine_{};
};

}  // namespace quickstart
