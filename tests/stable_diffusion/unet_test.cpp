// What parity does not cover: sizes, errors, dtypes, memory formats, gradients against finite differences.

#include "stable_diffusion/tiny_unet.hpp"

#include <persona/model/denoiser.hpp>
#include <persona/model/weight_host.hpp>

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using Catch::Matchers::Contains;
using persona::AttentionTap;
using persona::Conditioning;
using persona::Error;
using persona::Tensor;
using persona::UNet2DConditionConfig;
using persona::UNet2DConditionModel;
using tiny::distance;
using tiny::values;

static_assert(persona::LayeredDenoiser<UNet2DConditionModel>);
static_assert(persona::AttentionDenoiser<UNet2DConditionModel>);
static_assert(persona::WeightHost<UNet2DConditionModel>);

namespace {

Conditioning uniform(const Tensor& states) { return {.states = states, .layers = {}, .pooled = {}}; }

std::int64_t parameters(UNet2DConditionModel& model) {
  std::int64_t count = 0;
  persona::for_each_weight(model, [&](const std::string&, persona::Weight& weight) { count += weight.base.numel(); });
  return count;
}

void check_gradient(const Tensor& start, const std::function<Tensor(const Tensor&)>& loss) {
  auto leaf = start.clone();
  leaf.set_requires_grad(true);
  loss(leaf).backward();
  REQUIRE(leaf.grad().abs().max().item<double>() > 1e-6);
  const at::NoGradGuard no_grad;
  const double h = 1e-5;
  for (std::int64_t i = 0; i < start.numel(); ++i) {
    auto up = start.clone(), down = start.clone();
    up.view({-1})[i] += h;
    down.view({-1})[i] -= h;
    const double slope = (loss(up) - loss(down)).item<double>() / (2 * h);
    CHECK(leaf.grad().view({-1})[i].item<double>() == Approx(slope).epsilon(1e-5).margin(1e-8));
  }
}

template <class Change>
void refused(const std::string& sentence, Change change) {
  auto config = tiny::unet_config();
  change(config);
  CHECK_THROWS_WITH(UNet2DConditionModel(config), Contains(sentence));
}

}  // namespace

TEST_CASE("Stable Diffusion's UNets have their published sizes") {
  UNet2DConditionModel sd1{UNet2DConditionConfig{}};
  CHECK(parameters(sd1) == 859'520'964);
  CHECK(sd1.weights().size() == 686);
  CHECK(sd1.num_conditioned_layers() == 16);
  UNet2DConditionModel sd2{UNet2DConditionConfig{
      .num_attention_heads = {5, 10, 20, 20}, .cross_attention_dim = 1024, .use_linear_projection = true}};
  CHECK(parameters(sd2) == 865'910'724);
  CHECK(sd2.num_conditioned_layers() == 16);
}

TEST_CASE("the gradient in the states, in one layer's keys and through a tapped map is the finite difference") {
  const auto unet = tiny::unet(tiny::unet_config(), at::kDouble);
  const auto x = values({2, 2, 4, 4}, 2, at::kDouble), weights = values({2, 2, 4, 4}, 3, at::kDouble);
  const auto t = at::tensor({3, 800}, at::kLong);
  const auto states = values({2, 3, 6}, 4, at::kDouble);
  check_gradient(states, [&](const Tensor& s) { return (unet.predict(x, t, uniform(s)) * weights).sum(); });
  check_gradient(states, [&](const Tensor& s) {
    Conditioning c;
    for (std::int64_t i = 0; i < unet.num_conditioned_layers(); ++i)
      c.layers.push_back({.key_states = i == 1 ? s : states, .value_states = states});
    return (unet.predict(x, t, c) * weights).sum();
  });
  const auto on_map = values({2, 2, 4, 3}, 5, at::kDouble);
  check_gradient(states, [&](const Tensor& s) {
    AttentionTap tap{.wants = [](const persona::AttentionLayer& layer) { return layer.index == 0; }, .maps = {}};
    const auto prediction = unet.predict(x, t, uniform(s), tap);
    REQUIRE(tap.maps.size() == 1);
    CHECK(tap.maps[0].layer.height == 2);
    CHECK(tap.maps[0].layer.width == 2);
    return (tap.maps[0].probabilities * on_map).sum() + (prediction * weights).sum();
  });
}

