// A short run and its pictures on the GPU, against the same on the CPU.

#include "stable_diffusion/small_folder.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/images.hpp"

#include <persona/generate/generate.hpp>
#include <persona/init/token.hpp>
#include <persona/learned/bake.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/stable_diffusion.hpp>
#include <persona/train/personalize.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace {

using persona::StableDiffusion;
using persona::Tensor;
using persona::test::Folder;

const std::vector<std::string> prompts{"a <s>", "a b"};
const persona::GenerateOptions options{.steps = 6, .guidance = 3, .seed = 4};

persona::Subject subject() {
  return {.token = "<s>",
          .class_word = "a",
          .photos = {{.image = persona::test::noise(16, 16)}, {.image = persona::test::noise(16, 16, 2)}},
          .captions = persona::Captions::prompt("a {}"),
          .vectors = 2};
}

/// Fifty steps; every loss is finite, the rows move, and the base weights do not.
Tensor learned_rows(const StableDiffusion& sd) {
  const auto before = sd.hash();
  const auto run =
      persona::personalize(sd, subject(), persona::recipe(persona::TokenInit{}), {.steps = 50, .batch = 2, .seed = 3});
  for (const persona::Step& step : run) {
    CHECK(std::isfinite(step.loss()));
    CHECK(step.row_norm() > 0);
  }
  const auto learned = run.learned();
  CHECK(sd.hash() == before);
  CHECK(persona::generate(sd.with(learned), prompts, options).size() == 2);
  return learned.of("<s>").rows;
}

struct Models {
  Folder folder;
  StableDiffusion cpu = small::write_folder(folder.path());
  StableDiffusion on(const std::string& device, const std::string& dtype = "fp32") const {
    return StableDiffusion::load(folder.path(), {.device = device, .dtype = dtype});
  }
};

/// What is learned of weights on one device draws the same there, written out, and on the CPU.
void check_weights(const StableDiffusion& sd, const StableDiffusion& cpu, const auto& sum) {
  const persona::Subject rare{.token = "b",
                              .class_word = "a",
                              .photos = {{.image = persona::test::noise(16, 16)}},
                              .captions = persona::Captions::prompt("a {}")};
  const std::vector<std::string> plain{"a b", "a"};
  const auto before = sd.hash();
  const auto learned = persona::fit(sd, rare, sum + persona::AdamW{.lr = 1e-2}, {.steps = 5, .batch = 2});
  CHECK(sd.hash() == before);
  REQUIRE_FALSE(learned.weights.empty());
  const auto there = persona::generate(sd.with(learned), plain, options);
  const auto baked = persona::generate(persona::bake(sd, learned), plain, options);
  const auto here = persona::generate(cpu.with(learned), plain, options);
  const auto untrained = persona::generate(sd, plain, options);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(persona::test::difference(there[i], here[i]) <= 1);
    CHECK(persona::test::difference(there[i], baked[i]) <= 1);
    CHECK(persona::test::difference(there[i], untrained[i]) > 1);
  }
}
void check_weights(const StableDiffusion& sd, const StableDiffusion& cpu) {
  check_weights(sd, cpu, persona::SpectralShift{} + persona::PriorPreservation{.images = 2, .sampling = {.steps = 2}});
  check_weights(sd, cpu, persona::recipe(persona::LowRank{.rank = 2}));
  check_weights(sd, cpu, persona::recipe(persona::DoRA{{.rank = 2}}));
}

}  // namespace

TEST_CASE("a run in bf16 learns as one in fp32 does, and the seed decides it") {
  const Models models;
  const auto full = learned_rows(models.on("cpu"));
  CHECK(at::equal(full, learned_rows(models.on("cpu"))));
  const auto half = learned_rows(models.on("cpu", "bf16"));
  CHECK(!at::equal(full, half));
  const auto cosine = (full * half).sum() / (full.square().sum() * half.square().sum()).sqrt();
  CHECK(cosine.item<double>() > 0.9);
}

TEST_CASE("a short run on the GPU", "[cuda]") {
  const Models models;
  for (const std::string dtype : {"fp32", "bf16"}) {
    INFO(dtype);
    const auto sd = models.on("cuda", dtype);
    CHECK(sd.text_encoder().embedding_table().is_cuda());
    const auto rows = learned_rows(sd);
    CHECK(rows.is_cpu());
    CHECK(at::allclose(rows, learned_rows(sd), 1e-2, 1e-3));
  }
}

TEST_CASE("learned weights draw the same as they are, written out, and in another load of the model") {
  const Models models;
  check_weights(models.on("cpu"), models.cpu);
}

TEST_CASE("weights learned on the GPU draw the same there and on the CPU", "[cuda]") {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  const Models models;
  check_weights(models.on("cuda"), models.cpu);
}

TEST_CASE("one seed is one picture, on the GPU as on the CPU", "[cuda]") {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  const Models models;
  const auto learned =
      persona::fit(models.cpu, subject(), persona::recipe(persona::TokenInit{}), {.steps = 5, .batch = 2});
  for (const std::string sampler : {"ddim", "dpm", "euler"}) {
    INFO(sampler);
    auto with_sampler = options;
    with_sampler.sampler = sampler;
    const auto here = persona::generate(models.cpu.with(learned), prompts, with_sampler);
    const auto there = persona::generate(models.on("cuda").with(learned), prompts, with_sampler);
    for (std::size_t i = 0; i < here.size(); ++i) CHECK(persona::test::difference(here[i], there[i]) <= 1);
  }
}
