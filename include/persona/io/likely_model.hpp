#pragma once

#include <cstdint>
#include <string>

namespace persona {

/// The models whose token rows (or text states, for XL's two encoders) are `width` wide, by name ("Stable
/// Diffusion 1.x"); empty: of no known one. Widths tell families apart, and no more: fine-tunes share their base's.
inline std::string likely_model(std::int64_t width) {
  switch (width) {
    case 128:
      return "Toyland";
    case 768:
      return "Stable Diffusion 1.x";
    case 1024:
      return "Stable Diffusion 2.x";
    case 1280:
      return "the second text encoder of Stable Diffusion XL";
    case 2048:
      return "Stable Diffusion XL";
    default:
      return {};
  }
}

/// "1024 wide, as Stable Diffusion 2.x": for messages.
inline std::string width_shown(std::int64_t width) {
  const auto model = likely_model(width);
  return std::to_string(width) + " wide" + (model.empty() ? "" : ", as " + model);
}

}  // namespace persona
