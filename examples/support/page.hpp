#pragma once
// What the small examples show beside learning: options, prompts, pictures, charts, and what the probe reads off
// pictures.

#include "support/model_options.hpp"
#include "support/program.hpp"
#include "support/subjects.hpp"
#include "support/toyland_metrics.hpp"

#include <persona/core/memory.hpp>
#include <persona/data/grid.hpp>
#include <persona/data/prepare.hpp>
#include <persona/images.hpp>
#include <persona/io/report.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace examples {

inline const std::string toyland_folder = PERSONA_SOURCE "/examples/toyland";

struct Settings {
  std::string out{};
  std::string photo{};
  std::string class_word = "person";
  bool rare_word = false;  ///< weights are learned, and the thing goes by a rare word of the vocabulary
  std::string model = toyland_folder + "/model";
  std::string names = toyland_folder + "/names.txt";
  persona::LoadOptions load{};
  std::uint64_t seed = 1;
  std::int64_t steps = 0;  ///< of each training; 0: the example's own
};

/// One photo of a face, and one of a cat, that the model never saw.
inline Settings ada(std::string out) { return {.out = std::move(out), .photo = toyland_folder + "/photos/ada.png"}; }
inline Settings cat(std::string out) {
  return {.out = std::move(out), .photo = toyland_folder + "/photos/things/thing_00.png", .class_word = "cat"};
}
/// The cat, as methods that change weights learn it.
inline Settings sks_cat(std::string out) {
  auto settings = cat(std::move(out));
  settings.rare_word = true;
  return settings;
}

/// What is drawn, and where that is; the probe then says whether it is there.
struct Prompt {
  std::string text;
  toyland::Place place = toyland::Place::count;
};

/// Four of the twenty evaluation prompts of Cross Initialization's appendix, and four of Toyland's own. The first seven
/// show a face to be known by.
inline const std::vector<Prompt> person_prompts{
    {"a {} person on the beach", toyland::Place::beach},
    {"a {} person piloting a fighter jet", toyland::Place::jet},
    {"a {} person wearing a scifi spacesuit in space", toyland::Place::space},
    {"a photo of a {} person in the forest", toyland::Place::forest},
    {"a photo of a {} person wearing a red suit in the city", toyland::Place::city},
    {"a photo of a {} person wearing a green hoodie in the snow", toyland::Place::snow},
    {"a photo of a {} person in a library", toyland::Place::library},
    {"cubism painting of a {} person"},
};
/// For animals and objects.
inline const std::vector<Prompt> thing_prompts{
    {"a {} on the beach", toyland::Place::beach},
    {"a photo of a {} in space", toyland::Place::space},
    {"a {} in the snow", toyland::Place::snow},
    {"a photo of a {} in the forest", toyland::Place::forest},
    {"a {} on a sofa", toyland::Place::sofa},
    {"a photo of a {} in the city", toyland::Place::city},
    {"a photo of a {} in a library", toyland::Place::library},
    {"a {} latte art"},
};
inline constexpr std::size_t photos_among_prompts = 7;

/// What is true of the photo, in NAME.json beside NAME.png or in index.json; nothing where neither speaks of it, or of
/// another world than Toyland.
inline std::optional<toyland::Answers> truth_beside(const std::filesystem::path& photo) {
  const auto read = [](const std::filesystem::path& path) {
    std::ifstream file(path);
    return nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  };
  auto own = photo;
  auto said = read(own.replace_extension(".json"));
  if (const auto index = read(photo.parent_path() / "index.json"); index.is_array() && !said.is_object())
    for (const auto& entry : index)
      if (entry.is_object() && entry.value("id", nlohmann::json()) == photo.stem().string()) said = entry;
  toyland::Answers truth;
  if (!said.is_object() || !said.contains("answers")) return std::nullopt;
  const auto& answers = said["answers"];
  if (!answers.is_array() || answers.size() != truth.size()) return std::nullopt;
  for (std::size_t q = 0; q < truth.size(); ++q) {
    if (!answers[q].is_number_integer()) return std::nullopt;
    truth[q] = answers[q].get<int>();
  }
  return truth;
}

