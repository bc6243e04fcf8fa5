#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace persona {

/// Rows that differ by layer or timestep, as a file holds them.
struct StoredRows {
  std::string form{};                       ///< which state reads it back: "layered_rows", "neti_mapper"
  std::int64_t layers = 0;                  ///< of the denoiser that they were learned on
  std::map<std::string, Tensor> tensors{};  ///< on the CPU
  std::int64_t timesteps = 1000;            ///< of the schedule that they were learned on
  bool by_timestep = true;                  ///< false: every timestep has the same rows, which are then encoded once
};

}  // namespace persona