TEST_CASE("a tap changes no prediction, and sees what it asks for alone") {
  const auto unet = tiny::unet();
  const auto x = values({2, 2, 4, 4}, 2), t = at::tensor({3, 800}, at::kLong), states = values({2, 3, 6}, 4);
  const auto plain = unet.predict(x, t, uniform(states));
  std::vector<std::int64_t> seen;
  AttentionTap none{.wants = [&](const persona::AttentionLayer& layer) { return seen.push_back(layer.index), false; },
                    .maps = {}};
  CHECK(at::equal(unet.predict(x, t, uniform(states), none), plain));
  CHECK(seen == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(none.maps.empty());
  AttentionTap all{.wants = [](const persona::AttentionLayer&) { return true; }, .maps = {}};
  CHECK(distance(unet.predict(x, t, uniform(states), all), plain) < 1e-6);
  CHECK(all.maps.size() == 4);
  AttentionTap silent;  // asks for nothing
  CHECK(at::equal(unet.predict(x, t, uniform(states), silent), plain));
}

TEST_CASE("any size goes through, also those that halve with a remainder") {
  const auto unet = tiny::unet();
  for (const auto& [h, w] : {std::pair{1, 1}, {3, 5}, {9, 2}, {8, 8}}) {
    const auto y = unet.predict(values({1, 2, h, w}, 2), at::tensor({5}, at::kLong), uniform(values({1, 4, 6}, 3)));
    CHECK(y.sizes() == at::IntArrayRef({1, 2, h, w}));
    CHECK(y.isfinite().all().item<bool>());
  }
}

TEST_CASE("a UNet may have no middle block") {
  auto config = tiny::unet_config();
  config.mid_block_type = "";
  const auto unet = tiny::unet(config);
  CHECK(unet.num_conditioned_layers() == 3);
  CHECK(unet.predict(values({1, 2, 4, 4}, 2), at::tensor({5}, at::kLong), uniform(values({1, 4, 6}, 3)))
            .isfinite()
            .all()
            .item<bool>());
}

TEST_CASE("channels_last gives the same prediction and stays channels_last") {
  for (const bool linear : {false, true}) {
    auto config = tiny::unet_config();
    config.use_linear_projection = linear;
    auto unet = tiny::unet(config);
    const auto x = values({2, 2, 4, 6}, 2), t = at::tensor({3, 800}, at::kLong), states = values({2, 3, 6}, 4);
    const auto plain = unet.predict(x, t, uniform(states));
    persona::for_each_weight(unet, [](const std::string&, persona::Weight& weight) {
      if (weight.kind == persona::WeightKind::conv2d)
        weight.base = weight.base.contiguous(at::MemoryFormat::ChannelsLast);
    });
    const auto last = unet.predict(x.contiguous(at::MemoryFormat::ChannelsLast), t, uniform(states));
    CHECK(distance(last, plain) < 1e-5);
    CHECK(last.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST_CASE("bf16 weights take fp32 inputs; prediction and gradient stay near those of fp32") {
  const auto wide = tiny::unet(), narrow = tiny::unet(tiny::unet_config(), at::kBFloat16);
  const auto x = values({2, 2, 8, 8}, 2), t = at::tensor({3, 800}, at::kLong);
  const auto run = [&](const UNet2DConditionModel& unet) {
    auto states = values({2, 3, 6}, 4);
    states.set_requires_grad(true);
    const auto y = unet.predict(x, t, uniform(states));
    (y.to(at::kFloat) * values({2, 2, 8, 8}, 3)).sum().backward();
    return std::pair{y.detach(), states.grad()};
  };
  const auto [y32, g32] = run(wide);
  const auto [y16, g16] = run(narrow);
  CHECK(y16.scalar_type() == at::kBFloat16);
  CHECK(g16.scalar_type() == at::kFloat);
  CHECK(distance(y16, y32) < 0.03 * y32.abs().max().item<double>());
  CHECK(distance(g16, g32) < 0.1 * g32.abs().max().item<double>());
  CHECK(distance(g16, g32) > 0);
}

TEST_CASE("a copy shares its base tensors, and what adapts one does not adapt the other") {
  auto unet = tiny::unet();
  auto copy = unet;
  const auto a = unet.weights(), b = copy.weights();
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    CHECK(a[i].base.data_ptr() == b[i].base.data_ptr());
    CHECK(std::get<persona::Weight*>(a[i].slot) != std::get<persona::Weight*>(b[i].slot));
  }
}

TEST_CASE("what does not fit is an error that says what was expected") {
  const auto unet = tiny::unet();
  const auto x = values({2, 2, 4, 4}, 2), t = at::tensor({3, 800}, at::kLong), states = values({2, 3, 6}, 4);
  CHECK_THROWS_WITH(unet.predict(values({2, 4, 4, 4}, 2), t, uniform(states)),
                    Contains("C = 2") && Contains("[2, 4, 4, 4]"));
  CHECK_THROWS_WITH(unet.predict(x, at::tensor({3}, at::kLong), uniform(states)), Contains("[B = 2]"));
  CHECK_THROWS_WITH(unet.predict(x, t, uniform(values({2, 3, 8}, 4))), Contains("cross_attention_dim = 6"));
  CHECK_THROWS_WITH(unet.predict(x, t, uniform(values({1, 3, 6}, 4))), Contains("B = 2"));
  CHECK_THROWS_WITH(unet.predict(x, t, Conditioning{}), Contains("undefined tensor"));
  Conditioning layered;
  layered.layers.resize(3, {.key_states = states, .value_states = states});
  CHECK_THROWS_WITH(unet.predict(x, t, layered), Contains("each of 4 cross-attention layers, got 3"));
  layered.layers.resize(4, {.key_states = states, .value_states = {}});
  CHECK_THROWS_WITH(unet.predict(x, t, layered), Contains("layers[3].value_states"));
}

TEST_CASE("a configuration that cannot be built is refused by name") {
  refused("down_block_types", [](auto& c) { c.down_block_types = {"AttnDownBlock2D", "DownBlock2D"}; });
  refused("up_block_types: has 1 entries", [](auto& c) { c.up_block_types = {"UpBlock2D"}; });
  refused("mid_block_type", [](auto& c) { c.mid_block_type = "UNetMidBlock2D"; });
  refused("attention_head_dim", [](auto& c) { c.num_attention_heads = {1, 3}; });
  refused("attention_head_dim", [](auto& c) { c.num_attention_heads = {1, 0}; });
  refused("norm_num_groups", [](auto& c) { c.norm_num_groups = 3; });
  refused("norm_num_groups", [](auto& c) { c.norm_num_groups = 0; });
  refused("block_out_channels", [](auto& c) { c.block_out_channels = {}; });
  refused("layers_per_block", [](auto& c) { c.layers_per_block = {1, -1}; });
  refused("transformer_layers_per_block", [](auto& c) { c.transformer_layers_per_block = {1, 0}; });
  refused("cross_attention_dim", [](auto& c) { c.cross_attention_dim = 0; });
  refused("in_channels", [](auto& c) { c.in_channels = 0; });
}
