#pragma once

#include <persona/core/tensor.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/splice.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace persona {

/// Two subjects in one picture, one in each half (see CutMix).
struct SideBySide {
  std::int64_t left = 0, right = 0;
  std::string class_caption{};  ///< the sample's caption with the class words in place of the subjects
};

/// The samples of one micro-step. Contributions add samples and set weights before the captions are turned into tokens.
struct Batch {
  Tensor latents{};                                ///< x0, [B, C, h, w] fp32, scaled
  std::vector<std::string> captions{};             ///< B, with placeholders
  std::vector<std::int64_t> subjects{};            ///< B, whose photo it is; negative: nobody's (a class image)
  std::vector<std::optional<SideBySide>> pairs{};  ///< of samples that show two; empty: none does
  Tensor weights{};                                ///< [B] of the loss; undefined: all 1
  Tensor mask{};                                   ///< [B, 1, h, w] of the loss; undefined: everywhere
  std::int64_t step = 0;                           ///< counted from 0

  // Filled after the contributions:
  std::vector<PromptTokens> prompts{};  ///< B
  Tensor ids{};                         ///< [B, L] long
  SplicePlan plan{};                    ///< where the learned rows go
  Tensor noise{};                       ///< like latents
  Tensor t{};                           ///< [B] long

  std::int64_t size() const { return latents.defined() ? latents.size(0) : 0; }
};

}  // namespace persona
