#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/metric/score.hpp>

#include <concepts>
#include <cstdint>

namespace persona {

/// answers(images [N, 3, H, W] in [-1, 1]) -> [N, Q] long: what a classifier reads off an image, question by question.
template <class P>
concept AttributeProbe = requires(const P& probe, const Tensor& images) {
  { probe.answers(images) } -> std::convertible_to<Tensor>;
};

template <class P>
consteval bool explain_attribute_probe() {
  static_assert(
      AttributeProbe<P>,
      "[persona] not an AttributeProbe: needs 'Tensor answers(const Tensor& images) const' (docs/concepts/metrics.md)");
  return AttributeProbe<P>;
}

/// Not asked of an image: stands in `truth` where a prompt does not say.
inline constexpr std::int64_t not_asked = -1;

/// The share of the questions that a probe answers as `truth` [N, Q] long says, image by image; `not_asked` entries are
/// passed over, and images without a question are left out. "Is the place obeyed" asks for the prompt's place; "does
/// the training background leak" for the photo's.
template <class P>
Score probe_accuracy(const P& probe, const Tensor& images, const Tensor& truth) {
  static_assert(explain_attribute_probe<P>());
  const at::NoGradGuard no_grad;
  const Tensor found = Tensor(probe.answers(images)).to(at::kCPU, at::kLong);
  expect_shape(found, {{images.size(0), "N"}, "Q"}, "probe_accuracy: answers");
  expect_shape(truth, {{found.size(0), "N"}, {found.size(1), "Q"}}, "probe_accuracy: truth",
               "one answer a question, not_asked where there is none");
  const auto wanted = truth.to(at::kCPU, at::kLong);
  const auto asked = wanted != not_asked;
  const auto right = (found == wanted).logical_and(asked).sum(1).to(at::kFloat), of = asked.sum(1).to(at::kFloat);
  const auto any = of > 0;
  return score_of((right / of.clamp_min(1)).index({any}), (of == 0).sum().template item<std::int64_t>());
}

}  // namespace persona
