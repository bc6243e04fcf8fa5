// diffusers' UNet2DConditionModel, stored by make_reference.py.

#include "parity/reference.hpp"

using persona::AttentionLayer;
using persona::AttentionTap;
using persona::Conditioning;
using reference::relative_error;

namespace {
Conditioning uniform(const persona::Tensor& states) { return {.states = states, .layers = {}, .pooled = {}}; }
}  // namespace

TEST_CASE("the UNet predicts what diffusers predicts") {
  for (const auto& model : reference::models) {
    INFO(model);
    const auto unet = reference::unet(model);
    const auto stored = reference::stored(model);
    const auto c = uniform(stored.at("states"));
    const at::NoGradGuard no_grad;
    CHECK(relative_error(unet.predict(stored.at("x"), stored.at("t"), c), stored.at("prediction")) < 1e-5);
    CHECK(relative_error(unet.predict(stored.at("odd.x"), stored.at("t"), c), stored.at("odd.prediction")) < 1e-5);
    const auto between = at::tensor({3.25, 740.5}, at::kFloat);
    CHECK(relative_error(unet.predict(stored.at("x"), between, c), stored.at("fraction.prediction")) < 1e-5);
    const auto last = stored.at("x").contiguous(at::MemoryFormat::ChannelsLast);
    CHECK(relative_error(unet.predict(last, stored.at("t"), c), stored.at("prediction")) < 1e-5);
  }
}

TEST_CASE("the gradient through UNet and text encoder is diffusers'") {
  for (const auto& model : reference::models) {
    INFO(model);
    const auto unet = reference::unet(model);
    const auto encoder = reference::text_encoder(model);
    const auto stored = reference::stored(model);
    auto embeddings = stored.at("embeddings").clone();
    embeddings.set_requires_grad(true);
    const auto prediction = unet.predict(stored.at("x"), stored.at("t"), uniform(encoder.encode(embeddings)));
    (prediction * stored.at("direction")).sum().backward({}, false, false, std::vector<persona::Tensor>{embeddings});
    CHECK(relative_error(embeddings.grad(), stored.at("gradient")) < 1e-5);
  }
}

TEST_CASE("every cross-attention layer reads the states that are its own") {
  for (const auto& model : reference::models) {
    INFO(model);
    const auto unet = reference::unet(model);
    const auto stored = reference::stored(model);
    const auto layers = unet.num_conditioned_layers();
    REQUIRE(layers == stored.at("layered.keys").size(0));
    Conditioning c;
    for (std::int64_t i = 0; i < layers; ++i)
      c.layers.push_back({.key_states = stored.at("layered.keys")[i], .value_states = stored.at("layered.values")[i]});
    const at::NoGradGuard no_grad;
    CHECK(relative_error(unet.predict(stored.at("x"), stored.at("t"), c), stored.at("layered.prediction")) < 1e-5);

    Conditioning same = uniform(stored.at("states"));
    for (std::int64_t i = 0; i < layers; ++i)
      same.layers.push_back({.key_states = same.states, .value_states = same.states});
    CHECK(at::equal(unet.predict(stored.at("x"), stored.at("t"), same),
                    unet.predict(stored.at("x"), stored.at("t"), uniform(stored.at("states")))));
  }
}

TEST_CASE("a tap gets diffusers' attention probabilities, of the layers that it wants and no others") {
  for (const auto& model : reference::models) {
    INFO(model);
    const auto unet = reference::unet(model);
    const auto stored = reference::stored(model);
    const at::NoGradGuard no_grad;
    AttentionTap tap{.wants =
                         [&](const AttentionLayer& layer) {
                           return stored.contains("probabilities." + std::to_string(layer.index));
                         },
                     .maps = {}};
    const auto prediction = unet.predict(stored.at("x"), stored.at("t"), uniform(stored.at("states")), tap);
    CHECK(relative_error(prediction, stored.at("prediction")) < 1e-5);
    REQUIRE(tap.maps.size() == 3);
    for (const auto& map : tap.maps) {
      const auto& expected = stored.at("probabilities." + std::to_string(map.layer.index));
      CHECK(map.layer.height * map.layer.width == expected.size(2));
      CHECK(relative_error(map.probabilities, expected) < 1e-5);
      CHECK(relative_error(map.probabilities.sum(-1), at::ones_like(expected.sum(-1))) < 1e-6);
    }
  }
}

TEST_CASE("text encoder, UNet and gradient on the GPU", "[cuda]") {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  for (const auto& model : reference::models) {
    INFO(model);
    const auto unet = reference::unet(model, at::kCUDA);
    const auto encoder = reference::text_encoder(model, at::kCUDA);
    const auto stored = reference::stored(model, at::kCUDA);
    auto embeddings = stored.at("embeddings").clone();
    embeddings.set_requires_grad(true);
    const auto states = encoder.encode(embeddings);
    CHECK(relative_error(states, stored.at("states")) < 1e-5);
    const auto prediction = unet.predict(stored.at("x"), stored.at("t"), uniform(states));
    CHECK(relative_error(prediction, stored.at("prediction")) < 1e-5);
    (prediction * stored.at("direction")).sum().backward({}, false, false, std::vector<persona::Tensor>{embeddings});
    CHECK(relative_error(embeddings.grad(), stored.at("gradient")) < 1e-5);
  }
}
