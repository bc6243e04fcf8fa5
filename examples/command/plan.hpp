#pragma once
// persona personalize --dry-run: what a run would do, and what it would cost by a few steps of it.

#include "command/subject.hpp"
#include "command/usage.hpp"

#include <persona/core/warning.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace command {

namespace detail {

inline std::string megabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f MB", bytes / 1e6);
  return text;
}
inline double peak_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}
inline double seconds_of(const auto& act) {
  const auto begun = std::chrono::steady_clock::now();
  act();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}
inline double model_bytes(const Model& model) {
  double bytes = 0;
  const auto add = [&](const std::string&, const persona::Weight& weight) {
    bytes += static_cast<double>(weight.base.nbytes());
  };
  persona::for_each_weight(model.text_encoder(), add);
  persona::for_each_weight(model.denoiser(), add);
  persona::for_each_weight(model.autoencoder(), add);
  return bytes;
}
inline void say(const char* what, const std::string& text) { std::printf("%-12s %s\n", what, text.c_str()); }

}  // namespace detail

/// Prints the plan; nothing is written. Time and memory are those of three steps and one picture's two sampling steps.
inline int print_plan(const Method& method, const Settings& settings, const Model& model,
                      const persona::Subject& subject, const std::vector<std::string>& prompts) {
  using detail::say;
  const auto latents = model.latent_shape();
  const auto table = model.text_encoder().embedding_table();
  say("method", method.name + ": " + method.summary);
  say("model", settings.model + ", latents " + std::to_string(latents[0]) + " x " + std::to_string(latents[1]) + " x " +
                   std::to_string(latents[2]) + ", rows " + std::to_string(table.size(1)) + " wide, " +
                   detail::megabytes(detail::model_bytes(model)) + " on " + table.device().str());
  say("photos",
      std::to_string(subject.photos.size()) + " read, " + std::to_string(subject.photos.skipped.size()) + " skipped");
  const auto captions = subject.captions.source == persona::Captions::Source::files
                            ? std::vector<std::string>{subject.photos.front().caption.value_or("(none)")}
                            : persona::captions_of(subject.captions, subject.prompt_token());
  say("captions", std::to_string(captions.size()) + ", such as '" + captions.front() + "'");

  auto sample = settings;
  sample.class_images = std::min<std::int64_t>(settings.class_images, settings.batch);
  auto options = training_of(sample);
  options.cache.clear();
  const double before = detail::peak_bytes();
  persona::Run run;
  const double begin = detail::seconds_of([&] { run = method.start(model, subject, sample, options); });
  std::string sum;
  for (const auto& component : run.session().bound().components) sum += (sum.empty() ? "" : " + ") + component.name;
  say("sum", sum);
  std::int64_t trained = 0;
  for (const auto& leaf : run.session().bound().leaves) trained += leaf.value.numel();
  say("trains", std::to_string(trained) + " numbers");

  // The first step warms caches up.
  constexpr std::int64_t measured = 3;
  double step_seconds = 0;
  auto step = run.begin();
  for (std::int64_t i = 0; i < std::min(measured, run.steps()); ++i, ++step) {
    const double one = detail::seconds_of([&] { (void)step->loss(); });
    step_seconds = i == 0 ? one : std::min(step_seconds, one);
  }
  const double training_peak = detail::peak_bytes();
  auto drawing = drawing_of(settings);
  constexpr std::int64_t drawn_steps = 2;
  drawing.steps = drawn_steps;
  const double picture = detail::seconds_of([&] { persona::generate(model, "a photo", drawing); }) / drawn_steps *
                         static_cast<double>(settings.num_inference_steps);
  const auto validations = 2 + (settings.validation_steps > 0 ? (run.steps() - 1) / settings.validation_steps : 0);
  const double pictures = static_cast<double>(validations) * static_cast<double>(prompts.size()) * picture;
  const bool draws_class = method.reads_key("class_images") && settings.prior_preservation;
  const auto passes = [](double guidance, std::int64_t steps) {
    return static_cast<double>(steps) * (guidance > 1 ? 2 : 1);
  };
  const double class_seconds = draws_class ? static_cast<double>(settings.class_images) * picture *
                                                 passes(settings.class_guidance_scale, settings.class_inference_steps) /
                                                 passes(settings.guidance_scale, settings.num_inference_steps)
                                           : 0;
  const double training = step_seconds * static_cast<double>(run.steps());
  const auto clock = persona::ProgressBar::clock;
  char line[64];
  std::snprintf(line, sizeof line, "%.3f s a step", step_seconds);
  say("time",
      clock(begin + training + pictures + class_seconds) + ": " + std::to_string(run.steps()) + " steps " +
          clock(training) + " (" + line + "), " + std::to_string(validations) + " validations of " +
          std::to_string(prompts.size()) + " pictures " + clock(pictures) +
          (draws_class ? ", " + std::to_string(settings.class_images) + " class images " + clock(class_seconds) : ""));
  if (table.device().is_cpu())
    say("memory", detail::megabytes(std::max(training_peak, detail::peak_bytes())) + " at most, by " +
                      std::to_string(measured) + " steps and a picture (" + detail::megabytes(before) +
                      " of it loaded)");
  else
    say("memory", "on " + table.device().str() + " not measured");
  say("out", settings.out + " (nothing was written)");
  return done;
}

}  // namespace command
