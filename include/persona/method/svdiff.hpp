#pragma once

#include <persona/data/cut_mix.hpp>
#include <persona/data/flip.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/loss/unmix.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/recipe.hpp>

#include <utility>

namespace persona {

/// SVDiff (Han et al., ICCV 2023): shifts of the singular values of every weight of the UNet, with the class preserved.
/// Batch 1, 500 or 1000 steps; the paper's text has no rate, its authors give 1e-3, and 1e-6 for 1-D weights.
inline auto svdiff(PriorPreservation prior = {}, double lr = 1e-3) {
  return SpectralShift{} + std::move(prior) + NoAugmentation{} + AdamW{.lr = lr};
}

/// One picture to edit: nothing is preserved (lambda 0).
inline auto svdiff_single_image(double lr = 1e-3) { return SpectralShift{} + NoAugmentation{} + AdamW{.lr = lr}; }

/// Two or more subjects with Cut-Mix-Unmix.
inline auto svdiff_cut_mix_unmix(PriorPreservation prior = {}, double unmix = 1.0, double lr = 1e-3) {
  return SpectralShift{} + CutMix{} + std::move(prior) + Unmix{.weight = unmix} + NoAugmentation{} + AdamW{.lr = lr};
}

/// svdiff-pytorch's variant: one number a norm, shifts in the text encoder as well, gradients shortened to 1.
inline auto svdiff_as_ported(PriorPreservation prior = {}, double lr = 1e-3) {
  return SpectralShift{.weights = subsets::unet() || subsets::text_encoder(), .vectors = VectorForm::scale} +
         std::move(prior) + NoAugmentation{} + AdamW{.lr = lr, .max_grad_norm = 1};
}

}  // namespace persona
