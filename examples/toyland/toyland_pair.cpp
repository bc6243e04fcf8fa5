// Trains the text/image pair: CLIP's contrastive loss, and beside it the text encoder tells what the picture shows,
// read at the end of the text; the contrastive loss alone is solved by names and leaves the words for scenes unread.
// The token table stays as it was drawn. `--text_from UNET` takes the text encoder out of a denoiser's checkpoint and
// keeps it as it is: the picture tower then learns to match the text encoder that the model ended with.

#include "model_files.hpp"
#include "options.hpp"
#include "pair.hpp"
#include "probe.hpp"
#include "text_batches.hpp"

#include <filesystem>

using namespace toyland;

namespace {

Tensor tell(const persona::CLIPTextModel& text, const persona::Linear& head, const TextBatch& batch) {
  return head(text_ends(text, batch)).to(at::kFloat);
}

/// How often the right text of 512 is nearest to a picture, and what captions are understood to say.
void evaluate(const persona::CLIPTextModel& text, const persona::Linear& head, const Pair& pair,
              const persona::CLIPTokenizer& tokenizer) {
  const at::NoGradGuard no_grad;
  const auto device = text.embedding_table().device();
  Dice dice(13, "pair validation");
  Tally tally;
  long found = 0;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> texts;
    std::vector<Picture> pictures;
    std::vector<Answers> truth;
    for (int i = 0; i < 512; ++i) {
      Example example = random_example(dice, {.named = 1, .styled = round * 0.5, .things = 0.5, .pairs = 0});
      texts.push_back(caption(example, {.fully = true}, dice));
      pictures.push_back(render(example)), truth.push_back(answers(example));
      if (!example.shown[0].person())
        truth.back().fill(no_answer), truth.back()[place_question] = static_cast<int>(example.scene.place);
    }
    const auto batch = tokenize(tokenizer, texts, true, device);
    const auto told = best_answers(tell(text, head, batch));
    for (std::size_t i = 0; i < 512; ++i) tally.add(truth[i], told[i]);
    const auto scores =
        pair.embed_images(to_tensor(pictures, device)).matmul(pair.embed_ends(text_ends(text, batch)).t());
    found += (scores.argmax(1) == at::arange(512, scores.options().dtype(at::kLong))).sum().item<std::int64_t>();
  }
  std::printf(
      "traits of a name %.3f, place %.3f, garment %.3f, its colour %.3f, expression %.3f, style %.3f; right text of 512 "
      "%.3f\n",
      tally.person(), tally.share(place_question), tally.share(garment_question), tally.share(garment_color_question),
      tally.share(expression_question), tally.share(style_question), static_cast<double>(found) / 1024);
  std::fflush(stdout);
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"out", "pair.safetensors"},
                         {"from", ""},
                         {"text_from", ""},
                         {"export", ""},
                         {"tokenizer", "model/tokenizer"},
                         {"steps", "1000"},
                         {"minutes", "0"},
                         {"batch", "192"},
                         {"lr", "1e-3"},
                         {"threads", "2"},
                         {"device", "cpu"},
                         {"seed", "5"}});
  persona::keep_freed_memory();
  const auto out = options.text("out");
  const auto seed = static_cast<std::uint64_t>(options.count("seed"));
  const auto tokenizer = persona::CLIPTokenizer::from_folder(options.text("tokenizer"));
  auto text = fresh_text(tokenizer.vocab_size(), seed);
  persona::Linear head(text_width, answer_total());
  Pair pair = Pair::sized();
  initialize(head, seed + 1), initialize(pair, seed + 2);
  if (!options.text("from").empty()) {
    const auto last = load_tensors(options.text("from"));
    load_what_fits(text, last, "text"), load_what_fits(head, last, "head"), load_what_fits(pair, last, "pair");
  }
  const bool frozen = !options.text("text_from").empty();
  if (frozen) load_module(text, load_tensors(options.text("text_from")), "text");
  const auto device = persona::parse_device(options.text("device"));
  persona::to(text, device, at::kFloat), persona::to(head, device, at::kFloat), persona::to(pair, device, at::kFloat);
  Trainer trainer;
  if (!frozen) trainer.add("text", text), freeze_table(text);
  trainer.add("head", head), trainer.add("pair", pair);
  long step = 0;
  if (std::filesystem::exists(out)) step = trainer.load(load_tensors(out));
  const Progress progress(options.count("steps"), options.number("minutes"), step);
  const auto threads = options.count("threads");
  const auto shard_loss = [&](long number, long shard) {
    Dice dice(seed * 1000003 + static_cast<std::uint64_t>(number * threads + shard), "pair");
    std::vector<std::string> texts;
    std::vector<Picture> pictures;
    std::vector<Answers> truth;
    for (long i = 0; i < options.count("batch") / threads; ++i) {
      const auto example = random_example(dice);
      texts.push_back(training_caption(example, dice)), pictures.push_back(render(example)),
          truth.push_back(answers(example));
    }
    const auto text16 = as_dtype(text, at::kBFloat16);
    const auto pair16 = as_dtype(pair, at::kBFloat16);
    const auto ends = text_ends(text16, tokenize(tokenizer, texts, true, device));
    const auto told = answer_loss(as_dtype(head, at::kBFloat16)(ends).to(at::kFloat), truth);
    const auto matched =
        contrastive_loss(pair16.embed_images(to_tensor(pictures, device)), pair16.embed_ends(ends), pair16.scale());
    ((told + 0.3 * matched) / static_cast<double>(threads)).backward();
    return std::array{told.item<double>() / static_cast<double>(threads),
                      matched.item<double>() / static_cast<double>(threads)};
  };
  double told = 0, matched = 0;
  for (long begin = step; progress.fraction(step) < 1; ++step) {
    const auto [a, b] = on_threads(threads, [&](long shard) { return shard_loss(step, shard); });
    const double since = static_cast<double>(step - begin);
    trainer.step(learning_rate(options.number("lr"), progress.fraction(step), step - begin, 50), 0.01, 1.0,
                 std::min(0.99, (1.0 + since) / (10.0 + since)));
    told = step == begin ? a : 0.97 * told + 0.03 * a, matched = step == begin ? b : 0.97 * matched + 0.03 * b;
    if (step % 50 == 0)
      progress.print(step, ("telling " + std::to_string(told) + ", contrastive " + std::to_string(matched)).c_str());
    if (step % 200 == 199 || progress.fraction(step + 1) >= 1) {
      save_tensors(out, trainer.state(step + 1));
      trainer.swap_average(), evaluate(text, head, pair, tokenizer), trainer.swap_average();
    }
  }
  if (options.text("export").empty()) return;
  trainer.swap_average();
  save_half(options.text("export"), pair);
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
