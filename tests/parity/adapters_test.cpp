// LoRA, rsLoRA, DoRA and PiSSA on single layers against peft: values, gradients, and how they begin.

#include "parity/reference.hpp"
#include "support/gradients.hpp"

#include <persona/param/dora.hpp>
#include <persona/param/low_rank.hpp>

#include <memory>
#include <string>

namespace {

using persona::Leaf;
using persona::Tensor;

Leaf leaf(const char* name, const Tensor& value) {
  return {.name = name, .value = value.clone().set_requires_grad(true)};
}
double off(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

persona::WeightRef ref_of(const Tensor& base) {
  return {.name = "layer.weight",
          .host = "unet",
          .kind = base.dim() == 4 ? persona::WeightKind::conv2d : persona::WeightKind::linear,
          .base = base,
          .slot = {}};
}

}  // namespace

TEST_CASE("low-rank changes of a layer are peft's, values and gradients to 1e-10") {
  const auto scenario = GENERATE(as<std::string>(), "linear_lora", "linear_rslora", "linear_dora", "linear_pissa",
                                 "conv_lora", "conv_rslora", "conv_dora");
  INFO(scenario);
  const auto path = reference::data() / "adapters" / (scenario + ".safetensors");
  const auto stored = reference::tensors(path);
  const auto metadata = persona::SafeTensors::open(path).metadata();
  const auto& base = stored.at("base");
  const bool dora = stored.contains("magnitude"), pissa = stored.contains("start_A");
  const persona::LowRank settings{.rank = std::stoll(metadata.at("rank")),
                                  .alpha = std::stod(metadata.at("alpha")),
                                  .rank_stabilized = scenario.ends_with("rslora"),
                                  .init = pissa ? persona::LowRankInit::pissa : persona::LowRankInit::uniform};
  CHECK(settings.scale() == Approx(std::stod(metadata.at("scale"))).epsilon(1e-14));

  const auto a = leaf("lora_A", stored.at("lora_A")),
             b = leaf("lora_B", stored.at("lora_B").flatten(1));  // of a convolution, peft keeps it as 1 x 1 kernels
  const auto factors = std::make_shared<persona::LowRankFactors>(
      a, b, settings.scale(),
      pissa ? persona::LowRankStart{stored.at("start_A"), stored.at("start_B")} : persona::LowRankStart{});
  persona::Weight weight{.kind = ref_of(base).kind, .base = base, .replacement = {}, .deltas = {}};
  Leaf magnitude;
  if (dora) {
    magnitude = leaf("magnitude", stored.at("magnitude").flatten());
    weight.replacement = std::make_shared<persona::DecomposedWeight>(magnitude, factors);
    // The norms of the rows at the start, where B is still 0.
    CHECK(off(at::linalg_vector_norm(base.flatten(1), 2, {1}), stored.at("start_magnitude").flatten()) < 1e-12);
  } else {
    weight.deltas = {factors};
  }

  auto x = stored.at("x").clone().set_requires_grad(true);
  const auto layer = [&](const persona::Weight& w, const Tensor& in) {
    return base.dim() == 4 ? w.conv2d(in, stored.at("bias"), {.stride = 2, .padding = 1})
                           : w.linear(in, stored.at("bias"));
  };
  const auto y = layer(weight, x);
  CHECK(off(y, stored.at("y")) < (pissa ? 1e-6 : 1e-10));  // peft splits PiSSA's base in single precision
  (y * stored.at("push")).sum().backward();
  const double most = pissa ? 1e-5 : 1e-10;
  CHECK(off(a.value.grad(), stored.at("lora_A.grad")) < most);
  CHECK(off(b.value.grad(), stored.at("lora_B.grad").flatten(1)) < most);
  CHECK(off(x.grad(), stored.at("x.grad")) < most);
  if (dora) CHECK(off(magnitude.value.grad(), stored.at("magnitude.grad").flatten()) < most);

  // The weight that it stands for computes the same.
  const persona::Weight merged{.kind = weight.kind, .base = weight.value(), .replacement = {}, .deltas = {}};
  CHECK(off(layer(merged, x), y) < 1e-10);
}

TEST_CASE("PiSSA begins with peft's factors, up to their signs") {
  const auto stored = reference::tensors(reference::data() / "adapters" / "linear_pissa.safetensors");
  const persona::LowRank settings{.rank = 2, .alpha = 3, .init = persona::LowRankInit::pissa};
  const auto [a, b] = settings.factors(ref_of(stored.at("base")), {});
  const auto theirs_a = stored.at("start_A"), theirs_b = stored.at("start_B");
  for (std::int64_t i = 0; i < 2; ++i) {
    const double sign = (a.value[i] * theirs_a[i]).sum().item<double>() < 0 ? -1 : 1;
    CHECK(off(sign * a.value[i].to(at::kDouble), theirs_a[i]) < 1e-5);
    CHECK(off(sign * b.value.select(1, i).to(at::kDouble), theirs_b.select(1, i)) < 1e-5);
  }
}
