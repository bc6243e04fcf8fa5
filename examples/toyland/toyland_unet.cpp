// Trains the denoiser and the text encoder together: epsilon loss with min-SNR weights (Hang et al. 2023), a tenth of
// the captions dropped, running averages, two threads that share the gradient. `--face 3` counts the cells where the
// face of one person alone is threefold: expressions, brows and noses are a few of 256. `--text_lr 0` freezes the text
// encoder;
// `--new_text 1` goes on with another text encoder's weights, `--from FOLDER` begins with a whole model, fp16 or not.

#include "latents.hpp"
#include "model_files.hpp"
#include "options.hpp"
#include "text_batches.hpp"

#include <persona/schedule/ddpm.hpp>

using namespace toyland;

namespace {

/// What each latent cell counts [B, 1, 16, 16], one on average: `face` times as much where a person alone has the face.
Tensor cell_weights(const std::vector<const Example*>& examples, double face) {
  auto weights = at::ones({static_cast<std::int64_t>(examples.size()), 1, 16, 16}, at::kFloat);
  for (std::size_t i = 0; i < examples.size(); ++i)
    if (examples[i]->single() && examples[i]->shown[0].person())
      weights[static_cast<std::int64_t>(i)].slice(1, 3, 11).slice(2, 4, 12).fill_(face);
  return weights / weights.mean({2, 3}, true);
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"out", "unet.safetensors"},
                         {"from", ""},
                         {"vae", "vae.safetensors"},
                         {"text", "text.safetensors"},
                         {"new_text", "0"},
                         {"latents", "latents.safetensors"},
                         {"tokenizer", "model/tokenizer"},
                         {"images", "49152"},
                         {"steps", "6000"},
                         {"minutes", "0"},
                         {"batch", "64"},
                         {"lr", "1e-3"},
                         {"text_lr", "4e-4"},
                         {"average", "0.998"},
                         {"gamma", "5"},
                         {"low", "8"},
                         {"face", "1"},
                         {"dropout", "0.1"},
                         {"seed", "3"},
                         {"threads", "2"},
                         {"dtype", "bf16"},
                         {"device", "cpu"},
                         {"final", "1"}});
  persona::keep_freed_memory();
  const auto out = options.text("out");
  const auto seed = static_cast<std::uint64_t>(options.count("seed"));
  const auto dtype = options.text("dtype") == "bf16" ? at::kBFloat16 : at::kFloat;
  const auto from = options.text("from");
  const auto start = from.empty()
                         ? fresh_model(options.text("vae"), options.text("text"), options.text("tokenizer"), seed)
                         : persona::StableDiffusion::load(from);
  const auto& tokenizer = start.tokenizer();
  const auto device = persona::parse_device(options.text("device"));
  auto unet = start.denoiser();
  auto text = start.text_encoder();
  persona::to(unet, device, at::kFloat), persona::to(text, device, at::kFloat);
  const auto set =
      encode_training_set(start.autoencoder(), seed, options.count("images"), options.text("latents"), device);
  const double scaling_factor = from.empty() ? set.scaling_factor : start.autoencoder().scaling_factor();
  std::printf("%zu pictures encoded, scaling factor %.5f\n", set.examples.size(), scaling_factor), std::fflush(stdout);
  Trainer unet_trainer, text_trainer;
  unet_trainer.add("unet", unet), text_trainer.add("text", text);
  freeze_table(text);
  long step = 0;
  if (std::filesystem::exists(out)) {
    const auto kept = load_tensors(out);
    step = unet_trainer.load(kept);
    if (options.count("new_text") != 0)
      load_into(text, load_tensors(options.text("text")), "text"), text_trainer.reset_average();
    else
      text_trainer.load(kept);
  }
  const bool train_text = options.number("text_lr") > 0;
  if (!train_text)
    persona::for_each_weight(text,
                             [](const std::string&, persona::Weight& weight) { weight.base.set_requires_grad(false); });

  const persona::DDPMScheduler scheduler(schedule_config(), device);
  const auto batch = options.count("batch"), threads = options.count("threads");
  const auto shard_loss = [&](long number, long shard) {
    Dice dice(seed * 1000003 + static_cast<std::uint64_t>(number * threads + shard), "unet");
    auto generator = generator_of(dice.next());
    const auto n = batch / threads;
    std::vector<std::int64_t> indices;
    std::vector<std::string> captions;
    std::vector<const Example*> examples;
    for (long i = 0; i < n; ++i) {
      indices.push_back(dice.below(static_cast<int>(set.examples.size())));
      examples.push_back(&set.examples[static_cast<std::size_t>(indices.back())]);
      captions.push_back(dice.chance(options.number("dropout")) ? "" : training_caption(*examples.back(), dice));
    }
    const auto chosen = at::tensor(indices, at::TensorOptions().dtype(at::kLong));
    const auto like = at::TensorOptions().dtype(at::kFloat);
    const auto mean = set.mean.index_select(0, chosen).to(at::kFloat),
               std = set.std.index_select(0, chosen).to(at::kFloat);
    const auto sampled = (mean + std * at::randn(mean.sizes(), generator, like)) * scaling_factor;
    const auto x0 = sampled.to(device), noise = at::randn(mean.sizes(), generator, like).to(device);
    const auto t = at::randint(0, scheduler.num_train_timesteps(), {n}, generator, chosen.options()).to(device);
    const auto x_t = scheduler.add_noise(x0, noise, t);

    const auto text16 = as_dtype(text, dtype);
    const auto unet16 = as_dtype(unet, dtype);
    const auto ids = tokenize(tokenizer, captions, false, device).ids;
    const auto states = text16.encode(at::embedding(text16.embedding_table(), ids));
    const auto prediction = unet16.predict(x_t, t, {.states = states, .layers = {}, .pooled = {}}).to(at::kFloat);
    const auto squares = (prediction - scheduler.target(x0, noise, t)).square();
    const auto error = squares.mean({1, 2, 3});
    const auto snr = scheduler.snr(t);
    // min-SNR above; below an SNR of one the error of x0 counts, not that of the noise, or the caption's place is
    // learned last
    const auto weight = snr.clamp_max(options.number("gamma")) / snr * (1 / snr).clamp(1.0, options.number("low"));
    const auto cells = cell_weights(examples, options.number("face")).to(device);
    const auto loss = ((squares * cells).mean({1, 2, 3}) * weight).mean();
    (loss / static_cast<double>(threads)).backward();
    return std::array{loss.item<double>() / static_cast<double>(threads),
                      error.detach().mean().item<double>() / static_cast<double>(threads)};
  };

  const Progress progress(options.count("steps"), options.number("minutes"), step);
  double weighted = 0, plain = 0;
  for (long first = step; progress.fraction(step) < 1; ++step) {
    const auto [a, b] = on_threads(threads, [&](long shard) { return shard_loss(step, shard); });
    const double fraction = progress.fraction(step), since = static_cast<double>(step - first);
    const double average = std::min(options.number("average"), (1.0 + since) / (10.0 + since));
    // the cosine is for a last run: `--final 0` keeps the rate, so that another run can go on
    const double shape = options.count("final") != 0 ? fraction : 0;
    unet_trainer.step(learning_rate(options.number("lr"), shape, step - first), 0.01, 1.0, average);
    if (train_text)
      text_trainer.step(learning_rate(options.number("text_lr"), shape, step - first), 0.01, 1.0, average);
    weighted = step == first ? a : 0.99 * weighted + 0.01 * a, plain = step == first ? b : 0.99 * plain + 0.01 * b;
    if (step % 50 == 0)
      progress.print(step, ("min-SNR loss " + std::to_string(weighted) + ", eps-MSE " + std::to_string(plain)).c_str());
    if (step % 250 == 249 || progress.fraction(step + 1) >= 1) {
      auto all = unet_trainer.state(step + 1);
      all.merge(text_trainer.state(step + 1));
      all["scaling_factor"] = at::full({}, scaling_factor, at::TensorOptions().dtype(at::kFloat));
      save_tensors(out, all);
    }
  }
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
