// Trains the autoencoder on fresh renders: L1 + MSE + L1 of the gradients + a little KL. `--decoder 1` goes on with the
// decoder alone, which leaves the latents, and so the UNet, as they are; `--from FOLDER` begins with that model's.

#include "batches.hpp"
#include "measures.hpp"
#include "options.hpp"
#include "sizes.hpp"
#include "trainer.hpp"

#include <persona/stable_diffusion/stable_diffusion.hpp>

#include <filesystem>

using namespace toyland;

namespace {

Tensor gradients_l1(const Tensor& a, const Tensor& b) {
  const auto d = a - b;
  return (d.slice(2, 1) - d.slice(2, 0, -1)).abs().mean() + (d.slice(3, 1) - d.slice(3, 0, -1)).abs().mean();
}

std::vector<Picture> render_batch(Dice& dice, long n) {
  std::vector<Picture> pictures;
  for (long i = 0; i < n; ++i) {
    pictures.push_back(render(random_example(dice, {.named = 0.5})));
  }
  return pictures;
}

/// Peak signal-to-noise ratio on pictures that training does not see, and the latents' standard deviation.
std::pair<double, double> evaluate(const persona::AutoencoderKL& vae, const std::string& sheet, at::Device device) {
  const at::NoGradGuard no_grad;
  const auto [pictures, decoded, moments, psnr] = reconstruct(vae, device);
  auto shown = std::vector<Picture>(pictures.begin(), pictures.begin() + 16);
  const auto drawn = to_pictures(decoded.slice(0, 0, 16));
  shown.insert(shown.end(), drawn.begin(), drawn.end());
  write_sheet(sheet.c_str(), shown, 16, 2);
  const auto latents =
      moments.mean + moments.std * at::randn(moments.mean.sizes(), generator_of(3), at::kFloat).to(device);
  return {psnr, latents.std().item<double>()};
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"out", "vae.safetensors"},
                         {"from", ""},
                         {"steps", "2000"},
                         {"minutes", "0"},
                         {"batch", "32"},
                         {"lr", "2e-3"},
                         {"seed", "1"},
                         {"dtype", "bf16"},
                         {"device", "cpu"},
                         {"threads", "2"},
                         {"square", "4"},
                         {"decoder", "0"}});
  const auto out = options.text("out");
  persona::keep_freed_memory();
  const bool decoder_only = options.count("decoder") != 0;
  const auto dtype = options.text("dtype") == "bf16" ? at::kBFloat16 : at::kFloat;
  persona::AutoencoderKL vae(vae_config());
  initialize(vae, static_cast<std::uint64_t>(options.count("seed")));
  if (!options.text("from").empty()) vae = persona::StableDiffusion::load(options.text("from")).autoencoder();
  const auto device = persona::parse_device(options.text("device"));
  persona::to(vae, device, at::kFloat);
  Trainer trainer;
  trainer.add("vae", vae);
  long step = 0;
  if (std::filesystem::exists(out)) step = trainer.load(load_tensors(out));
  if (decoder_only) {
    trainer.adopt_average();  // the latents were encoded with the averages
    persona::for_each_weight(vae, [](const std::string& name, persona::Weight& weight) {
      if (name.starts_with("encoder") || name.starts_with("quant")) weight.base.set_requires_grad(false);
    });
  }
  const Progress progress(options.count("steps"), options.number("minutes"), step);
  const auto threads = options.count("threads"), batch = options.count("batch");
  const auto shard_loss = [&](long number, long shard) {
    Dice dice(static_cast<std::uint64_t>(options.count("seed") * 1000003 + number * threads + shard), "vae");
    auto noise = generator_of(dice.next());
    auto images = to_tensor(render_batch(dice, batch / threads), device);
    if (dice.chance(0.2)) images = images.flip({3});
    const auto compute = as_dtype(vae, dtype);
    const auto moments = compute.encode(images);
    const auto z = moments.mean + moments.std * at::randn(moments.mean.sizes(), noise, at::kFloat).to(device);
    const auto decoded = compute.decode(z);
    const auto kl = 0.5 * (moments.mean.square() + moments.std.square() - 1 - 2 * moments.std.log()).mean();
    auto pixels = (decoded - images).abs().mean() + options.number("square") * (decoded - images).square().mean();
    const auto loss = (pixels + 0.5 * gradients_l1(decoded, images) + 5e-4 * kl) / static_cast<double>(threads);
    loss.backward();
    return std::array{loss.item<double>()};
  };
  double running = 0;
  for (long first = step; progress.fraction(step) < 1; ++step) {
    const auto [loss] = on_threads(threads, [&](long shard) { return shard_loss(step, shard); });
    const double fraction = progress.fraction(step);
    trainer.step(learning_rate(options.number("lr"), fraction, step - first), 0.0, 1.0,
                 std::min(0.999, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step))));
    running = step == first ? loss : 0.98 * running + 0.02 * loss;
    if (step % 50 == 0) progress.print(step, ("loss " + std::to_string(running)).c_str());
    if (step % 500 == 499 || progress.fraction(step + 1) >= 1) {
      save_tensors(out, trainer.state(step + 1));
      trainer.swap_average();
      const auto [psnr, deviation] = evaluate(vae, out + ".png", device);
      trainer.swap_average();
      std::printf("PSNR %.2f dB, latent deviation %.4f\n", psnr, deviation), std::fflush(stdout);
    }
  }
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
