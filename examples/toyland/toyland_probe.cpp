// Trains the probe on renders, half of them blurred or noisy as drawn pictures are; prints how often it is right on
// renders it never saw.

#include "options.hpp"
#include "probe.hpp"
#include "trainer.hpp"
#include "worsen.hpp"

#include <filesystem>

using namespace toyland;

namespace {

struct Batch {
  std::vector<Picture> pictures;
  std::vector<Answers> truth;
};

Batch make_batch(Dice& dice, long n) {
  Batch batch;
  for (long i = 0; i < n; ++i) {
    const auto example = random_example(dice, {.named = 0.3});
    batch.pictures.push_back(render(example)), batch.truth.push_back(answers(example));
  }
  return batch;
}

/// Prints the shares of right answers, and gives them in short.
std::string evaluate(const ConvTower& probe) {
  Dice dice(11, "probe validation");
  const auto batch = make_batch(dice, 1024);
  const auto found = ask(probe, to_tensor(batch.pictures, probe.out.weight.base.device()));
  Tally tally;
  for (std::size_t i = 0; i < found.size(); ++i) tally.add(batch.truth[i], found[i]);
  for (std::size_t q = 0; q < trait_count; ++q)
    std::printf("%s %.3f  ", std::string(traits[q].name).c_str(), tally.share(q));
  std::printf("| accessory %.3f, expression %.3f, style %.3f, count %.3f | kind %.3f, a thing's traits %.3f\n",
              tally.share(accessory_question), tally.share(expression_question), tally.share(style_question),
              tally.share(count_question), tally.share(kind_question), tally.thing());
  std::fflush(stdout);
  char text[160];
  std::snprintf(
      text, sizeof text, "right on 1,024 renders it never saw: traits %.3f, place %.3f, garment %.3f, its colour %.3f",
      tally.person(), tally.share(place_question), tally.share(garment_question), tally.share(garment_color_question));
  return text;
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"out", "probe.safetensors"},
                         {"from", ""},
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
  if (!options.text("from").empty()) load_what_fits(probe, load_tensors(options.text("from")), "probe");
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
  if (options.text("export").empty()) return;
  save_half(options.text("export"), probe, {{"accuracy", accuracy}});
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
