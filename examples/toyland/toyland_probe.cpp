// Trains the probe on renders, half of them blurred or noisy as drawn pictures are; prints how often it is right on
// renders it never saw.

#include "options.hpp"
#include "probe.hpp"
#include "trainer.hpp"

#include <filesystem>

using namespace toyland;

namespace {

struct Batch {
  std::vector<Picture> pictures;
  std::vector<std::array<int, question_count>> truth;
};

Batch make_batch(Dice& dice, long n) {
  Batch batch;
  for (long i = 0; i < n; ++i) {
    const auto example = random_example(dice, 0.3, 0.12);
    batch.pictures.push_back(render(example.person, example.scene)), batch.truth.push_back(answers(example));
  }
  return batch;
}

Tensor worsen(const Tensor& images, Dice& dice, at::Generator& generator) {
  if (dice.chance(0.4)) return images;
  auto blurred = images;
  if (dice.chance(0.7)) {
    const auto wide = at::pad(images, {1, 1, 1, 1}, "replicate");
    auto sum = at::zeros_like(images);
    for (std::int64_t y = 0; y < 3; ++y)
      for (std::int64_t x = 0; x < 3; ++x) sum = sum + wide.slice(2, y, y + 64).slice(3, x, x + 64);
    blurred = images + (sum / 9 - images) * dice.uniform(0.2, 1);
  }
  return blurred + at::randn(images.sizes(), generator, images.options()) * dice.uniform(0, 0.15);
}

/// Prints the shares of right answers, and gives them in short.
std::string evaluate(const ConvTower& probe) {
  Dice dice(11, "probe validation");
  const auto batch = make_batch(dice, 1024);
  const auto found = ask(probe, to_tensor(batch.pictures, probe.out.weight.base.device()));
  std::array<double, question_count> right{};
  double traits_right = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t q = 0; q < question_count; ++q) right[q] += (found[i][q] == batch.truth[i][q]) / 1024.0;
  for (std::size_t q = 0; q < trait_count; ++q) {
    traits_right += right[q] / static_cast<double>(trait_count);
    std::printf("%s %.3f  ", std::string(traits[q].name).c_str(), right[q]);
  }
  std::printf("| traits %.3f, place %.3f, garment %.3f, its colour %.3f, accessory %.3f, expression %.3f, style %.3f\n",
              traits_right, right[place_question], right[garment_question], right[garment_color_question],
              right[accessory_question], right[expression_question], right[style_question]);
  std::fflush(stdout);
  char text[160];
  std::snprintf(text, sizeof text,
                "right on 1,024 renders it never saw: traits %.3f, place %.3f, garment %.3f, its colour %.3f",
                traits_right, right[place_question], right[garment_question], right[garment_color_question]);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"out", "probe.safetensors"},
                         {"export", ""},
                         {"steps", "2500"},
                         {"minutes", "0"},
                         {"batch", "96"},
                         {"lr", "2e-3"},
                         {"device", "cpu"},
                         {"seed", "4"}});
  persona::keep_freed_memory();
  const auto out = options.text("out");
  const auto seed = static_cast<std::uint64_t>(options.count("seed"));
  auto probe = make_probe();
  initialize(probe, seed);
  const auto device = persona::parse_device(options.text("device"));
  persona::to(probe, device, at::kFloat);
  Trainer trainer;
  trainer.add("probe", probe);
  long step = 0;
  if (std::filesystem::exists(out)) step = trainer.load(load_tensors(out));
  const Progress progress(options.count("steps"), options.number("minutes"), step);
  double running = 0;
  for (long first = step; progress.fraction(step) < 1; ++step) {
    Dice dice(seed * 1000003 + static_cast<std::uint64_t>(step), "probe");
    auto generator = generator_of(dice.next());
    const auto batch = make_batch(dice, options.count("batch"));
    const auto loss = answer_loss(
        as_dtype(probe, at::kBFloat16)(worsen(to_tensor(batch.pictures), dice, generator).to(device)).to(at::kFloat),
        batch.truth);
    loss.backward();
    trainer.step(learning_rate(options.number("lr"), progress.fraction(step), step - first), 0.01, 1.0,
                 std::min(0.995, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step))));
    running = step == first ? loss.item<double>() : 0.98 * running + 0.02 * loss.item<double>();
    if (step % 100 == 0) progress.print(step, ("loss " + std::to_string(running)).c_str());
    if (step % 500 == 499 || progress.fraction(step + 1) >= 1) {
      save_tensors(out, trainer.state(step + 1));
      trainer.swap_average(), evaluate(probe), trainer.swap_average();
    }
  }
  trainer.swap_average();
  const auto accuracy = evaluate(probe);
  if (options.text("export").empty()) return 0;
  TensorMap half;
  persona::for_each_weight(probe, [&](const std::string& name, const persona::Weight& weight) {
    half[name] = weight.base.detach().to(at::kHalf);
  });
  save_tensors(options.text("export"), half, {{"accuracy", accuracy}});
}
