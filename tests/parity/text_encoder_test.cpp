// transformers' CLIPTextModel, stored by make_reference.py.

#include "parity/reference.hpp"

TEST_CASE("CLIP's text model gives transformers' states, before and after the final norm") {
  for (const auto& model : reference::models) {
    INFO(model);
    const auto encoder = reference::text_encoder(model);
    const auto stored = reference::stored(model);
    const auto hidden = encoder.hidden(stored.at("embeddings"));
    CHECK(reference::relative_error(hidden, stored.at("hidden")) < 1e-5);
    CHECK(reference::relative_error(encoder.final_norm(stored.at("hidden")), stored.at("states")) < 1e-5);
    CHECK(reference::relative_error(encoder.encode(stored.at("embeddings")), stored.at("states")) < 1e-5);
  }
}
