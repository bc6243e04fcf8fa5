#pragma once
// The learning rate and steps of each method on the embedded model: the best of the tables' grid on the validation
// split (docs/tables), which no photo shown by an example belongs to.

#include <cstdint>

namespace examples {

struct Preset {
  double lr = 0;
  std::int64_t steps = 0;
};

inline constexpr Preset textual_inversion_preset{1.25e-3, 1000};
inline constexpr Preset cross_initialization_preset{8e-2, 1000};

}  // namespace examples
