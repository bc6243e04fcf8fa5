#pragma once

#include <persona/init/cross.hpp>
#include <persona/init/cross_near.hpp>
#include <persona/loss/l2.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/recipe.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// Cross Initialization (Pang et al., CVPR 2024): rows start at E(mean of names), pulled back by 1e-5 ||v - v_init||^2.
/// The paper's setting: two vectors, 320 steps at batch 8, learning rate 5e-3.
inline auto cross_initialization(std::vector<std::string> names, double lr = 5e-3) {
  return CrossInit{std::move(names)} + FreeRows{} + L2Reg{1e-5} + AdamW{.lr = lr};
}

/// Its fast form, learning rate 0.08: ask for 25 steps at batch 8, {.steps = cross_initialization_fast_steps}.
inline auto cross_initialization_fast(std::vector<std::string> names) {
  return cross_initialization(std::move(names), 8e-2);
}

/// The published code's variant: names by BPE piece, and the mean of un-squared distances.
inline auto cross_initialization_as_published(std::vector<std::string> names, double lr = 5e-3) {
  return CrossInit{.names = std::move(names), .columns = NameColumns::pieces} + FreeRows{} +
         L2Reg{1e-5, L2Form::mean_of_norms} + AdamW{.lr = lr};
}

/// Without names, for things of any kind: rows start at E(mean of the rows nearest to the class word's). This library's
/// own; steps and rates are those of the paper.
inline auto cross_initialization_near(std::string word = {}, double lr = 5e-3, std::int64_t neighbours = 8) {
  return CrossInitNear{.word = std::move(word), .neighbours = neighbours} + FreeRows{} + L2Reg{1e-5} + AdamW{.lr = lr};
}

/// Steps and batch of the paper.
inline constexpr std::int64_t cross_initialization_steps = 320, cross_initialization_fast_steps = 25,
                              cross_initialization_batch = 8;

}  // namespace persona
