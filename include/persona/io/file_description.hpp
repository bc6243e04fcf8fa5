#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

/// What a safetensors file is, by the names and shapes of its tensors.
enum class FileKind {
  unknown,               ///< none of these
  learned,               ///< Learned::save
  run,                   ///< a run's checkpoint (Run::save)
  decompositions,        ///< persona's cache of a model's singular values
  embedding_diffusers,   ///< TOKEN -> rows, also InvokeAI's
  embedding_emb_params,  ///< "emb_params" -> rows: AUTOMATIC1111, kohya
  embedding_sdxl,        ///< "clip_l" and "clip_g" -> rows: two text encoders
  embedding_layers,      ///< kohya's XTI: rows for each of 16 layers
  lora,                  ///< low-rank factors, and DoRA's magnitudes; see FileDescription::lora
  differences,           ///< kohya's whole differences of weights (".diff")
  spectral_shifts,       ///< svdiff-pytorch's
  custom_diffusion,      ///< diffusers' attention processors
  single_file_sd1,       ///< a whole model with CLIP's text encoder
  single_file_sd2,       ///< a whole model with OpenCLIP's text encoder
  single_file_sdxl,      ///< a whole model with both
  single_file_other,     ///< a whole model for another task: inpainting, ControlNet, upscaling
  part_unet,             ///< unet/ of a diffusers folder
  part_vae,              ///< vae/ of a diffusers folder
  part_text_encoder      ///< text_encoder/ of a diffusers folder
};

/// "embedding_diffusers", as machines want it.
inline std::string_view name_of(FileKind kind) {
  static constexpr std::string_view names[] = {"unknown",
                                               "learned",
                                               "run",
                                               "decompositions",
                                               "embedding_diffusers",
                                               "embedding_emb_params",
                                               "embedding_sdxl",
                                               "embedding_layers",
                                               "lora",
                                               "differences",
                                               "spectral_shifts",
                                               "custom_diffusion",
                                               "single_file_sd1",
                                               "single_file_sd2",
                                               "single_file_sdxl",
                                               "single_file_other",
                                               "part_unet",
                                               "part_vae",
                                               "part_text_encoder"};
  return names[static_cast<std::size_t>(kind)];
}

/// One tensor as the header says it.
struct FileTensor {
  std::string name{};
  std::string dtype{};  ///< as the file writes it: "F16"
  std::vector<std::int64_t> shape{};
};

/// Token rows in a file.
struct FileRows {
  std::string token{};       ///< empty: the file does not say; tools take its stem
  std::string tensor{};      ///< where they are
  std::int64_t vectors = 0;  ///< n of [n, D]
  std::int64_t width = 0;    ///< D
};

/// What can be said of a file of low-rank factors.
struct FileLora {
  std::string dialect{};                          ///< "diffusers", "peft" or "kohya"
  std::vector<std::int64_t> ranks{};              ///< those that occur, in order
  std::vector<double> alphas{};                   ///< those that occur; empty: none is stored, which counts as the rank
  bool dora = false;                              ///< has magnitudes (Liu et al. 2024)
  std::map<std::string, std::int64_t> targets{};  ///< the last part of a module's name ("to_k") -> how many of it
  std::int64_t unet = 0, text_encoder = 0;        ///< changed weights of each
};

/// What a file is, what is in it, and who reads it.
struct FileDescription {
  std::string path{};
  std::uint64_t bytes = 0;  ///< of tensors
  FileKind kind = FileKind::unknown;
  std::string what{};                 ///< "a LoRA in kohya's form"
  std::vector<FileTensor> tensors{};  ///< in alphabetical order
  std::map<std::string, std::string> metadata{};
  std::vector<FileRows> rows{};  ///< of learned things and embeddings
  std::optional<FileLora> lora{};
  std::int64_t width = 0;              ///< of the text states or rows that it is for; 0: it does not show
  std::string base{};                  ///< the likely base model by that width; empty: no known one
  std::vector<std::string> readers{};  ///< tools that read it: "diffusers", "AUTOMATIC1111", ...
  std::string call{};                  ///< the call of persona that reads it; empty: none does
  std::string note{};                  ///< what to know before using it; may be empty
};

}  // namespace persona
