#pragma once

#include <persona/core/tensor.hpp>

#include <cmath>
#include <string>

namespace persona::detail {

/// What a prediction says of x0 and of the noise, given x_t = sqrt(a) x0 + sqrt(1 - a) noise.
struct CleanAndNoise {
  Tensor x0{}, noise{};
};

inline CleanAndNoise split_prediction(const std::string& prediction_type, const Tensor& prediction, const Tensor& x_t,
                                      double alpha_bar) {
  const double a = std::sqrt(alpha_bar), s = std::sqrt(1.0 - alpha_bar);
  if (prediction_type == "epsilon") return {(x_t - s * prediction) / a, prediction};
  if (prediction_type == "sample") return {prediction, (x_t - a * prediction) / s};
  return {a * x_t - s * prediction, a * prediction + s * x_t};
}

}  // namespace persona::detail
