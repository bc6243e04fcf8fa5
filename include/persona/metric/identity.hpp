#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/metric/embedder.hpp>
#include <persona/metric/score.hpp>

namespace persona {

/// What becomes of a generated image in which the recogniser finds no face.
enum class NoFace {
  leave_out,  ///< not scored, but counted (Score::left_out): the published protocols; the score is then conditional
  zero        ///< scored 0
};

/// Identity similarity of generated images to the photos of a person: for every generated image the mean cosine of its
/// recogniser features to the photos', meaned over images (Cross Initialization, 4.1; Celeb Basis, 4.1). Images
/// [N, 3, H, W] and [M, 3, H, W] in [-1, 1]. Throws Error where no photo shows a face.
template <class R>
Score identity_similarity(const R& recognizer, const Tensor& generated, const Tensor& photos,
                          NoFace rule = NoFace::leave_out) {
  static_assert(explain_face_recognizer<R>());
  const at::NoGradGuard no_grad;
  const auto with_faces = [&](const Tensor& images, const char* things) {
    const Faces faces = recognizer.recognize(images);
    const auto features = detail::one_each(faces.features, images.size(0), "identity_similarity", things).cpu();
    if (!faces.found.defined()) return features;
    expect_shape(faces.found, {{images.size(0), "N"}}, "identity_similarity: found", "one answer an image");
    return features.index({faces.found.cpu().to(at::kBool)});
  };
  const auto of_photos = with_faces(photos, "photos"), of_drawn = with_faces(generated, "images");
  if (of_photos.size(0) == 0)
    throw Error("identity_similarity", "the recogniser finds no face in any of the photos",
                "look at the photos, and at the range of their values: [-1, 1]");
  const auto missing = generated.size(0) - of_drawn.size(0);
  auto values = of_drawn.size(0) > 0 ? detail::cosines(of_drawn, of_photos, "identity_similarity").mean(1)
                                     : at::zeros({0}, at::kFloat);
  if (rule == NoFace::leave_out) return score_of(values, missing);
  return score_of(at::cat({values, at::zeros({missing}, at::kFloat)}));
}

}  // namespace persona
