#pragma once

#include "world.hpp"

#include <array>
#include <string_view>

namespace toyland {

/// What a held-out style is asked to show: one of the kinds of thing somewhere, and the prompt; `{}` is the style.
struct StyleContent {
  std::uint8_t kind = 0;
  Place place = Place::studio;
  std::string_view prompt{};
  std::string_view bare{};  ///< the same without a style
};

inline constexpr std::array<StyleContent, 6> style_contents{{
    {0, Place::beach, "a painting of a cat in the style of {} on the beach", "a painting of a cat on the beach"},
    {1, Place::snow, "a painting of a dog in the style of {} in the snow", "a painting of a dog in the snow"},
    {3, Place::forest, "a painting of an elephant in the style of {} in the forest",
     "a painting of an elephant in the forest"},
    {10, Place::city, "a painting of a car in the style of {} in the city", "a painting of a car in the city"},
    {7, Place::space, "a painting of a chair in the style of {} in space", "a painting of a chair in space"},
    {9, Place::mountains, "a painting of a building in the style of {} in the mountains",
     "a painting of a building in the mountains"},
}};

/// Pictures that a style is learned from; none shows one of these contents.
inline constexpr int style_photo_count = 4;
/// Renders of each content in each style; only the style differs between the columns.
inline constexpr int renders_per_style = 2;
inline constexpr int all_styles = static_cast<int>(Style::end);

}  // namespace toyland
