// A step of the methods that change weights against a step of Textual Inversion, whose denoiser is frozen: SVDiff as
// the library plans it, SVDiff that rebuilds every weight at every step, LoRA, DreamBooth. On the embedded model, or with
// --sd15 on a UNet of Stable Diffusion 1.5's widths with random weights.

#include "support/model.hpp"
#include "support/pairs.hpp"
#include "support/random_model.hpp"

#include <persona/core/memory.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <ATen/Parallel.h>

#include <string>
#include <utility>

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  bench::StepSettings settings{.batch = 4, .pairs = 20};
  bool sd15 = false;
  std::int64_t layers = 1, size = 64;
  std::string dtype = "fp32", only;
  CLI::App app("A step of the methods that change weights against a step of Textual Inversion.");
  settings.add_to(app);
  app.add_flag("--sd15", sd15, "widths of Stable Diffusion 1.5, random weights");
  app.add_option("--layers", layers, "of --sd15: residual blocks a level; 2 are Stable Diffusion's own");
  app.add_option("--size", size, "of --sd15: side of the latents");
  app.add_option("--dtype", dtype, "fp32 or bf16");
  app.add_option("--only", only,
                 "comparisons whose name has this: SVDiff, rebuilds, LoRA, DreamBooth (four copies of every weight)");
  CLI11_PARSE(app, argc, argv);
  const auto& [model, batch, pairs] = settings;

  using namespace persona;
  const auto sd =
      sd15 ? bench::random_sd15(layers, size, parse_dtype(dtype)) : StableDiffusion::load(model, {.dtype = dtype});
  auto subject = bench::some_subject(sd);
  if (sd15) subject.class_word = "a";
  const TrainOptions options{.steps = pairs + 2, .batch = batch, .seed = 1};
  const auto step = [](Run& run) { static_cast<void>(run.session().current()), run.session().advance(); };
  const auto compare = [&](const std::string& name, const std::string& other, const auto& first, const auto& second) {
    if (other.find(only) == other.npos) return;
    Run a = first(), b = second();
    for (int i = 0; i < 2; ++i) step(a), step(b);
    bench::Pairs::in_turn(
        pairs, [&] { step(a); }, [&] { step(b); })
        .print("step, batch " + std::to_string(batch) + ", " + std::to_string(at::get_num_threads()) + " threads", name,
               other);
  };
  const auto run = [&](const auto& sum) {
    return [&sd, &subject, &options, sum] { return personalize(sd, subject, sum, options); };
  };
  const auto shifts = [&](SpectralPlan plan) { return run(recipe(bench::RandomShift{{.plan = plan}})); };
  const char* const ti = "Textual Inversion";
  const auto frozen = run(textual_inversion());
  compare(ti, "SVDiff", frozen, shifts(SpectralPlan::automatic));
  compare(ti, "SVDiff, factored alone", frozen, shifts(SpectralPlan::factored));
  compare("SVDiff", "SVDiff that rebuilds every weight", shifts(SpectralPlan::automatic),
          shifts(SpectralPlan::materialized));
  compare(ti, "LoRA", frozen, run(recipe(LowRank{})));
  compare(ti, "DreamBooth", frozen, run(recipe(FullWeights{})));
}
