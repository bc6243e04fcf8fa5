#pragma once

#include "example.hpp"

#include <string>
#include <vector>

namespace toyland {

/// How much a caption says; people with a name are called by it, others by their traits.
struct CaptionStyle {
  double garment = 0.6;      ///< chance that the garment is mentioned
  bool fully = false;        ///< all that can be seen is said, but for the traits of people who go by name
  double place = 0.7;        ///< chance that the place is mentioned, and the accessory and prop at like rates
  double expression = 0.85;  ///< chance that the expression is mentioned; a neutral one at half that
};

/// A caption of a rendered example, all lower-case words of the grammar.
std::string caption(const Example& example, const CaptionStyle& style, Dice& dice);
/// Only who or what it is, as a photo: a name in a template, or a list of traits.
std::string plain_caption(const Example& example, Dice& dice);

/// Every word and sign that a caption can hold, and the words of the evaluation prompts; sorted, each once.
const std::vector<std::string>& grammar_words();

}  // namespace toyland
