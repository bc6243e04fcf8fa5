#pragma once

#include <persona/data/flip.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/recipe.hpp>

#include <cstdint>
#include <utility>

namespace persona {

/// LoRA (Hu et al., ICLR 2022) of the UNet's attention, as diffusers' DreamBooth script has it: batch 1, 500 steps at
/// 1e-4, gradients shortened to 1.
inline auto lora(std::int64_t rank = 4, double lr = 1e-4) {
  return LowRank{.rank = rank} + NoAugmentation{} + AdamW{.lr = lr, .max_grad_norm = 1};
}

/// With the class preserved.
inline auto dreambooth_lora(PriorPreservation prior = {}, std::int64_t rank = 4, double lr = 1e-4) {
  return LowRank{.rank = rank} + std::move(prior) + NoAugmentation{} + AdamW{.lr = lr, .max_grad_norm = 1};
}

}  // namespace persona
