#pragma once
// Toyland's model, read from training checkpoints or from a diffusers folder of it.

#include "probe.hpp"
#include "sizes.hpp"
#include "trainer.hpp"

#include <persona/stable_diffusion/unet.hpp>

namespace toyland {

struct ToylandModel {
  persona::CLIPTextModel text;
  persona::UNet2DConditionModel unet;
  persona::AutoencoderKL vae;
  double scaling_factor = 1;
};

inline ToylandModel empty_model(std::int64_t vocabulary) {
  return {persona::CLIPTextModel(text_config(vocabulary)), persona::UNet2DConditionModel(unet_config()), persona::AutoencoderKL(vae_config())};
}

inline ToylandModel model_from_checkpoints(const std::string& unet, const std::string& vae, std::int64_t vocabulary, bool average = true) {
  auto model = empty_model(vocabulary);
  const auto trained = load_tensors(unet);
  load_module(model.unet, trained, "unet", average), load_module(model.text, trained, "text", average);
  load_module(model.vae, load_tensors(vae), "vae");
  model.scaling_factor = trained.at("scaling_factor").item<double>();
  return model;
}

/// Fills a module from a file whose keys are the module's own names.
template <class Module>
void load_plain(Module& module, const std::string& path) {
  const auto all = load_tensors(path);
  persona::for_each_weight(module, [&](const std::string& name, persona::Weight& weight) {
    const auto found = all.find(name);
    if (found == all.end() || found->second.sizes() != weight.base.sizes()) throw std::runtime_error(path + " has no fitting " + name);
    weight.base = found->second.to(at::kFloat).clone();
  });
}

/// What toyland_export wrote.
ToylandModel model_from_folder(const std::string& folder, std::int64_t vocabulary);

/// A training checkpoint of the probe, or its export.
inline void load_probe(ConvTower& probe, const std::string& path) {
  if (load_tensors(path).contains("step")) load_module(probe, load_tensors(path), "probe");
  else load_plain(probe, path);
}

}  // namespace toyland
