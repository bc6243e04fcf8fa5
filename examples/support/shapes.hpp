#pragma once
// For the examples of denoisers of one's own: a world of coloured shapes small enough to train a denoiser in the
// example itself, its tokenizer and text encoder, and what is done with every such denoiser.

#include "support/gallery.hpp"

#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include <array>
#include <cmath>
#include <random>
#include <sstream>

namespace shapes {

using persona::Tensor;

inline constexpr std::int64_t size = 16, words = 32;  // pixels a side; width of a token's row
inline const std::array<std::string, 15> vocabulary{
    "", "</s>", "?", "a", "on", "red", "blue", "yellow", "disc", "square", "cross", "white", "black", "green", "photo"};

/// One id a word; of a word that has none, "?" for every letter.
struct Tokenizer {
  std::vector<std::int64_t> encode(std::string_view text) const {
    std::istringstream stream{std::string(text)};
    std::vector<std::int64_t> ids;
    for (std::string word; stream >> word;) {
      const auto found = std::ranges::find(vocabulary, word);
      if (found != vocabulary.end())
        ids.push_back(found - vocabulary.begin());
      else
        ids.insert(ids.end(), word.size(), 2);
    }
    return ids;
  }
  std::int64_t bos_token_id() const { return 0; }
  std::int64_t eos_token_id() const { return 1; }
  std::int64_t pad_token_id() const { return 1; }
  std::int64_t max_length() const { return 10; }
};

/// A random row a word, handed on as it is.
struct TextEncoder {
  Tensor table = at::randn({static_cast<std::int64_t>(vocabulary.size()), words},
                           persona::Random(1).at(persona::Stream::initialization));
  Tensor embedding_table() const { return table; }
  Tensor encode(const Tensor& embeddings) const { return embeddings; }
};

inline persona::SchedulerConfig schedule() { return {.prediction_type = "sample", .clip_sample = true}; }

/// A diffusion model in pixel space around any denoiser.
template <class Denoiser>
struct Model : persona::ModelParts<Tokenizer, TextEncoder, Denoiser, persona::DDPMScheduler> {
  explicit Model(Denoiser denoiser)
      : Model::ModelParts({}, {}, std::move(denoiser), persona::DDPMScheduler(schedule()), {3, size, size}) {}
  persona::DDIMScheduler sampler(std::string_view) const { return persona::DDIMScheduler(schedule()); }
};

/// [3, size, size] in [-1, 1]: a shape, its core and its rim of one colour or of two, on a background.
inline Tensor picture(const std::string& shape, const std::array<std::string, 2>& colors, const std::string& ground,
                      double x0, double y0, double radius) {
  const auto color = [](const std::string& name) {
    const std::map<std::string, std::array<float, 3>> all{
        {"red", {0.9f, -0.8f, -0.8f}},    {"blue", {-0.8f, -0.6f, 0.9f}},   {"yellow", {0.9f, 0.8f, -0.8f}},
        {"white", {0.95f, 0.95f, 0.95f}}, {"black", {-0.9f, -0.9f, -0.9f}}, {"green", {-0.6f, 0.3f, -0.6f}}};
    return at::tensor(at::ArrayRef<float>(all.at(name))).view({3, 1, 1});
  };
  const auto axis = at::arange(size, at::kFloat);
  const auto x = (axis - x0).view({1, size}).expand({size, size}), y = (axis - y0).view({size, 1}).expand({size, size});
  const auto wide = at::maximum(x.abs(), y.abs()), thin = at::minimum(x.abs(), y.abs());
  const auto distance = shape == "disc"     ? (x * x + y * y).sqrt()
                        : shape == "square" ? wide
                                            : at::maximum(wide, thin + 0.65 * radius);
  const auto inside = at::sigmoid(3 * (radius - distance)), core = at::sigmoid(3 * (0.5 * radius - distance));
  const auto paint = core * color(colors[0]) + (1 - core) * color(colors[1]);
  return inside * paint + (1 - inside) * color(ground);
}

/// Random pictures and what they show.
struct World {
  std::mt19937_64 random{7};

