#pragma once
// Which model an example uses, and where.

#include <persona/stable_diffusion.hpp>

#include <CLI/CLI.hpp>

#include <string>

namespace examples {

inline void add_model_options(CLI::App& app, std::string& folder, persona::LoadOptions& load) {
  app.add_option("--model", folder, "Stable Diffusion model in diffusers' folder layout");
  app.add_option("--device", load.device, "cpu, cuda, cuda:NUMBER or auto");
  app.add_option("--dtype", load.dtype, "of UNet and autoencoder: fp32 or bf16");
}

}  // namespace examples
