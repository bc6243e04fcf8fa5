// Learned rows of every kind in one model: drawn together and one at a time, and how often the prompts are encoded.

#include "support/catch.hpp"

#include <persona/generate/generate.hpp>
#include <persona/init/token.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/testing.hpp>

#include <span>
#include <string>
#include <string_view>

namespace {

using persona::Learned;
using persona::NeTIMapper;
using persona::Tensor;
using persona::operator+;
namespace testing = persona::testing;

/// The tiny text encoder, whose passes are counted.
struct CountingEncoder : testing::TinyTextEncoder {
  static inline int passes = 0;
  Tensor hidden(const Tensor& embeddings) const { return ++passes, testing::TinyTextEncoder::hidden(embeddings); }
  Tensor encode(const Tensor& embeddings) const { return final_norm(hidden(embeddings)); }
};
using Parts = persona::ModelParts<testing::TinyTokenizer, CountingEncoder, testing::TinyDenoiser,
                                  testing::TinyScheduler, testing::TinyAutoencoder>;

/// The tiny model with a sampler.
struct Draws : Parts {
  explicit Draws(const testing::TinyModel& tiny = testing::tiny_model())
      : Parts(tiny.tokenizer(), {tiny.text_encoder()}, tiny.denoiser(), tiny.scheduler(), tiny.latent_shape(),
              tiny.autoencoder()) {}
  persona::DDIMScheduler sampler(std::string_view) const {
    return persona::DDIMScheduler(persona::SchedulerConfig{.num_train_timesteps = 100});
  }
};

const std::string one = "a photo of <one>", two = "a photo of <two>", together = "a photo of <one> on the <two>";

template <class P>
Learned learn(const P& parameterization, std::size_t subject) {
  return persona::fit(Draws(), testing::tiny_subjects(2)[subject], persona::TokenInit{} + parameterization,
                      {.steps = 3, .batch = 2});
}
NeTIMapper neti(double scale) { return {.bypass_scale = scale, .hidden = 8, .frequencies = 16}; }

Tensor draw(const auto& model, const std::string& prompt) {
  return persona::sample_latents(model, {prompt}, {.steps = 4, .guidance = 3, .seed = 5, .sampler = "ddim"},
                                 persona::detail::sample_rows(model));
}
Tensor draw_by(const Learned& learned, const std::string& prompt) {
  return draw(personalized(Draws(), learned), prompt);
}
int passes(const Learned& learned, const std::string& prompt) {
  CountingEncoder::passes = 0;
  draw_by(learned, prompt);
  return CountingEncoder::passes;
}

void check_beside(const Learned& a, const Learned& b) {
  const auto both = personalized(Draws(), a).with(b);
  CHECK(at::allclose(draw(both, one), draw_by(a, one), 1e-5, 1e-6));
  CHECK(at::allclose(draw(both, two), draw_by(b, two), 1e-5, 1e-6));
  const auto drawn = draw(both, together);
  CHECK(at::isfinite(drawn).all().item<bool>());
  CHECK_FALSE(at::allclose(drawn, draw(both, one), 1e-3, 1e-3));
  CHECK(at::allclose(drawn, draw(personalized(Draws(), b).with(a), together), 1e-5, 1e-6));
}

}  // namespace

TEST_CASE("two mappers with a bypass, trained together, are drawn together and one at a time") {
  const auto subjects = testing::tiny_subjects(2);
  const auto both =
      persona::fit(Draws(), std::span(subjects), persona::TokenInit{} + neti(0.2), {.steps = 3, .batch = 2});
  const Learned first{.rows = {both.rows.at(0)}}, second{.rows = {both.rows.at(1)}};
  check_beside(first, second);
  CHECK(at::equal(draw_by(both, together), draw(personalized(Draws(), first).with(second), together)));
}

TEST_CASE("a bypass beside rows without one, and beside one of another scale") {
  const auto mapper = learn(neti(0.2), 0);
  check_beside(mapper, persona::fit(Draws(), testing::tiny_subjects(2)[1], persona::TokenInit{}, {.steps = 3}));
  check_beside(mapper, learn(persona::LayeredRows{}, 1));
  check_beside(mapper, learn(neti(0.5), 1));
}

TEST_CASE("prompts are encoded anew at a timestep only where rows differ by it") {
  auto layers = learn(persona::LayeredRows{}, 0);
  const auto mapper = learn(neti(0.2), 0);
  CHECK(passes(mapper, one) == 4);
  CHECK(passes(mapper, "a photo of a dog") == 1);
  CHECK(passes(layers, one) == 1);
  const auto once = draw_by(layers, one);
  layers.rows.at(0).stored.by_timestep = true;
  CHECK(passes(layers, one) == 4);
  CHECK(at::equal(draw_by(layers, one), once));
}
