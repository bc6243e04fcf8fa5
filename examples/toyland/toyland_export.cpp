// Writes training checkpoints as a diffusers folder in fp16: what the library, and diffusers, load. `--ratio 70` scales
// the text encoder's outputs to so many times its rows' length, as CLIP's are, and what reads them by the inverse (the
// UNet's keys and values, and the picture tower's projection of texts, `--pair IN --pair_out OUT`): the same function
// of a prompt.

#include "captions.hpp"
#include "measures.hpp"
#include "model_files.hpp"
#include "options.hpp"
#include "pair.hpp"
#include "tokenizer_folder.hpp"

#include <persona/stable_diffusion/save_folder.hpp>

using namespace toyland;

namespace {

void scale(persona::Weight& weight, double by) { weight.base = weight.base.detach() * by; }

}  // namespace

static void make(int argc, char** argv) {
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

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
