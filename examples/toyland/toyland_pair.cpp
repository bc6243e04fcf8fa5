// Pre-trains the text encoder as half of a text/image pair (Radford et al. 2021): 40 % of the batches say only names, 25 % only traits,
// so that scenes and colours do not solve the task. The image tower is thrown away.

#include "options.hpp"
#include "text_batches.hpp"
#include "trainer.hpp"
#include "vision.hpp"

#include <filesystem>
#include <numeric>

using namespace toyland;

namespace {

struct Heads {
  persona::Linear text{text_width, 192, false};
  persona::Weight scale = persona::unfilled_weight(persona::WeightKind::norm, {1});
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("text", self.text), f("scale", self.scale);
  }
};

Tensor unit(const Tensor& x) { return x / x.square().sum(-1, true).add(1e-6).sqrt(); }

Tensor text_features(const persona::CLIPTextModel& text, const Heads& heads, const TextBatch& batch) {
  const auto states = text.encode(at::embedding(text.embedding_table(), batch.ids));
  const auto rows = at::arange(batch.ids.size(0), batch.ids.options());
  return unit(heads.text(states.index({rows, batch.ends})).to(at::kFloat));
}

struct Batch {
  std::vector<Picture> pictures;
  std::vector<std::string> texts;
};

Batch make_batch(Dice& dice, int n) {
  Batch batch;
  const double kind = dice.uniform();
  std::vector<int> names(named_count);
  std::iota(names.begin(), names.end(), 0);
  for (int i = 0; i < n; ++i) {
    auto example = random_example(dice, 0, kind < 0.65 ? 0.0 : 0.15);
    if (kind < 0.4 || (kind >= 0.65 && dice.chance(0.6))) {
      std::swap(names[static_cast<std::size_t>(i)], names[static_cast<std::size_t>(i + dice.below(named_count - i))]);  // each name once
      example.name = names[static_cast<std::size_t>(i)];
      example.person = named_people()[static_cast<std::size_t>(example.name)].person;
    }
    batch.pictures.push_back(render(example.person, example.scene));
    batch.texts.push_back(kind < 0.65 ? plain_caption(example.person, name_of(example), example.name >= 0, dice)
                                      : caption(example.person, name_of(example), example.scene, {.named = example.name >= 0}, dice));
  }
  return batch;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv, {{"out", "pair.safetensors"}, {"tokenizer", "model/tokenizer"}, {"steps", "1500"}, {"minutes", "0"}, {"batch", "256"}, {"lr", "1.2e-3"}, {"seed", "2"}});
  const auto out = options.text("out");
  const auto tokenizer = persona::CLIPTokenizer::from_folder(options.text("tokenizer"));
  const auto seed = static_cast<std::uint64_t>(options.count("seed"));
  persona::CLIPTextModel text(text_config(tokenizer.vocab_size()));
  ConvTower image({24, 48, 96, 160}, 192);
  Heads heads;
  initialize(text, seed), initialize(image, seed + 1), initialize(heads, seed + 2);
  Trainer trainer;
  trainer.add("text", text), trainer.add("image", image), trainer.add("heads", heads);
  long step = 0;
  if (std::filesystem::exists(out)) step = trainer.load(load_tensors(out));

  const auto evaluate = [&] {  // pictures of named people in scenes: whose are they, among all 691?
    const at::NoGradGuard no_grad;
    Dice dice(7, "validation");
    std::vector<std::string> names;
    for (const auto& named : named_people()) names.push_back("a photo of " + named.name());
    const auto texts = text_features(text, heads, tokenize(tokenizer, names, true));
    std::vector<Picture> pictures;
    std::vector<std::int64_t> truth;
    for (int i = 0; i < 512; ++i) {
      const auto example = random_example(dice, 1.0, 0.0);
      pictures.push_back(render(example.person, example.scene)), truth.push_back(example.name);
    }
    const auto scores = unit(image(to_tensor(pictures)).to(at::kFloat)).matmul(texts.t());
    const auto right = scores.argmax(1).eq(at::tensor(truth)).to(at::kFloat).mean().item<double>();
    std::printf("picture to name, top-1 of 691: %.3f\n", right), std::fflush(stdout);
  };

  const Progress progress(options.count("steps"), options.number("minutes"), step);
  double running = 0;
  for (long first = step; progress.fraction(step) < 1; ++step) {
    Dice dice(seed * 1000003 + static_cast<std::uint64_t>(step), "pair");
    const auto batch = make_batch(dice, static_cast<int>(options.count("batch")));
    const auto text16 = as_dtype(text, at::kBFloat16);
    const auto image16 = as_dtype(image, at::kBFloat16);
    const auto heads16 = as_dtype(heads, at::kBFloat16);
    const auto t = text_features(text16, heads16, tokenize(tokenizer, batch.texts, true));
    const auto v = unit(image16(to_tensor(batch.pictures)).to(at::kFloat));
    const auto logits = v.matmul(t.t()) * (heads.scale.base * 2.7).clamp(0.0, 4.6).exp();
    const auto diagonal = logits.diagonal().mean();
    const auto loss = 0.5 * (logits.logsumexp(1).mean() + logits.logsumexp(0).mean()) - diagonal;
    loss.backward();
    const double fraction = progress.fraction(step);
    trainer.step(learning_rate(options.number("lr"), fraction, step - first, 60), 0.02, 1.0, std::min(0.99, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step))));
    running = step == first ? loss.item<double>() : 0.95 * running + 0.05 * loss.item<double>();
    if (step % 20 == 0) progress.print(step, ("loss " + std::to_string(running)).c_str());
    const bool last = progress.fraction(step + 1) >= 1;
    if (step % 200 == 199 || last) save_tensors(out, trainer.state(step + 1)), evaluate();
  }
}
