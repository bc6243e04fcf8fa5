#pragma once

#include <persona/init/cross.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/celeb_basis.hpp>
#include <persona/param/celeb_mapper.hpp>
#include <persona/recipe.hpp>

#include <string>
#include <utility>
#include <vector>

namespace persona {

/// Celeb Basis (Yuan et al., NeurIPS 2023): a linear layer makes the coefficients over the names' principal directions
/// from what a face recogniser says of the photo. Two vectors, 400 steps; the rate is the code's 5e-3 times its batch
/// of 2.
inline auto celeb_basis(const std::vector<std::string>& names, Tensor face_feature, double lr = 1e-2) {
  return CrossInit{.names = names, .columns = NameColumns::pieces, .use_encoder = false} +
         CelebMapper{.names = names, .feature = std::move(face_feature)} + AdamW{.lr = lr};
}

/// Its ablation without the recogniser: the coefficients themselves, from the names' mean on.
inline auto celeb_basis_direct(const std::vector<std::string>& names, double lr = 1e-2) {
  return CrossInit{.names = names, .columns = NameColumns::pieces, .use_encoder = false} + CelebBasis{.names = names} +
         AdamW{.lr = lr};
}

}  // namespace persona
