#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/stable_diffusion/stable_diffusion.hpp>
#include <persona/stable_diffusion/write_config.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace persona {

/// How weights are written.
struct SaveFolderOptions {
  std::string dtype = "fp16";  ///< "fp16", "bf16" or "fp32"
};

namespace detail {

inline at::ScalarType parse_storage_dtype(const std::string& text) {
  if (text == "fp16") return at::kHalf;
  if (text == "bf16") return at::kBFloat16;
  if (text == "fp32") return at::kFloat;
  throw Error("save_folder", "the dtype is '" + text + "'", "expected fp16, bf16 or fp32");
}

/// Writes PART/config.json and PART/STEM.safetensors, each whole or not at all; what was learned into a weight is
/// written with it.
template <class Module>
void save_part(const std::filesystem::path& folder, const std::string& stem, const Module& module,
               const nlohmann::json& config, at::ScalarType dtype) {
  const at::NoGradGuard no_grad;
  const auto file = folder / (stem + ".safetensors");
  std::map<std::string, Tensor> tensors;
  for_each_weight(module, [&](const std::string& name, const Weight& weight) {
    if (weight.base.is_meta())
      throw Error(file.string() + ": " + name, "has no values yet", "fill or initialize the model first");
    auto value = weight.value().detach().to(at::kCPU, dtype);
    if (!at::isfinite(value).all().item<bool>())
      throw Error(file.string() + ": " + name, "is not finite in " + std::string(c10::toString(dtype)),
                  "write it in bf16 or fp32");
    tensors.emplace(name, std::move(value));
  });
  make_folder(folder);
  write_safetensors(file, tensors);
  write_file_atomically(folder / "config.json", config.dump(2) + "\n");
}

}  // namespace detail

/// Writes model_index.json, text_encoder, unet, vae and scheduler in the layout of diffusers, which can load it
/// (StableDiffusionPipeline) once the caller has put the tokenizer's files into FOLDER/tokenizer. Throws Error naming
/// file and key where a weight has no value, or none in the dtype asked for.
inline void save_folder(const StableDiffusion& model, const std::filesystem::path& folder,
                        const SaveFolderOptions& options = {}) {
  const auto dtype = detail::parse_storage_dtype(options.dtype);
  const auto& text = model.text_encoder();
  const std::string stem = "diffusion_pytorch_model";
  detail::save_part(folder / "text_encoder", "model", text, detail::to_json(text.config(), model.tokenizer()), dtype);
  detail::save_part(folder / "unet", stem, model.denoiser(), detail::to_json(model.denoiser().config()), dtype);
  detail::save_part(folder / "vae", stem, model.autoencoder(), detail::to_json(model.autoencoder().config()), dtype);
  make_folder(folder / "scheduler");
  write_file_atomically(folder / "scheduler" / "scheduler_config.json",
                        detail::to_json(model.scheduler_config()).dump(2) + "\n");
  write_file_atomically(folder / "model_index.json", detail::pipeline_index().dump(2) + "\n");
}

}  // namespace persona
