// Writes training checkpoints as a diffusers folder in fp16: what the library, and diffusers, load. `--ratio 70` scales
// the text encoder's outputs to so many times its rows' length, as CLIP's are, and what reads them by the inverse (the
// UNet's keys and values, and the picture tower's projection of texts, `--pair IN --pair_out OUT`): the same function
// of a prompt.

#include "captions.hpp"
#include "model_files.hpp"
#include "options.hpp"
#include "pair.hpp"
#include "text_batches.hpp"
#include "tokenizer_folder.hpp"

#include <persona/stable_diffusion/save_folder.hpp>

using namespace toyland;

namespace {

/// Mean length of the outputs at the words of named people's captions, over that of the token rows.
double output_ratio(const persona::StableDiffusion& model) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> captions;
  for (std::size_t i = 0; i < 100; ++i) captions.push_back("a photo of " + named_people()[i].name() + " person");
  const auto batch = tokenize(model.tokenizer(), captions);
  const auto table = model.text_encoder().embedding_table();
  const auto lengths = at::linalg_vector_norm(model.text_encoder().encode(at::embedding(table, batch.ids)), 2, {2});
  double sum = 0, words = 0;
  for (std::int64_t i = 0; i < batch.ids.size(0); ++i) {
    const auto end = batch.ends[i].item<std::int64_t>();
    sum += lengths[i].slice(0, 1, end).sum().item<double>(), words += static_cast<double>(end - 1);
  }
  return sum / words / at::linalg_vector_norm(table, 2, {1}).mean().item<double>();
}

void scale(persona::Weight& weight, double by) { weight.base = weight.base.detach() * by; }

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"unet", "unet.safetensors"},
                         {"vae", "vae.safetensors"},
                         {"out", "model"},
                         {"ratio", "0"},
                         {"pair", ""},
                         {"pair_out", "pair.safetensors"}});
  const std::filesystem::path out = options.text("out");
  write_tokenizer(out / "tokenizer", train_vocabulary(grammar_words()), static_cast<int>(max_length));
  auto model = model_from_checkpoints(options.text("unet"), options.text("vae"), (out / "tokenizer").string());
  const double before = output_ratio(model), wanted = options.number("ratio");
  if (wanted > 0) {
    persona::for_each_weight(model.text_encoder(), [&](const std::string& name, persona::Weight& weight) {
      if (name.find("final_layer_norm") != std::string::npos) scale(weight, wanted / before);
    });
    persona::for_each_weight(model.denoiser(), [&](const std::string& name, persona::Weight& weight) {
      if (name.find("attn2.to_k") != std::string::npos || name.find("attn2.to_v") != std::string::npos)
        scale(weight, before / wanted);
    });
    if (const auto file = options.text("pair"); !file.empty()) {
      auto pair = Pair::sized();
      load_weights(pair, file, "pair");
      scale(pair.text_projection.weight, before / wanted);
      save_half(options.text("pair_out"), pair);
    }
  }
  std::printf("outputs over rows: %.1f, written with %.1f\n", before, output_ratio(model));
  persona::save_folder(model, out);
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(out))
    if (file.is_regular_file()) bytes += file.file_size();
  std::printf("%s: %.1f MB\n", out.c_str(), static_cast<double>(bytes) / 1e6);
}
