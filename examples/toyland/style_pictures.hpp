#pragma once

#include "example.hpp"
#include "style_contents.hpp"

#include <vector>

namespace toyland {

/// What a held-out style is learned from: a person in a garden, a bird in the desert, a pot in a kitchen and a bear in
/// an amusement park, others in every style.
std::vector<Picture> style_photos(Style style);

/// Renders of a content, for a sheet of all_styles columns: renders_per_style rows, the styles in their order.
std::vector<Picture> content_renders(const StyleContent& content);

}  // namespace toyland
