// diffusers' AutoencoderKL, stored by make_reference.py.

#include "parity/reference.hpp"

TEST_CASE("the autoencoder encodes and decodes as diffusers'") {
  for (const auto& model : reference::models) {
    INFO(model);
    const auto vae = reference::vae(model);
    const auto stored = reference::tensors(reference::data() / "models" / model / "reference.safetensors");
    const at::NoGradGuard no_grad;
    const auto moments = vae.encode(stored.at("images"));
    CHECK(reference::relative_error(moments.mean, stored.at("mean")) < 1e-5);
    CHECK(reference::relative_error(moments.std, stored.at("std")) < 1e-5);
    CHECK(reference::relative_error(vae.decode(stored.at("latents")), stored.at("decoded")) < 1e-5);
    CHECK(vae.scaling_factor() == (model == "sd2_small" ? 0.3 : 0.18215));
  }
}
