// A step of every method that learns token rows against a step of Textual Inversion, in turn.

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
  bench::StepSettings settings{.batch = 4};
  CLI::App app("A step of every method that learns token rows against a step of Textual Inversion.");
  settings.add_to(app);
  CLI11_PARSE(app, argc, argv);
  const auto& [model, batch, pairs] = settings;

  const auto sd = persona::StableDiffusion::load(model);
  const auto subject = bench::some_subject(sd);
  const persona::TrainOptions options{.steps = pairs + 5, .batch = batch, .seed = 1};
  const auto names = persona::read_lines(PERSONA_SOURCE "/examples/toyland/names.txt");
  const auto compare = [&](const std::string& name, const auto& sum) {
    auto plain = persona::personalize(sd, subject, persona::textual_inversion(), options),
         other = persona::personalize(sd, subject, sum, options);
    const auto step = [](persona::Run& run) { static_cast<void>(run.session().current()), run.session().advance(); };
    for (int i = 0; i < 5; ++i) step(plain), step(other);
    const auto times = bench::Pairs::in_turn(pairs, [&] { step(plain); }, [&] { step(other); });
    times.print("step, batch " + std::to_string(batch) + ", " + std::to_string(at::get_num_threads()) + " threads",
                "Textual Inversion", name);
  };
  using namespace persona;
  compare("BaTex", batex());
  compare("Cross Initialization", cross_initialization(names));
  compare("Celeb Basis", celeb_basis(names, at::ones({128})));
  compare("XTI", xti());
  compare("NeTI", neti());
}
