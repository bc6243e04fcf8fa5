// A training step against the step of diffusers' textual_inversion.py, each in its own process, in turn; diffusers in
// its faster of fp32 and bf16.

#include "support/model.hpp"
#include "support/pairs.hpp"
#include "support/random_model.hpp"

#include <persona/core/device.hpp>
#include <persona/core/memory.hpp>
#include <persona/core/placement.hpp>
#include <persona/core/random.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>
#include <persona/stable_diffusion/init_weights.hpp>

#include <CLI/CLI.hpp>

#include <ATen/Parallel.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <sys/wait.h>
#include <unistd.h>

namespace {

/// A child process that takes a step for every line that it is sent.
class Peer {
 public:
  /// `keeps_memory`: glibc then keeps what it frees there as persona::keep_freed_memory() has it here.
  Peer(const std::string& python, const std::string& arguments, bool keeps_memory) {
    int in[2], out[2];
    if (::pipe(in) != 0 || ::pipe(out) != 0) throw std::runtime_error("pipe");
    if ((pid_ = ::fork()) == 0) {
      ::dup2(in[0], 0), ::dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
      if (keeps_memory)
        for (const auto& [name, value] :
             {std::pair{"MALLOC_MMAP_THRESHOLD_", "1073741824"}, std::pair{"MALLOC_TRIM_THRESHOLD_", "-1"},
              std::pair{"MALLOC_TOP_PAD_", "67108864"}})
          ::setenv(name, value, 1);
      const auto command =
          "exec " + python + " '" PERSONA_SOURCE "/bench/peers/textual_inversion_step.py' " + arguments;
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      std::_Exit(127);
    }
    ::close(in[0]), ::close(out[1]);
    to_ = ::fdopen(in[1], "w"), from_ = ::fdopen(out[0], "r");
    const auto answer = line();
    if (!answer.starts_with("ready: "))
      throw std::runtime_error("the peer did not start: is diffusers importable by " + python + "?");
    versions_ = answer.substr(7, answer.find_last_not_of('\n') - 6);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    std::fclose(to_), std::fclose(from_);
    ::waitpid(pid_, nullptr, 0);
  }
  const std::string& versions() const { return versions_; }
  double step() {
    std::fputs("step\n", to_);
    std::fflush(to_);
    return std::stod(line());
  }

 private:
  std::string line() {
    char text[256] = {};
    if (!std::fgets(text, sizeof text, from_)) throw std::runtime_error("the peer stopped");
    return text;
  }
  std::string versions_{};
  pid_t pid_ = 0;
  std::FILE *to_ = nullptr, *from_ = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  std::string model = bench::toyland_model(), python = "python3", dtype = "fp32", text_dtype = "fp32";
  std::int64_t batch = 8, pairs = 20;
  bool sd21 = false, keep_memory = true, peer_keeps_memory = true;
  CLI::App app("A training step against diffusers' textual_inversion.py, in turn.");
  app.add_option("--model", model, "diffusers folder");
  app.add_flag("--sd21", sd21, "random weights of Stable Diffusion 2.1's sizes at batch 1 instead");
  app.add_option("--python", python, "a Python with diffusers");
  app.add_option("--batch", batch, "samples a step");
  app.add_option("--dtype", dtype, "persona's: fp32 or bf16");
  app.add_option("--text_dtype", text_dtype, "of persona's text encoder; diffusers' script keeps its own in fp32");
  app.add_option("--pairs", pairs, "pairs of steps")->check(CLI::PositiveNumber);
  app.add_option("--keep_memory", keep_memory, "persona calls keep_freed_memory()");
  app.add_option("--peer_keeps_memory", peer_keeps_memory, "diffusers' process has the same of glibc's variables");
  CLI11_PARSE(app, argc, argv);
  if (keep_memory) persona::keep_freed_memory();
  if (sd21) batch = 1;

  const auto sd = sd21 ? bench::random_sd21(persona::parse_dtype(dtype), persona::parse_dtype(text_dtype))
                       : persona::StableDiffusion::load(model, {.dtype = dtype, .text_dtype = text_dtype});
  auto subject = bench::some_subject(sd);
  if (sd21) subject.class_word = "a";  // one token in any vocabulary
  auto run = persona::personalize(sd, subject, persona::recipe(persona::TokenInit{}),
                                  {.steps = 3 * pairs + 20, .batch = batch, .seed = 1});
  auto it = run.begin();
  const auto step = [&] { static_cast<void>(*it), ++it; };

  const auto common = (sd21 ? std::string("--sd21") : "--model '" + model + "'") + " --batch " + std::to_string(batch) +
                      " --threads " + std::to_string(at::get_num_threads());
  std::string faster = "fp32";
  double best = 0;
  for (const char* candidate : {"fp32", "bf16"}) {
    Peer peer(python, common + " --dtype " + candidate, peer_keeps_memory);
    peer.step();
    std::vector<double> times{peer.step(), peer.step(), peer.step()};
    std::printf("diffusers in %s: %.3f s a step\n", candidate, bench::median(times));
    if (best == 0 || bench::median(times) < best) best = bench::median(times), faster = candidate;
  }
  Peer peer(python, common + " --dtype " + faster, peer_keeps_memory);
  for (int i = 0; i < 2; ++i) step(), peer.step();
  bench::Pairs pairs_of_times;
  for (std::int64_t i = 0; i < pairs; ++i) {
    double ours = 0, theirs = 0;  // who goes first alternates
    if (i % 2 == 0)
      ours = bench::seconds(step), theirs = peer.step();
    else
      theirs = peer.step(), ours = bench::seconds(step);
    pairs_of_times.add(ours, theirs);
  }
  pairs_of_times.print(std::string(sd21 ? "SD 2.1 sizes" : "Toyland") + ", batch " + std::to_string(batch) + ", " +
                           std::to_string(at::get_num_threads()) + " threads",
                       "persona " + dtype + " (text " + text_dtype + ")" + (keep_memory ? "" : ", memory not kept"),
                       peer.versions() + ", " + faster + (peer_keeps_memory ? "" : ", memory not kept"));
}
