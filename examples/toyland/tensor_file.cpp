#include "tensor_file.hpp"

#include <persona/io/safetensors.hpp>

namespace toyland {

void save_tensors(const std::string& path, const TensorMap& tensors,
                  const std::map<std::string, std::string>& metadata) {
  persona::write_safetensors(path, tensors, metadata);
}

TensorMap load_tensors(const std::string& path) {
  const auto file = persona::SafeTensors::open(path);
  TensorMap tensors;
  for (const auto& name : file.names()) tensors.emplace(name, file.load(name));
  return tensors;
}

}  // namespace toyland
