#pragma once

#include <persona/init/token.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/recipe.hpp>

#include <string>
#include <utility>

namespace persona {

/// NeTI (Alaluf et al. 2023): a mapper from timestep and layer to row and bypass, as long as the word's
/// row. Train 1000 steps. The paper's rate is 1e-3; its code multiplies it by its batch and accumulation to 8e-3.
inline auto neti(std::string word = {}, double lr = 1e-3) {
  return TokenInit{std::move(word)} + NeTIMapper{} + AdamW{.lr = lr};
}

/// The published code's variant: row and bypass are brought to length as one vector, at 8e-3.
inline auto neti_as_published(std::string word = {}, double lr = 8e-3) {
  return TokenInit{std::move(word)} + NeTIMapper{.norm = NeTINorm::both} + AdamW{.lr = lr};
}

}  // namespace persona
