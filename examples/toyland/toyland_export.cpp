// Writes training checkpoints as a diffusers folder in fp16: what the library, and diffusers, load.

#include "captions.hpp"
#include "model_files.hpp"
#include "options.hpp"
#include "tokenizer_folder.hpp"

#include <persona/stable_diffusion/save_folder.hpp>

using namespace toyland;

int main(int argc, char** argv) {
  const Options options(argc, argv, {{"unet", "unet.safetensors"}, {"vae", "vae.safetensors"}, {"out", "model"}});
  const std::filesystem::path out = options.text("out");
  write_tokenizer(out / "tokenizer", train_vocabulary(grammar_words()), static_cast<int>(max_length));
  persona::save_folder(model_from_checkpoints(options.text("unet"), options.text("vae"), (out / "tokenizer").string()),
                       out);
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(out))
    if (file.is_regular_file()) bytes += file.file_size();
  std::printf("%s: %.1f MB\n", out.c_str(), static_cast<double>(bytes) / 1e6);
}
