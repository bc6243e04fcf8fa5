#pragma once

#include <persona/core/tensor.hpp>

#include <map>
#include <string>

namespace toyland {

using TensorMap = std::map<std::string, persona::Tensor>;

/// Named tensors as safetensors, written beside the goal and renamed: a reader never sees half a file.
void save_tensors(const std::string& path, const TensorMap& tensors,
                  const std::map<std::string, std::string>& metadata = {});
TensorMap load_tensors(const std::string& path);

}  // namespace toyland