  std::string one_of(const std::array<std::string, 3>& list) { return list[random() % 3]; }
  double between(double low, double high) { return std::uniform_real_distribution(low, high)(random); }
  std::pair<Tensor, std::vector<std::string>> batch(std::int64_t n) {
    std::vector<Tensor> pictures;
    std::vector<std::string> captions;
    for (std::int64_t i = 0; i < n; ++i) {
      const auto color = one_of({"red", "blue", "yellow"}), shape = one_of({"disc", "square", "cross"}),
                 ground = one_of({"white", "black", "green"});
      pictures.push_back(picture(shape, {color, color}, ground, between(7, 8), between(7, 8), between(4, 5.5)));
      captions.push_back(i % 8 == 0 ? "" : "a " + color + " " + shape + " on " + ground);
    }
    return {at::stack(pictures), captions};
  }
};

using Forward = std::function<Tensor(const Tensor& x_t, const Tensor& t, const Tensor& states)>;

/// Trains a denoiser's own parameters from scratch on the world.
inline void pretrain(const Forward& forward, const std::vector<Tensor>& parameters, std::int64_t steps) {
  std::vector<persona::Leaf> leaves;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    Tensor(parameters[i]).requires_grad_(true);
    leaves.push_back({.name = std::to_string(i), .value = parameters[i]});
  }
  auto optimizer = persona::AdamW{.weight_decay = 0, .max_grad_norm = 1}.bind(leaves, 4e-3);
  const auto table = TextEncoder{}.table;
  const persona::DDPMScheduler scheduler(schedule());
  World world;
  const auto generator = persona::Random(2).at(persona::Stream::noise);
  persona::ProgressBar bar("pretraining");
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto [x0, captions] = world.batch(32);
    const auto noise = at::randn(x0.sizes(), generator), t = at::randint(0, 1000, {32}, generator, at::kLong);
    std::vector<persona::PromptTokens> tokens;
    for (const auto& caption : captions) tokens.push_back(persona::tokenize_prompt(Tokenizer{}, caption));
    const auto states = at::embedding(table, persona::stack_ids(tokens, at::kCPU));
    const auto off = forward(scheduler.add_noise(x0, noise, t), t, states) - scheduler.target(x0, noise, t);
    const auto loss = off.square().mean();
    for (const Tensor& parameter : parameters) Tensor(parameter).mutable_grad().reset();
    loss.backward();
    optimizer.step({.lr_factor = 0.5 * (1 + std::cos(3.14159 * static_cast<double>(i) / static_cast<double>(steps)))});
    bar.update(i + 1, steps, [&] { return "loss " + std::to_string(loss.item<double>()).substr(0, 5); });
  }
  for (const Tensor& parameter : parameters)
    Tensor(parameter).mutable_grad().reset(), Tensor(parameter).requires_grad_(false);
}

/// The whole of such an example: trains a denoiser's parameters, makes a model of what `denoiser(out)` then gives,
/// learns a thing that it has never drawn from two pictures, in two ways, and draws it. Returns main's exit code.
template <class Make>
int show(int argc, char** argv, const std::string& title, std::string out, const std::vector<Tensor>& parameters,
         const Forward& forward, const persona::Subset& changed, double shift_lr, Make&& denoiser) {
  std::int64_t steps = 500, pretraining = 1500;
  CLI::App app(title);
  app.add_option("--out", out, "folder that is written");
  app.add_option("--steps", steps, "of each training");
  app.add_option("--shift-lr", shift_lr, "learning rate of spectral shifts");
  app.add_option("--pretraining", pretraining, "steps of the denoiser's own training");
  return examples::run(app, argc, argv, [&] {
    examples::Gallery gallery(title, out);
    pretrain(forward, parameters, pretraining);
    const Model model(denoiser(std::filesystem::path(out)));

    persona::Subject ball{.token = "<ball>", .class_word = "disc", .captions = persona::Captions::files()};
    for (const char* ground : {"white", "black"})
      ball.photos.push_back(
          {.image = persona::to_images(picture("disc", {"yellow", "blue"}, ground, 7.5, 7.5, 5.5).unsqueeze(0)).front(),
           .name = ground,
           .caption = std::string("a {} on ") + ground});
    const auto& photo = ball.photos.front().image;
    const std::vector<std::string> said{"a <ball> on white",   "a <ball> on black",      "a <ball> on green",
                                        "a red disc on black", "a blue square on white", "a yellow cross on green"};
    const auto draw = [&](const std::string& name, const auto& drawing, std::vector<std::string> prompts) {
      auto captions = prompts;
      auto images = persona::generate(drawing, prompts, {.steps = 30, .guidance = 2, .seed = 4});
      images.insert(images.begin(), photo), captions.insert(captions.begin(), "a photo");
      for (auto& image : images) image = persona::make_grid({image}, {.scale = 4, .padding = 0});
      gallery.grid(name, name, images, captions, 4);
    };
    draw("before", model, {said.begin() + 3, said.end()});
    const auto learn = [&](const std::string& name, const auto& sum) {
      const auto run = persona::personalize(model, ball, sum, {.steps = steps, .batch = 8, .seed = 1});
      draw(name, persona::personalized(model, examples::finish(run, name)), said);
    };
    using namespace persona;
    const auto shifted = changed && subsets::everything(), flat = shifted && !subsets::vectors();
    learn("spectral_shift", TokenInit{} + SpectralShift{.weights = shifted} + NoAugmentation{} + AdamW{.lr = shift_lr});
    learn("low_rank", TokenInit{} + LowRank{.weights = flat} + NoAugmentation{} + AdamW{.lr = 5e-4});
    gallery.save();
  });
}

}  // namespace shapes
