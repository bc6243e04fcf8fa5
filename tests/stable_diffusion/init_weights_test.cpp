#include "stable_diffusion/tiny_unet.hpp"

#include <persona/core/placement.hpp>
#include <persona/stable_diffusion/clip_text.hpp>

#include <cmath>
#include <string>
#include <vector>

using persona::Tensor;
using persona::Weight;
using persona::WeightKind;

TEST_CASE("PyTorch's starting values: uniform within 1 / sqrt(fan in), norms of one") {
  auto unet = tiny::unet();
  double bound = 0;
  persona::for_each_weight(unet, [&](const std::string& name, const Weight& weight) {
    INFO(name);
    REQUIRE_FALSE(weight.base.is_meta());
    const double largest = weight.base.abs().max().item<double>();
    switch (weight.kind) {
      case WeightKind::norm:
        bound = 0;
        CHECK(at::equal(weight.base, at::ones_like(weight.base)));
        break;
      case WeightKind::bias:
        CHECK(largest <= bound);
        CHECK((largest > 0) == (bound > 0));
        break;
      default:
        bound = 1 / std::sqrt(static_cast<double>(weight.base.numel() / weight.base.size(0)));
        CHECK(largest <= bound);
        CHECK(weight.base.std().item<double>() == Approx(bound / std::sqrt(3.0)).epsilon(0.35));
    }
  });
}

TEST_CASE("CLIP's starting values shrink with width and depth") {
  persona::CLIPTextModel model({.vocab_size = 500,
                                .hidden_size = 64,
                                .intermediate_size = 128,
                                .num_hidden_layers = 8,
                                .num_attention_heads = 4});
  persona::initialize(model, tiny::generator());
  const auto spread = [&](const std::string& wanted) {
    double found = -1;
    persona::for_each_weight(model, [&](const std::string& name, const Weight& weight) {
      if (name == wanted) found = weight.base.std().item<double>();
    });
    return found;
  };
  const std::string layer = "text_model.encoder.layers.3.";
  CHECK(spread("text_model.embeddings.token_embedding.weight") == Approx(0.02).epsilon(0.05));
  CHECK(spread(layer + "self_attn.q_proj.weight") == Approx(1.0 / 8 / 4).epsilon(0.05));
  CHECK(spread(layer + "self_attn.out_proj.weight") == Approx(1.0 / 8).epsilon(0.05));
  CHECK(spread(layer + "mlp.fc1.weight") == Approx(1.0 / 8 / std::sqrt(2.0)).epsilon(0.05));
  CHECK(spread(layer + "mlp.fc2.weight") == Approx(1.0 / 8 / 4).epsilon(0.05));
  CHECK(spread(layer + "mlp.fc2.bias") == 0);
}

TEST_CASE("one seed, one model") {
  const auto bits = [](std::uint64_t seed) {
    persona::UNet2DConditionModel unet(tiny::unet_config());
    persona::initialize(unet, tiny::generator(seed));
    std::vector<Tensor> parts;
    persona::for_each_weight(unet,
                             [&](const std::string&, const Weight& weight) { parts.push_back(weight.base.flatten()); });
    return at::cat(parts);
  };
  CHECK(at::equal(bits(3), bits(3)));
  CHECK_FALSE(at::equal(bits(3), bits(4)));
}

TEST_CASE("a model is moved to a dtype whole") {
  auto unet = tiny::unet();
  persona::to(unet, at::kCPU, at::kBFloat16);
  persona::for_each_weight(
      unet, [](const std::string&, const Weight& weight) { CHECK(weight.base.scalar_type() == at::kBFloat16); });
}

TEST_CASE("a fresh UNet learns to undo one noise") {
  auto unet = tiny::unet();
  std::vector<Tensor> leaves;
  persona::for_each_weight(unet, [&](const std::string&, Weight& weight) {
    weight.base.set_requires_grad(true);
    leaves.push_back(weight.base);
  });
  const auto x = tiny::values({4, 2, 4, 4}, 2), target = tiny::values({4, 2, 4, 4}, 3),
             states = tiny::values({4, 3, 6}, 4);
  const auto t = at::tensor({0, 100, 500, 999}, at::kLong);
  double first = 0, last = 0;
  for (int i = 0; i < 60; ++i) {
    const auto loss = at::mse_loss(unet.predict(x, t, {.states = states, .layers = {}, .pooled = {}}), target);
    loss.backward();
    const at::NoGradGuard no_grad;
    for (auto& leaf : leaves) {
      REQUIRE(leaf.grad().defined());
      leaf.sub_(leaf.grad(), 0.05);
      leaf.mutable_grad() = Tensor();
    }
    (i == 0 ? first : last) = loss.item<double>();
  }
  CHECK(last < 0.7 * first);
}
