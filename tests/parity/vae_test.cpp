// diffusers' AutoencoderKL, stored by make_reference.py.

#include "parity/reference.hpp"

TEST_CASE("the autoencoder encodes and decodes as diffusers'") {
  for (const auto& model : reference::models) {
    INFO(model);
    const auto vae = reference::vae(model);
    const auto stored = reference::stored(model);
    const at::NoGradGuard no_grad;
    const auto moments = vae.encode(stored.at("images"));
    CHECK(reference::relative_error(moments.mean, stored.at("mean")) < 1e-5);
    CHECK(reference::relative_error(moments.std, stored.at("std")) < 1e-5);
    CHECK(reference::relative_error(vae.decode(stored.at("latents")), stored.at("decoded")) < 1e-5);
    CHECK(vae.scaling_factor() == (model == "sd2_small" ? 0.3 : 0.18215));
  }
}

TEST_CASE("the autoencoder on the GPU", "[cuda]") {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  for (const auto& model : reference::models) {
    INFO(model);
    const auto vae = reference::vae(model, at::kCUDA);
    const auto stored = reference::stored(model, at::kCUDA);
    const at::NoGradGuard no_grad;
    const auto moments = vae.encode(stored.at("images"));
    CHECK(reference::relative_error(moments.mean, stored.at("mean")) < 1e-5);
    CHECK(reference::relative_error(moments.std, stored.at("std")) < 1e-5);
    CHECK(reference::relative_error(vae.decode(stored.at("latents")), stored.at("decoded")) < 1e-5);
  }
}
