#pragma once

#include <persona/core/tensor.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/splice.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// The samples of one micro-step. Contributions add samples and set weights before the captions are turned into tokens.
struct Batch {
  Tensor latents{};                      ///< x0, [B, C, h, w] fp32, scaled
  std::vector<std::string> captions{};   ///< B, with placeholders
  std::vector<std::int64_t> subjects{};  ///< B, whose photo it is; -1: nobody's (a class image)
  Tensor weights{};                      ///< [B] of the loss; undefined: all 1
  Tensor mask{};                         ///< [B, 1, h, w] of the loss; undefined: everywhere
  std::int64_t step = 0;                 ///< counted from 0

  // Filled after the contributions:
  std::vector<PromptTokens> prompts{};  ///< B
  Tensor ids{};                         ///< [B, L] long
  SplicePlan plan{};                    ///< where the learned rows go
  Tensor noise{};                       ///< like latents
  Tensor t{};                           ///< [B] long

  std::int64_t size() const { return latents.defined() ? latents.size(0) : 0; }
};

}  // namespace persona
