#include "model_files.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

namespace toyland {

ToylandModel model_from_folder(const std::string& folder, std::int64_t vocabulary) {
  auto model = empty_model(vocabulary);
  load_plain(model.text, folder + "/text_encoder/model.safetensors");
  load_plain(model.unet, folder + "/unet/diffusion_pytorch_model.safetensors");
  load_plain(model.vae, folder + "/vae/diffusion_pytorch_model.safetensors");
  std::ifstream file(folder + "/vae/config.json");
  model.scaling_factor = nlohmann::json::parse(file).at("scaling_factor").get<double>();
  return model;
}

}  // namespace toyland
