// What parity does not cover: published sizes, shapes, the clamp of the variance, errors.

#include "stable_diffusion/tiny_unet.hpp"

#include <persona/core/placement.hpp>
#include <persona/model/autoencoder.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/stable_diffusion/vae.hpp>

#include <string>

using Catch::Matchers::Contains;
using persona::AutoencoderKL;
using persona::AutoencoderKLConfig;
using tiny::values;

static_assert(persona::Autoencoder<AutoencoderKL>);
static_assert(persona::WeightHost<AutoencoderKL>);

namespace {
AutoencoderKLConfig config() {
  return {.latent_channels = 3, .block_out_channels = {4, 4, 8}, .layers_per_block = 1, .norm_num_groups = 2};
}
AutoencoderKL model() {
  AutoencoderKL result(config());
  persona::initialize(result, tiny::generator());
  return result;
}
}  // namespace

TEST_CASE("Stable Diffusion's autoencoder has its published size") {
  AutoencoderKL sd{AutoencoderKLConfig{}};
  std::int64_t count = 0;
  persona::for_each_weight(sd, [&](const std::string&, persona::Weight& weight) { count += weight.base.numel(); });
  CHECK(count == 83'653'863);
  CHECK(sd.vae_scale_factor() == 8);
}

TEST_CASE("images become latents of a quarter of the side, and back") {
  const auto vae = model();
  CHECK(vae.vae_scale_factor() == 4);
  const auto moments = vae.encode(values({2, 3, 16, 8}, 2));
  CHECK(moments.mean.sizes() == at::IntArrayRef({2, 3, 4, 2}));
  CHECK(moments.std.sizes() == moments.mean.sizes());
  CHECK(moments.std.min().item<double>() > 0);
  CHECK(vae.decode(moments.mean).sizes() == at::IntArrayRef({2, 3, 16, 8}));
}

TEST_CASE("channels_last images give the same moments") {
  const auto vae = model();
  const auto images = values({2, 3, 16, 8}, 2);
  const auto plain = vae.encode(images), last = vae.encode(images.contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(tiny::distance(plain.mean, last.mean) < 1e-5);
}

TEST_CASE("the logarithm of the variance is held between -30 and 20") {
  auto vae = model();
  const auto with_bias = [&](double value) {
    persona::for_each_weight(vae, [&](const std::string& name, persona::Weight& weight) {
      if (name == "quant_conv.bias") weight.base = at::full({6}, value);
    });
    return vae.encode(values({1, 3, 8, 8}, 2)).std;
  };
  CHECK(at::allclose(with_bias(1e4), at::full({1, 3, 2, 2}, std::exp(10.0))));
  CHECK(at::allclose(with_bias(-1e4), at::full({1, 3, 2, 2}, std::exp(-15.0))));
}

TEST_CASE("bf16 weights give moments and images in fp32") {
  auto vae = model();
  persona::to(vae, at::kCPU, at::kBFloat16);
  const auto moments = vae.encode(values({1, 3, 8, 8}, 2));
  CHECK(moments.mean.scalar_type() == at::kFloat);
  CHECK(vae.decode(moments.mean).scalar_type() == at::kFloat);
  CHECK(tiny::distance(moments.mean, model().encode(values({1, 3, 8, 8}, 2)).mean) < 0.1);
}

TEST_CASE("what the autoencoder cannot do is an error that says why") {
  const auto vae = model();
  CHECK_THROWS_WITH(vae.encode(values({1, 3, 10, 8}, 2)), Contains("multiples of 4") && Contains("[1, 3, 10, 8]"));
  CHECK_THROWS_WITH(vae.encode(values({1, 4, 8, 8}, 2)), Contains("C = 3"));
  CHECK_THROWS_WITH(vae.decode(values({1, 4, 2, 2}, 2)), Contains("C = 3"));
  auto wrong = config();
  wrong.norm_num_groups = 3;
  CHECK_THROWS_WITH(AutoencoderKL(wrong), Contains("norm_num_groups"));
  wrong = config();
  wrong.block_out_channels = {};
  CHECK_THROWS_WITH(AutoencoderKL(wrong), Contains("block_out_channels"));
}
