#pragma once

#include <persona/data/flip.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/recipe.hpp>

#include <utility>

namespace persona {

/// DreamBooth (Ruiz et al., CVPR 2023): the whole UNet, with the class preserved. diffusers' script: batch 1, 800 steps
/// at 5e-6, gradients shortened to 1.
inline auto dreambooth(PriorPreservation prior = {}, double lr = 5e-6) {
  return FullWeights{} + std::move(prior) + NoAugmentation{} + AdamW{.lr = lr, .max_grad_norm = 1};
}

/// The text encoder as well; diffusers' script asks for 2e-6 then.
inline auto dreambooth_with_text_encoder(PriorPreservation prior = {}, double lr = 2e-6) {
  return FullWeights{subsets::host("unet") || subsets::host("text_encoder")} + std::move(prior) + NoAugmentation{} +
         AdamW{.lr = lr, .max_grad_norm = 1};
}

}  // namespace persona
