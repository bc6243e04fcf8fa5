// Eight subjects in one run against eight runs, step by step: personalize_each shares one pass of the frozen model.

#include "support/model.hpp"
#include "support/pairs.hpp"

#include <persona/core/memory.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <ATen/Parallel.h>

#include <string>
#include <vector>

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  std::int64_t subjects = 8;
  bench::StepSettings settings{.batch = 1, .pairs = 40};
  CLI::App app("Many subjects in one run against as many runs.");
  settings.add_to(app);
  app.add_option("--subjects", subjects, "how many");
  CLI11_PARSE(app, argc, argv);
  const auto& [model, batch, pairs] = settings;

  const auto sd = persona::StableDiffusion::load(model);
  const std::vector<persona::Subject> all(static_cast<std::size_t>(subjects), bench::some_subject(sd));
  const auto sum = persona::textual_inversion();
  const persona::TrainOptions options{.steps = pairs + 5, .batch = batch, .seed = 1};
  const auto together = persona::personalize_each(sd, all, sum, options);
  std::vector<persona::Run> runs;
  for (const auto& subject : all) runs.push_back(persona::personalize(sd, subject, sum, options));
  const auto alone = [&] {
    for (auto& run : runs) static_cast<void>(run.session().current()), run.session().advance();
  };
  const auto in_one = [&] { together.advance(); };
  for (int i = 0; i < 3; ++i) alone(), in_one();
  const auto times = bench::Pairs::in_turn(pairs, alone, in_one);
  times.print("a step of " + std::to_string(subjects) + " subjects, batch " + std::to_string(batch) + ", " +
                  std::to_string(at::get_num_threads()) + " threads",
              std::to_string(subjects) + " runs", "personalize_each");
}
