#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace persona {

/// How a model is loaded.
struct LoadOptions {
  std::string device = "cpu";           ///< "cpu", "cuda", "cuda:N", "auto"
  std::string dtype = "fp32";           ///< of UNet and autoencoder: "fp32" or "bf16", whatever the files hold
  std::string text_dtype = "fp32";      ///< of the text encoder
  std::string variant{};                ///< "fp16": NAME.fp16.safetensors; empty: the plain files, else those
  std::optional<bool> channels_last{};  ///< layout of UNet and autoencoder; empty: on the CPU, where the UNet is wide

  // What a single file does not say, and a folder does.
  std::filesystem::path tokenizer{};  ///< the folder with vocab.json and merges.txt
  std::string prediction_type{};      ///< "epsilon" or "v_prediction"; empty: SD 1's epsilon, and SD 2 files are asked
  std::int64_t sample_size = 0;       ///< of latents at training; 0: 64, and 96 where v is predicted
};

}  // namespace persona
