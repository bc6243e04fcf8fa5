// Teaches the text encoder to tell from a caption what its picture shows: the traits behind a name, place, garment,
// colours, expression and style, read at the end of the text. The contrastive pair alone is solved by names and leaves
// the words for scenes unread.

#include "options.hpp"
#include "probe.hpp"
#include "text_batches.hpp"
#include "trainer.hpp"

#include <filesystem>

using namespace toyland;

namespace {

struct Batch {
  std::vector<std::string> texts;
  std::vector<std::array<int, question_count>> truth;
};

Batch make_batch(Dice& dice, long n, double named) {
  Batch batch;
  for (long i = 0; i < n; ++i) {
    const auto example = random_example(dice, named, 0.12);
    batch.texts.push_back(training_caption(example, dice)), batch.truth.push_back(answers(example));
  }
  return batch;
}

Tensor scores_of(const persona::CLIPTextModel& text, const persona::Linear& head, const TextBatch& batch) {
  const auto states = text.encode(at::embedding(text.embedding_table(), batch.ids));
  return head(states.index({at::arange(batch.ids.size(0), batch.ids.options()), batch.ends})).to(at::kFloat);
}

/// What captions that say it all are understood to say, question by question.
void evaluate(const persona::CLIPTextModel& text, const persona::Linear& head,
              const persona::CLIPTokenizer& tokenizer) {
  const at::NoGradGuard no_grad;
  Dice dice(13, "text validation");
  Batch batch;
  for (int i = 0; i < 512; ++i) {
    const auto example = random_example(dice, 1, 0);
    batch.texts.push_back(
        caption(example.person, name_of(example), example.scene, {.named = true, .garment = 1, .place = 1}, dice)),
        batch.truth.push_back(answers(example));
  }
  const auto scores = scores_of(text, head, tokenize(tokenizer, batch.texts, true, text.embedding_table().device()));
  std::array<double, question_count> right{};
  std::int64_t first = 0;
  const auto counts = answer_counts();
  for (std::size_t q = 0; q < question_count; ++q) {
    const auto best = scores.slice(1, first, first + counts[q]).argmax(1).contiguous().cpu();
    for (std::size_t i = 0; i < 512; ++i)
      right[q] += (best.const_data_ptr<std::int64_t>()[i] == batch.truth[i][q]) / 512.0;
    first += counts[q];
  }
  double all = 0;
  for (std::size_t t = 0; t < trait_count; ++t) all += right[t] / static_cast<double>(trait_count);
  std::printf("traits of a name %.3f, place %.3f, garment %.3f, its colour %.3f, expression %.3f\n", all,
              right[place_question], right[garment_question], right[garment_color_question],
              right[expression_question]);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"out", "text.safetensors"},
                         {"from", ""},
                         {"tokenizer", "model/tokenizer"},
                         {"steps", "1000"},
                         {"minutes", "0"},
                         {"batch", "192"},
                         {"lr", "1e-3"},
                         {"named", "0.6"},
                         {"device", "cpu"},
                         {"seed", "5"}});
  persona::keep_freed_memory();
  const auto out = options.text("out");
  const auto seed = static_cast<std::uint64_t>(options.count("seed"));
  const auto tokenizer = persona::CLIPTokenizer::from_folder(options.text("tokenizer"));
  persona::CLIPTextModel text(text_config(tokenizer.vocab_size()));
  std::int64_t all = 0;
  for (const int n : answer_counts()) all += n;
  persona::Linear head(text_width, all);
  initialize(text, seed), initialize(head, seed + 1);
  if (!options.text("from").empty()) load_module(text, load_tensors(options.text("from")), "text");
  const auto device = persona::parse_device(options.text("device"));
  persona::to(text, device, at::kFloat), persona::to(head, device, at::kFloat);
  Trainer trainer;
  trainer.add("text", text), trainer.add("head", head);
  long step = 0;
  if (std::filesystem::exists(out)) step = trainer.load(load_tensors(out));
  const Progress progress(options.count("steps"), options.number("minutes"), step);
  double running = 0;
  for (long begin = step; progress.fraction(step) < 1; ++step) {
    Dice dice(seed * 1000003 + static_cast<std::uint64_t>(step), "text");
    const auto batch = make_batch(dice, options.count("batch"), options.number("named"));
    const auto scores = scores_of(as_dtype(text, at::kBFloat16), as_dtype(head, at::kBFloat16),
                                  tokenize(tokenizer, batch.texts, true, device));
    const auto loss = answer_loss(scores, batch.truth);
    loss.backward();
    trainer.step(
        learning_rate(options.number("lr"), progress.fraction(step), step - begin, 50), 0.01, 1.0,
        std::min(0.99, (1.0 + static_cast<double>(step - begin)) / (10.0 + static_cast<double>(step - begin))));
    running = step == begin ? loss.item<double>() : 0.97 * running + 0.03 * loss.item<double>();
    if (step % 50 == 0) progress.print(step, ("loss " + std::to_string(running)).c_str());
    if (step % 200 == 199 || progress.fraction(step + 1) >= 1)
      save_tensors(out, trainer.state(step + 1)), evaluate(text, head, tokenizer);
  }
}
