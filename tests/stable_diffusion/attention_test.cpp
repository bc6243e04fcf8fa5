#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/stable_diffusion/attention.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using persona::Tensor;

/// Output and gradients of attention in `dtype`, all in fp32.
std::vector<Tensor> attended(at::ScalarType dtype, bool causal, std::int64_t length) {
  const auto g = persona::Random(2).at(persona::Stream::initialization);
  std::vector<Tensor> inputs;
  for (const std::int64_t tokens : {std::int64_t{48}, length, length}) {
    // Values that bf16 holds exactly: the arithmetic is compared, not the inputs' rounding.
    inputs.push_back(at::randn({2, tokens, 3, 16}, g, at::kFloat).to(at::kBFloat16).to(dtype).transpose(1, 2));
    inputs.back().set_requires_grad(true);
  }
  const auto direction = at::randn({2, 3, 48, 16}, g, at::kFloat).to(at::kBFloat16).to(dtype);
  const auto out = persona::detail::attend(inputs[0], inputs[1], inputs[2], causal);
  CHECK(out.scalar_type() == dtype);
  (out * direction).sum().backward({}, false, false, inputs);
  std::vector<Tensor> results{out.detach().to(at::kFloat)};
  for (const auto& input : inputs) results.push_back(input.grad().to(at::kFloat));
  return results;
}

}  // namespace

TEST_CASE("attention in bf16 stays near fp32, in output and gradients, causal or not, over itself or a text") {
  for (const bool causal : {false, true})
    for (const std::int64_t length : {std::int64_t{48}, std::int64_t{7}}) {
      if (causal && length != 48) continue;
      const auto full = attended(at::kFloat, causal, length), half = attended(at::kBFloat16, causal, length);
      for (std::size_t i = 0; i < full.size(); ++i) {
        INFO("causal " << causal << ", length " << length << ", result " << i);
        CHECK((half[i] - full[i]).norm().item<double>() < 0.01 * full[i].norm().item<double>());
      }
    }
}
