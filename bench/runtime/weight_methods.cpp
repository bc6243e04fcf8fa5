// A step of the methods that change weights against a step of Textual Inversion, whose denoiser is frozen: SVDiff as
// the library plans it, SVDiff that rebuilds every weight at every step, LoRA, DreamBooth. On the embedded model, or
// with
// --sd15 on a UNet of Stable Diffusion 1.5's widths with random weights.

#include "support/model.hpp"
#include "support/pairs.hpp"

#include <persona/core/memory.hpp>
#include <persona/core/placement.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>
#include <persona/stable_diffusion/init_weights.hpp>

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

namespace {

/// SpectralShift with factors of noise in place of a decomposition, which would take minutes and changes no step's
/// time.
struct RandomShift {
  using plays = persona::Plays<persona::Role::weight_parameterization>;
  persona::SpectralShift shift{};

  bool selects(const persona::WeightRef& ref) const { return shift.selects(ref); }
  std::shared_ptr<const persona::Replacement> bind(const persona::WeightRef& ref,
                                                   const persona::BindContext& context) const {
    if (ref.base.dim() == 1) return shift.bind(ref, context);
    const auto m = ref.base.size(0), n = ref.base.numel() / m, r = std::min(m, n);
    const auto options = ref.base.options();
    persona::ThinSvd svd{at::randn({m, r}, options) / std::sqrt(double(m)), at::ones({r}, options.dtype(at::kFloat)),
                         at::randn({r, n}, options) / std::sqrt(double(n))};
    return std::make_shared<persona::SpectralFactors>(persona::make_leaf("delta", at::zeros({r})), std::move(svd),
                                                      shift.plan);
  }
  persona::Description describe() const { return shift.describe(); }
};

persona::StableDiffusion of_widths(std::int64_t layers, std::int64_t size, at::ScalarType dtype, bool channels_last) {
  const auto g = persona::Random(1).at(persona::Stream::initialization);
  persona::UNet2DConditionConfig config{.sample_size = size, .cross_attention_dim = 768};
  config.num_attention_heads = {8, 8, 8, 8}, config.layers_per_block = {layers, layers, layers, layers};
  auto tokenizer = persona::CLIPTokenizer::from_folder(PERSONA_SOURCE "/tests/parity/data/tokenizer/old");
  persona::CLIPTextModel text({.vocab_size = 49408,
                               .hidden_size = 768,
                               .intermediate_size = 3072,
                               .num_hidden_layers = 12,
                               .num_attention_heads = 12});
  persona::UNet2DConditionModel unet(config);
  persona::AutoencoderKL vae(persona::AutoencoderKLConfig{});
  persona::initialize(text, g), persona::initialize(unet, g), persona::initialize(vae, g);
  persona::to(unet, at::kCPU, dtype);
  if (channels_last) persona::to_channels_last(unet);
  return {std::move(tokenizer), std::move(text), std::move(unet), std::move(vae), {}};
}

}  // namespace

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  bench::StepSettings settings{.batch = 4, .pairs = 20};
  bool sd15 = false, with_dreambooth = true;
  std::int64_t layers = 1, size = 64;
  std::string dtype = "fp32";
  CLI::App app("A step of the methods that change weights against a step of Textual Inversion.");
  settings.add_to(app);
  app.add_flag("--sd15", sd15, "widths of Stable Diffusion 1.5, random weights");
  app.add_option("--layers", layers, "of --sd15: residual blocks a level; 2 are Stable Diffusion's own");
  app.add_option("--size", size, "of --sd15: side of the latents");
  app.add_option("--dtype", dtype, "fp32 or bf16");
  app.add_flag("!--no-dreambooth", with_dreambooth, "leave DreamBooth out, which keeps four copies of every weight");
  CLI11_PARSE(app, argc, argv);
  const auto& [model, batch, pairs] = settings;

  using namespace persona;
  const auto sd =
      sd15 ? of_widths(layers, size, parse_dtype(dtype), true) : StableDiffusion::load(model, {.dtype = dtype});
  auto subject = bench::some_subject(sd);
  if (sd15) subject.class_word = "a";
  const TrainOptions options{.steps = pairs + 2, .batch = batch, .seed = 1};
  const auto step = [](Run& run) { static_cast<void>(run.session().current()), run.session().advance(); };
  const auto compare = [&](const std::string& name, const std::string& other, Run a, Run b) {
    for (int i = 0; i < 2; ++i) step(a), step(b);
    bench::Pairs::in_turn(
        pairs, [&] { step(a); }, [&] { step(b); })
        .print("step, batch " + std::to_string(batch) + ", " + std::to_string(at::get_num_threads()) + " threads", name,
               other);
  };
  const auto run = [&](const auto& sum) { return personalize(sd, subject, sum, options); };
  const auto shifts = [&](SpectralPlan plan) { return run(recipe(RandomShift{{.plan = plan}})); };
  const char* const ti = "Textual Inversion";
  const auto frozen = [&] { return run(textual_inversion()); };
  compare(ti, "SVDiff", frozen(), shifts(SpectralPlan::automatic));
  compare(ti, "SVDiff, factored alone", frozen(), shifts(SpectralPlan::factored));
  compare("SVDiff", "SVDiff that rebuilds every weight", shifts(SpectralPlan::automatic),
          shifts(SpectralPlan::materialized));
  compare(ti, "LoRA", frozen(), run(recipe(LowRank{})));
  if (with_dreambooth) compare(ti, "DreamBooth", frozen(), run(recipe(FullWeights{})));
}
