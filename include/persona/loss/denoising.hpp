#pragma once

#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>

namespace persona {

/// mean_i w_i mean_{c,h,w} m (prediction - target)^2 over the B samples, in fp32: E || eps - eps_theta(x_t, t, c) ||^2
/// of DDPM (Ho et al. 2020, Eq. 14), with the weights and masks that contributions set; a mask's mean is over what it
/// shows.
inline Tensor denoising_loss(const Tensor& prediction, const Tensor& target, const Batch& batch) {
  if (!batch.weights.defined() && !batch.mask.defined()) return at::mse_loss(prediction, target);
  auto squared = (prediction - target).square();
  Tensor per_sample;
  if (batch.mask.defined()) {
    const auto shown = batch.mask.expand_as(squared);
    per_sample = (squared * shown).flatten(1).sum(1) / shown.flatten(1).sum(1).clamp_min(1e-8);
  } else {
    per_sample = squared.flatten(1).mean(1);
  }
  return batch.weights.defined() ? (per_sample * batch.weights).mean() : per_sample.mean();
}

}  // namespace persona
