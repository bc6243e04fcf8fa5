#pragma once

#include <persona/data/flip.hpp>
#include <persona/data/random_scale.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/recipe.hpp>

#include <string>
#include <utility>

namespace persona {

/// Custom Diffusion (Kumari et al., CVPR 2023): a token row from a rare word's, and the K and V projections of
/// cross-attention, with the class preserved, from photos drawn smaller and larger. Its script: batch 2, 250 steps a
/// subject; its rate is 1e-5 times the batch and, with a prior, times 2, here it is `lr` itself.
inline auto custom_diffusion(std::string word = "ktn", PriorPreservation prior = {}, double lr = 1e-5) {
  return TokenInit{std::move(word)} + CrossAttentionKV{} + std::move(prior) + RandomFlip{} + RandomScale{} +
         AdamW{.lr = lr, .max_grad_norm = 1};
}

}  // namespace persona
