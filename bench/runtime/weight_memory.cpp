// The memory of a run of SVDiff over that of a run of Textual Inversion on the same model, with the model borrowed and
// handed over: each in a process of its own, the most that was resident until two steps were done.

#include "support/model.hpp"
#include "support/random_model.hpp"

#include <persona/persona.hpp>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

#include <malloc.h>

namespace {

/// Forgets what this process held until now.
void forget_peak() {
  ::malloc_trim(0);
  if (!(std::ofstream("/proc/self/clear_refs") << "5" << std::flush))
    throw std::runtime_error("/proc/self/clear_refs cannot be written: the peak would be that of making the model");
}
/// The most that it held since, MiB.
double peak() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kib = 0; word == "VmHWM:" && status >> kib) return kib / 1024;
  throw std::runtime_error("/proc/self/status does not say VmHWM");
}

/// What the same program prints with more options.
double printed(const std::string& command) {
  auto* pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot start " + command);
  double value = 0;
  const bool read = std::fscanf(pipe, "%lf", &value) == 1;
  if (::pclose(pipe) != 0 || !read) throw std::runtime_error("failed: " + command);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace persona;
  std::string method, dtype = "fp32";
  std::int64_t layers = 1, size = 64, batch = 1;
  CLI::App app("The memory of a run of SVDiff over that of Textual Inversion.");
  app.add_option("--method", method, "one alone, which prints MiB: ti, borrowed, handed_over, lora, dreambooth");
  app.add_option("--layers", layers, "residual blocks a level; 2 are Stable Diffusion's own");
  app.add_option("--size", size, "side of the latents");
  app.add_option("--batch", batch, "samples a step");
  app.add_option("--dtype", dtype, "fp32 or bf16");
  CLI11_PARSE(app, argc, argv);
  if (method.empty()) {
    const auto options = " --layers " + std::to_string(layers) + " --size " + std::to_string(size) + " --batch " +
                         std::to_string(batch) + " --dtype " + dtype;
    const auto of = [&](const std::string& name) {
      return printed("'" + std::string(argv[0]) + "'" + options + " --method " + name);
    };
    const double base = of("ti");
    std::printf("Textual Inversion %.0f MiB at most\n", base);
    for (const auto& [name, says] :
         {std::pair("borrowed", "SVDiff, model borrowed"), std::pair("handed_over", "SVDiff, model handed over"),
          std::pair("lora", "LoRA")}) {
      const double mib = of(name);
      std::printf("%s %.0f MiB, ratio %.3f\n", says, mib, mib / base);
      std::fflush(stdout);
    }
    return 0;
  }
  auto sd = bench::random_sd15(layers, size, parse_dtype(dtype));
  auto subject = bench::some_subject(sd);
  subject.class_word = "a";
  const TrainOptions options{.steps = 2, .batch = batch, .seed = 1};
  forget_peak();  // building the model takes more than having it
  const auto go = [&](Run run) { run.drain(); };
  if (method == "ti")
    go(personalize(sd, subject, textual_inversion(), options));
  else if (method == "borrowed")
    go(personalize(sd, subject, recipe(bench::RandomShift{}), options));
  else if (method == "handed_over")
    go(personalize(std::move(sd), subject, recipe(bench::RandomShift{}), options));
  else if (method == "lora")
    go(personalize(sd, subject, recipe(LowRank{}), options));
  else if (method == "dreambooth")
    go(personalize(sd, subject, recipe(FullWeights{}), options));
  else
    return std::fprintf(stderr, "no method '%s'\n", method.c_str()), 2;
  std::printf("%.1f\n", peak());
}
