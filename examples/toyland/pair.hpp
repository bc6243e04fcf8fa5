#pragma once
// The text/image pair: a picture tower beside the model's own text encoder, with CLIP's two projections into one space.

#include "text_batches.hpp"
#include "vision.hpp"

#include <persona/stable_diffusion/clip_text.hpp>

#include <cmath>

namespace toyland {

/// What the text encoder says at the end of each text: [B, D].
inline persona::Tensor text_ends(const persona::CLIPTextModel& text, const TextBatch& batch) {
  const auto states = text.encode(at::embedding(text.embedding_table(), batch.ids));
  return states.index({at::arange(batch.ids.size(0), batch.ids.options()), batch.ends});
}

struct Pair {
  ConvTower tower{};
  persona::Linear text_projection{};
  persona::Weight log_scale{persona::WeightKind::bias, at::zeros({1})};  ///< over log 14, where CLIP begins

  static Pair sized() {
    Pair pair;
    pair.tower = ConvTower({24, 48, 96, 128}, text_width), pair.text_projection = {text_width, text_width};
    return pair;
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("tower", self.tower), f("text_projection", self.text_projection), f("log_scale", self.log_scale);
  }

  /// [B, 3, 64, 64] in [-1, 1] -> [B, D] of length one.
  persona::Tensor embed_images(const persona::Tensor& images) const { return unit(tower(images)); }
  /// The states at the texts' ends [B, D] -> [B, D] of length one.
  persona::Tensor embed_ends(const persona::Tensor& ends) const { return unit(text_projection(ends)); }
  /// What cosines are multiplied by: learned, at most 100.
  persona::Tensor scale() const {
    return (log_scale.base.to(at::kFloat).reshape({}) + std::log(14.0)).exp().clamp_max(100);
  }

 private:
  static persona::Tensor unit(const persona::Tensor& x) {
    const auto wide = x.to(at::kFloat);
    return wide / at::linalg_vector_norm(wide, 2, {1}, true).clamp_min(1e-6);
  }
};

/// Symmetric InfoNCE of B pairs (Radford et al. 2021).
inline persona::Tensor contrastive_loss(const persona::Tensor& images, const persona::Tensor& texts,
                                        const persona::Tensor& scale) {
  const auto scores = images.matmul(texts.t()) * scale;
  const auto right = scores.diagonal();
  return 0.5 * ((scores.logsumexp(1) - right).mean() + (scores.logsumexp(0) - right).mean());
}

}  // namespace toyland
