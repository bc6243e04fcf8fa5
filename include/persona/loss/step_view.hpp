#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>
#include <persona/model/conditioning.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace persona {

/// What a regularizer sees of a step; nothing in it may be written.
struct StepView {
  const Batch& batch;            ///< x0, noise, t, prompts with the slots of the learned rows
  std::span<const Tensor> rows;  ///< per subject: the current rows [n, D] (layered: [layers, (B,) n, D]),
                                 ///< differentiable; empty where none are trained
  std::span<const Tensor> initial_rows;          ///< per subject: where they started [n, D]
  std::span<const Leaf> leaves;                  ///< everything that is trained
  const Tensor& x_t;                             ///< [B, C, h, w]
  const Tensor& prediction;                      ///< [B, C, h, w] fp32, differentiable
  const Tensor& target;                          ///< [B, C, h, w]
  std::span<const AttentionTap::Map> attention;  ///< the maps that this regularizer asked for
  Tensor snr;                                    ///< [B], of the batch's timesteps
};

}  // namespace persona
