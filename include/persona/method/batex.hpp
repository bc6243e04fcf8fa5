#pragma once

#include <persona/init/token.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/recipe.hpp>

#include <string>

namespace persona {

/// BaTex (Du et al.): the row is a weighted sum of the vocabulary rows nearest to the word's; M is 0.75 of
/// the row's width (576 of 768). Train 500 steps; the paper gives no learning rate, its code's is 2e-3 on one GPU.
inline auto batex(std::string word = {}, double lr = 2e-3) {
  return TokenInit{std::move(word)} + SubspaceBasis{} + AdamW{.lr = lr};
}

/// The published code's variant: exactly the first M rows in order, special tokens among them, and the weight of the
/// first is 1 at the start, whatever word that is. Its script trains 1000 steps.
inline auto batex_as_published(std::string word = {}, double lr = 2e-3) {
  return TokenInit{std::move(word)} + SubspaceBasis{.rank = 1, .special_tokens = true, .start = BasisStart::first} +
         AdamW{.lr = lr};
}

}  // namespace persona