/// Gathers what the methods give, and writes it.
class Page {
 public:
  /// `photo`: [3, H, W] as the model is trained with it.
  Page(const std::string& title, const Settings& settings, const persona::StableDiffusion& sd,
       const persona::Tensor& photo)
      : settings_(settings),
        report_(title),
        prepared_(photo.unsqueeze(0)),
        photo_(persona::to_images(prepared_).front()),
        truth_(photo_.width == toyland::image_size ? truth_beside(settings.photo) : std::nullopt) {
    std::filesystem::create_directories(settings_.out);
    const auto& input = prepared_;
    const at::NoGradGuard no_grad;
    const auto reconstruction = sd.autoencoder().decode(sd.autoencoder().encode(input).mean);
    report_.section("The photo")
        .images({{photo_, "the photo", 192},
                 {persona::to_images(reconstruction).front(), "through the autoencoder and back", 192}});
    if (truth_) {
      std::printf("probe: %s\n", probe_.accuracy().c_str());
      std::printf("traits of the photo %.2f, of its reconstruction %.2f (by chance about a quarter)\n",
                  toyland::traits_right(*truth_, probe_.look(input).front()),
                  toyland::traits_right(*truth_, probe_.look(reconstruction).front()));
    }
    print(columns_);
  }

  /// Runs to the end with a progress bar, draws the prompts, and notes it all.
  persona::Learned learn(const std::string& title, const persona::StableDiffusion& sd, const persona::Subject& subject,
                         const persona::Run& run) {
    persona::Series loss{title}, norm{title}, cosine{title};
    persona::ProgressBar progress(title);
    double seconds = 0;
    // A step knows neither of rows that differ by layer.
    const bool rows = !run.session().bound().rows.empty() && !run.session().bound().layered();
    for (const persona::Step& step : run) {
      const auto x = static_cast<double>(step.index);
      loss.x.push_back(x);
      // A single step's loss says more about its timestep than about the run: a running mean is drawn.
      const double share = std::min(1.0, 1.0 / std::min(x, 20.0));
      loss.y.push_back(loss.y.empty() ? step.denoising_loss()
                                      : (1 - share) * loss.y.back() + share * step.denoising_loss());
      if (rows) {
        norm.x.push_back(x), norm.y.push_back(step.row_norm());
        cosine.x.push_back(x), cosine.y.push_back(step.cosine_to_start());
      }
      progress(step);
      seconds = step.seconds;
    }
    const auto learned = run.learned();
    const auto stem = std::to_string(++methods_) + "-" + std::to_string(run.steps());
    learned.save(std::filesystem::path(settings_.out) / (stem + ".safetensors"));

    std::vector<std::string> filled;
    const bool person = subject.class_word == "person";
    const auto& prompts = person ? person_prompts : thing_prompts;
    const auto name = settings_.rare_word && !person ? subject.prompt_token() : subject.token;
    for (const Prompt& prompt : prompts) filled.push_back(persona::fill_template(prompt.text, name));
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

    std::int64_t trained = 0;
    for (const persona::Leaf& leaf : run.session().bound().leaves) trained += leaf.value.numel();
    std::vector<std::string> row{title,
                                 number(seconds, 1),
                                 number(static_cast<double>(run.steps()) / seconds, 1),
                                 std::to_string(trained),
                                 rows ? number(norm.y.back(), 2) : "-",
                                 rows ? number(cosine.y.back(), 3) : "-"};
    for (auto& cell : scores(images, prompts, person)) row.push_back(std::move(cell));
    table_.push_back(std::move(row));
    print(table_.back());
    report_.section(title).image(grid);
    loss_.push_back(std::move(loss));
    if (rows) norm_.push_back(std::move(norm)), cosine_.push_back(std::move(cosine));
    return learned;
  }

  void save() {
    report_.section("Numbers").table(columns_, table_);
    report_.chart("Denoising loss, running mean", loss_, {.x_label = "step"});
    if (!norm_.empty())
      report_.chart("Row norm", norm_, {.x_label = "step"})
          .chart("Cosine of the rows to their start", cosine_, {.x_label = "step"});
    const auto page = std::filesystem::path(settings_.out) / "index.html";
    report_.save(page);
    for (const std::string& file : files_) std::printf("%s\n", file.c_str());
    std::printf("%s\n", page.c_str());
  }

