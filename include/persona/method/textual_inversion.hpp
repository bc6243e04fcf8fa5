#pragma once

#include <persona/init/token.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/recipe.hpp>

#include <string>
#include <utility>

namespace persona {

/// Textual Inversion (Gal et al. 2022): rows that start as the word's row and are trained freely. The defaults are
/// those of the published baselines (learning rate 5e-3; train 5000 steps at batch 8 for the paper's setting).
inline auto textual_inversion(std::string word = {}, double lr = 5e-3) {
  return TokenInit{std::move(word)} + FreeRows{} + AdamW{.lr = lr};
}

}  // namespace persona
