#pragma once

#include "names.hpp"

#include <string>
#include <vector>

namespace toyland {

/// How much a caption says.
struct CaptionStyle {
  bool named = false;    ///< by name; else by traits
  double garment = 0.6;  ///< chance that the garment is mentioned
  double place = 0.7;    ///< chance that the place is mentioned, and the expression, accessory and prop at like rates
};

/// A caption of a rendered person, all lower-case words of the grammar. `name` ("first last") is used when style.named.
std::string caption(const Person& person, const std::string& name, const Scene& scene, const CaptionStyle& style,
                    Dice& dice);
/// Only the person, as a photo: a name in a template, or a list of traits.
std::string plain_caption(const Person& person, const std::string& name, bool named, Dice& dice);

/// Every word and sign that a caption can hold, and the words of the evaluation prompts; sorted, each once.
const std::vector<std::string>& grammar_words();

/// The place as a phrase: "on the beach".
std::string place_phrase(Place place, Dice& dice);
/// The garment as a phrase: "wearing a red sweater".
std::string garment_phrase(Garment garment, int color, Dice& dice);

}  // namespace toyland
