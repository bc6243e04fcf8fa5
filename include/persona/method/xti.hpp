#pragma once

#include <persona/init/token.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/recipe.hpp>

#include <string>
#include <utility>

namespace persona {

/// Extended Textual Inversion (P+, Voynov et al. 2023): rows of their own for every cross-attention layer, all from the
/// word's row on. The paper has no code; rate and steps are those of one port, mkshing's prompt-plus-pytorch.
inline auto xti(std::string word = {}, double lr = 5e-3) {
  return TokenInit{std::move(word)} + LayeredRows{} + AdamW{.lr = lr};
}

}  // namespace persona