 private:
  static std::string number(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
  }
  /// Identity, traits and places of the pictures; dashes where nothing is known of the photo, since the networks that
  /// score know Toyland alone.
  std::vector<std::string> scores(const std::vector<persona::Image>& images, const std::vector<Prompt>& prompts,
                                  bool person) const {
    if (!truth_) return {"-", "-", "-"};
    std::vector<persona::Tensor> stack;
    for (const auto& image : images) stack.push_back(persona::to_tensor(image));
    const auto drawn = at::stack(stack);
    const auto found = probe_.look(drawn);
    double traits = 0;
    int asked = 0, right = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (i < photos_among_prompts)
        traits += toyland::traits_right(*truth_, found[i]) / static_cast<double>(photos_among_prompts);
      if (prompts[i].place == toyland::Place::count) continue;
      ++asked, right += found[i][toyland::place_question] == static_cast<int>(prompts[i].place);
    }
    std::string identity = "-";
    if (person)
      identity =
          number(persona::identity_similarity(recognizer_, drawn.slice(0, 0, photos_among_prompts), prepared_).mean, 2);
    return {identity, number(traits, 2), std::to_string(right) + " of " + std::to_string(asked)};
  }
  static void print(const std::vector<std::string>& row) {
    std::printf("%-38s", row.front().c_str());
    for (std::size_t i = 1; i < row.size(); ++i) std::printf(" %10s", row[i].c_str());
    std::printf("\n"), std::fflush(stdout);
  }

  const std::vector<std::string> columns_{"method", "seconds",  "it/s",   "trained", "row norm",
                                          "cosine", "identity", "traits", "place"};
  Settings settings_;
  persona::Report report_;
  persona::Tensor prepared_;  ///< the photo, [1, 3, H, W]
  persona::Image photo_;
  std::optional<toyland::Answers> truth_;
  toyland::Probe probe_{};
  toyland::Recognizer recognizer_{probe_};
  int methods_ = 0;
  std::vector<std::string> files_{};
  std::vector<std::vector<std::string>> table_{};
  std::vector<persona::Series> loss_{}, norm_{}, cosine_{};
};

/// The photo as a subject, by a token of its own or, where weights are learned, by a rare word.
inline persona::Subject subject_of(const Settings& settings) {
  auto photos = persona::photos(settings.photo);
  return settings.rare_word ? by_rare_word("sks", settings.class_word, std::move(photos))
                            : by_token("<one>", settings.class_word, std::move(photos));
}

/// The model, the subject and the page of a small example.
struct Show {
  const Settings& settings;
  const persona::StableDiffusion& sd;
  const persona::Subject& subject;
  Page& page;
  persona::Tensor photo{};  ///< [3, H, W] as the model is trained with it

  /// Learns the subject by a sum and tells the page.
  persona::Learned learn(std::string title, const auto& sum, std::int64_t steps, std::int64_t batch = 8) {
    if (settings.steps > 0) steps = settings.steps, title += ", " + std::to_string(steps) + " steps";
    return page.learn(title, sd, subject,
                      persona::personalize(sd, subject, sum, {.steps = steps, .batch = batch, .seed = settings.seed}));
  }
  std::vector<std::string> names() const { return persona::read_lines(settings.names); }
  /// Is this the model that comes with the library, whose presets were measured?
  bool embedded() const {
    std::error_code none;
    return std::filesystem::equivalent(settings.model, Settings{}.model, none);
  }
};

/// The whole of a small example: options, the model, the photo, and `act(Show&)`, which learns. Returns main's exit
/// code.
template <class Act>
int show(int argc, char** argv, const std::string& title, Settings settings, Act&& act) {
  persona::keep_freed_memory();
  CLI::App app(title);
  app.add_option("--out", settings.out, "folder that is written");
  add_model_options(app, settings.model, settings.load);
  app.add_option("--photo", settings.photo, "the photo");
  app.add_option("--class", settings.class_word, "what it shows, one word: person, cat, ...");
  app.add_option("--names", settings.names, "people whom the model knows, one 'First Last' a line");
  app.add_option("--seed", settings.seed, "of training and drawing");
  app.add_option("--steps", settings.steps, "of each training; the example's own unless given")
      ->check(CLI::PositiveNumber);
  return run(app, argc, argv, [&] {
    if (settings.class_word.find_first_of(" \t") != std::string::npos)
      throw persona::Error("--class", "'" + settings.class_word + "' is more than one word",
                           "say what kind of thing it is in one: person, cat, chair");
    const auto sd = persona::StableDiffusion::load(settings.model, settings.load);
    const auto subject = subject_of(settings);
    const auto [channels, height, width] = sd.latent_shape();
    const auto factor = sd.autoencoder().vae_scale_factor();
    const auto photo = persona::prepare_photo(subject.photos.front().image, height * factor, width * factor);
    Page page(title, settings, sd, photo);
    Show show{settings, sd, subject, page, photo};
    act(show);
    page.save();
  });
}

}  // namespace examples
