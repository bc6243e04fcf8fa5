#pragma once

#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/subject.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace persona {

/// What a component may use, beside the model, when a sum is bound.
struct BindContext {
  std::span<const Subject> subjects{};  ///< all that are trained together
  std::size_t subject = 0;              ///< the one whose rows are being made
  Random random{};                      ///< Stream::initialization is the components' own
  std::filesystem::path cache{};        ///< folder for what is worth keeping; empty: keep nothing
  /// Latents [n, C, h, w] drawn by the base model for a prompt (prior preservation).
  std::function<Tensor(const std::string& prompt, std::int64_t n)> sample{};

  const Subject& current() const { return subjects[subject]; }
};

}  // namespace persona
