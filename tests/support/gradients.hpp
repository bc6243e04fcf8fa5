#pragma once

#include "support/catch.hpp"

#include <persona/core/leaf.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace persona::test {

/// The leaf's values in double, to be trained: finite differences need them.
inline Leaf in_double(const Leaf& leaf) {
  auto value = leaf.value.detach().to(at::kDouble);
  value.set_requires_grad(true);
  return {.name = leaf.name, .value = value};
}

/// Holds the gradients of loss() in leaves of doubles against central differences, at up to `entries` places a leaf.
template <class Loss>
void check_gradients(const std::vector<Leaf>& leaves, Loss&& loss, std::int64_t entries = 64) {
  Tensor(loss()).backward();
  const at::NoGradGuard no_grad;
  const double h = 1e-6;
  for (const Leaf& leaf : leaves) {
    auto flat = Tensor(leaf.value).view({-1});
    const auto grad = leaf.value.grad().view({-1});
    for (std::int64_t i = 0; i < flat.numel(); i += std::max<std::int64_t>(1, flat.numel() / entries)) {
      const auto kept = flat[i].clone();
      flat[i] += h;
      const double up = Tensor(loss()).item<double>();
      flat[i] -= 2 * h;
      const double down = Tensor(loss()).item<double>();
      flat[i].copy_(kept);
      INFO(leaf.name << " " << i);
      CHECK(grad[i].item<double>() == Approx((up - down) / (2 * h)).epsilon(1e-5).margin(1e-6));
    }
  }
}

}  // namespace persona::test
