// From a latent to its noise and back; between two noises; a picture edited.

#include "support/catch.hpp"

#include <persona/generate/edit.hpp>
#include <persona/generate/invert.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/testing.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace {

using persona::Tensor;

/// The tiny model with a sampler, of noise or of v.
struct Draws : persona::testing::TinyModel {
  std::string predicts;
  explicit Draws(std::string predicts = "epsilon")
      : persona::testing::TinyModel(persona::testing::tiny_model()), predicts(std::move(predicts)) {}
  persona::DDIMScheduler sampler(std::string_view) const {
    return persona::DDIMScheduler(
        persona::SchedulerConfig{.num_train_timesteps = 100, .prediction_type = predicts, .set_alpha_to_one = false});
  }
};

const std::vector<std::string> prompts{"a photo of a dog", "a photo of a cat"};

Tensor random(std::int64_t key) { return at::randn({2, 3, 4, 4}, persona::Random(4).at(persona::Stream::data, key)); }
double off(const Tensor& a, const Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

}  // namespace

TEST_CASE("a step back undoes a step, whatever is predicted") {
  for (const char* predicts : {"epsilon", "v_prediction", "sample"}) {
    const auto run = Draws(predicts).sampler("ddim").begin(10);
    const auto x = random(1).to(at::kDouble), prediction = random(2).to(at::kDouble);
    for (std::int64_t i = 0; i < 10; ++i)
      CHECK(off(run.step_back(prediction, i, run.step(prediction, i, x)), x) < 1e-10);
  }
}

TEST_CASE("what is inverted is drawn again: nearly by one iteration a step, to rounding by many") {
  const Draws model;
  const auto latents = 0.5 * random(1);
  const auto again = [&](std::int64_t iterations, std::int64_t batch) {
    persona::SampleOptions options{.steps = 50, .guidance = 1, .sampler = "ddim"};
    options.start = persona::invert(model, latents, prompts, {.steps = 50, .iterations = iterations, .batch = batch});
    return persona::sample_latents(model, prompts, options);
  };
  const double once = off(again(1, 8), latents), solved = off(again(12, 8), latents);
  CHECK(once < 0.05);
  CHECK(solved < 1e-4);
  CHECK(solved < once);
  CHECK(at::allclose(again(2, 1), again(2, 2), 1e-4, 1e-5));
}

TEST_CASE("slerp keeps to the arc between two noises, and ends at them") {
  const auto a = random(1), b = random(2);
  CHECK(at::allclose(persona::slerp(a, b, 0), a, 1e-5, 1e-6));
  CHECK(at::allclose(persona::slerp(a, b, 1), b, 1e-5, 1e-6));
  const auto unit = [](const Tensor& x) {
    return x / at::linalg_vector_norm(x.flatten(1), 2, {1}).view({-1, 1, 1, 1});
  };
  const auto half = persona::slerp(unit(a), unit(b), 0.5);
  CHECK(at::allclose(at::linalg_vector_norm(half.flatten(1), 2, {1}), at::ones({2}), 1e-5, 1e-5));
  CHECK(at::allclose(half, unit(unit(a) + unit(b)), 1e-4, 1e-5));
  CHECK(at::allclose(persona::slerp(a, a, 0.3), a, 1e-4, 1e-5));
  CHECK_THROWS_WITH(persona::slerp(a, b.slice(0, 0, 1), 0.5), Catch::Contains("one shape"));
}

TEST_CASE("an edit without noise and with the picture's own prompt gives the picture again") {
  const Draws model;
  const auto picture = persona::testing::tiny_subjects().front().photos[0].image;
  const auto decoded = persona::to_images(persona::decode(model, persona::encode_image(model, picture)));
  const auto kept = persona::edit(model, picture, prompts[0],
                                  {.sampling = {.steps = 50, .guidance = 1, .sampler = "ddim"}, .iterations = 12});
  int most = 0;
  for (std::size_t i = 0; i < kept.pixels.size(); ++i)
    most = std::max(most, std::abs(int(kept.pixels[i]) - int(decoded[0].pixels[i])));
  CHECK(most <= 1);
  CHECK(persona::edit(model, picture, prompts[0], {.noise = 0.5}) != kept);
  CHECK(persona::edit(model, picture, prompts[0], {.invert = false}).width == 8);
  // A wide picture: its middle square, or all of it squeezed.
  persona::Image wide{.width = 16, .height = 8, .pixels = std::vector<std::uint8_t>(16 * 8 * 3, 0)};
  for (std::size_t i = 0; i < wide.pixels.size(); ++i)
    if (i / 3 % 16 >= 12) wide.pixels[i] = 255;  // the outer quarter, which the square leaves out
  CHECK(persona::encode_image(model, wide).std().item<double>() < 0.05);
  CHECK(persona::encode_image(model, wide, false).std().item<double>() > 0.05);
  const persona::EditOptions plain{.sampling = {.steps = 4, .guidance = 1, .sampler = "ddim"}};
  auto squeezed = plain;
  squeezed.center_crop = false;
  CHECK(persona::edit(model, wide, prompts[0], squeezed) != persona::edit(model, wide, prompts[0], plain));
  for (const double noise : {-0.1, 1.1})
    CHECK_THROWS_WITH(persona::edit(model, picture, prompts[0], {.noise = noise}), Catch::Contains("edit: .noise"));
  CHECK_THROWS_WITH(persona::invert(model, random(1), {prompts[0]}), Catch::Contains("one prompt a latent"));
}
