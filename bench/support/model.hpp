#pragma once

#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace bench {

/// The embedded model.
inline std::string toyland_model() { return PERSONA_SOURCE "/examples/toyland/model"; }

/// What a bench of steps may be told.
struct StepSettings {
  std::string model = toyland_model();
  std::int64_t batch = 8, pairs = 60;

  void add_to(CLI::App& app) {
    app.add_option("--model", model, "diffusers folder");
    app.add_option("--batch", batch, "samples a step (and subject, where there are several)");
    app.add_option("--pairs", pairs, "pairs of steps");
  }
};

/// A subject with one photo of noise: what is in it does not change the time of a step.
inline persona::Subject some_subject(const persona::StableDiffusion& sd) {
  const auto size = sd.latent_shape()[1] * sd.autoencoder().vae_scale_factor();
  persona::Image image{.width = size, .height = size, .pixels = {}};
  for (std::int64_t i = 0; i < size * size * 3; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>((i * 2654435761ULL) >> 24));
  persona::Subject subject{.token = "<bench>", .class_word = "person"};
  subject.photos.push_back({.image = std::move(image), .name = "noise"});
  return subject;
}

}  // namespace bench
