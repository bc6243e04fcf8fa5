#pragma once
// Toyland's model, new or out of training checkpoints.

#include "sizes.hpp"
#include "trainer.hpp"

#include <persona/stable_diffusion/stable_diffusion.hpp>

namespace toyland {

/// The averages of a denoiser's and an autoencoder's checkpoint (not the averages: as training left them), and a
/// tokenizer folder.
inline persona::StableDiffusion model_from_checkpoints(const std::string& unet_file, const std::string& vae_file,
                                                       const std::string& tokenizer_folder, bool average = true) {
  auto tokenizer = persona::CLIPTokenizer::from_folder(tokenizer_folder);
  const auto trained = load_tensors(unet_file);
  persona::CLIPTextModel text(text_config(tokenizer.vocab_size()));
  persona::UNet2DConditionModel unet(unet_config());
  persona::AutoencoderKL vae(vae_config(trained.at("scaling_factor").item<double>()));
  load_module(unet, trained, "unet", average), load_module(text, trained, "text", average);
  load_module(vae, load_tensors(vae_file), "vae");
  return {std::move(tokenizer), std::move(text), std::move(unet), std::move(vae), schedule_config()};
}

/// A text encoder at its start.
inline persona::CLIPTextModel fresh_text(std::int64_t vocabulary, std::uint64_t seed) {
  persona::CLIPTextModel text(text_config(vocabulary));
  initialize(text, seed);
  persona::for_each_weight(text, [](const std::string& name, persona::Weight& weight) {
    if (weight.kind != persona::WeightKind::embedding) return;
    weight.base = weight.base * ((name.find("position") == std::string::npos ? token_std : position_std) / 0.02);
  });
  return text;
}

/// The token table takes no part in training.
inline void freeze_table(persona::CLIPTextModel& text) {
  persona::for_each_weight(text, [](const std::string& name, persona::Weight& weight) {
    if (weight.kind == persona::WeightKind::embedding && name.find("position") == std::string::npos)
      weight.base.set_requires_grad(false);
  });
}

/// A denoiser at its start, with an autoencoder and a text encoder that are trained; `text_file` empty: that one is at
/// its start too.
inline persona::StableDiffusion fresh_model(const std::string& vae_file, const std::string& text_file,
                                            const std::string& tokenizer_folder, std::uint64_t seed) {
  auto tokenizer = persona::CLIPTokenizer::from_folder(tokenizer_folder);
  auto text = fresh_text(tokenizer.vocab_size(), seed);
  persona::UNet2DConditionModel unet(unet_config());
  persona::AutoencoderKL vae(vae_config());
  initialize(unet, seed, {"conv2.weight", "proj_out.weight", "conv_out.weight"});
  if (!text_file.empty()) load_module(text, load_tensors(text_file), "text");
  load_module(vae, load_tensors(vae_file), "vae");
  return {std::move(tokenizer), std::move(text), std::move(unet), std::move(vae), schedule_config()};
}

/// Out of a training checkpoint (its averages), or of an export.
template <class Module>
void load_weights(Module& module, const std::string& path, const std::string& prefix) {
  const auto all = load_tensors(path);
  if (all.contains("step")) return load_module(module, all, prefix);
  persona::for_each_weight(
      module, [&](const std::string& name, persona::Weight& weight) { weight.base = all.at(name).to(at::kFloat); });
}

}  // namespace toyland
