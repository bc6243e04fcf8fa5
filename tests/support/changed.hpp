#pragma once
// What the tiny model predicts with changed weights, and changes that are far enough to see.

#include <persona/optim/adamw.hpp>
#include <persona/testing.hpp>

namespace persona::test {

/// A prediction of a model or of a personalized one.
inline Tensor predicted(const auto& model) {
  const auto x = at::ones({1, 3, 4, 4}), t = at::tensor({7}, at::kLong);
  return model.denoiser().predict(x, t, {.states = model.text_encoder().encode(at::ones({1, 5, 6}))});
}
/// Four long steps of a sum without an optimizer, on the tiny model.
inline Learned learned_by(const auto& sum, std::uint64_t seed = 1) {
  return fit(testing::tiny_model(), testing::tiny_subjects().front(), sum + AdamW{.lr = 0.05},
             {.steps = 4, .batch = 2, .seed = seed});
}

}  // namespace persona::test
