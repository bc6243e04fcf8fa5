#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/metric/embedder.hpp>
#include <persona/metric/score.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace persona {

/// The scale of a CLIP score; the two are not comparable.
enum class ClipScale {
  cosine,    ///< the cosine itself (Celeb Basis, Cross Initialization: about 0.25 to 0.30)
  clipscore  ///< 2.5 max(cos, 0) (Hessel et al. 2021, Eq. 1; BaTex: about 0.6 to 0.8)
};

namespace detail {
inline Tensor scaled(const Tensor& cosine, ClipScale scale) {
  return scale == ClipScale::cosine ? cosine : 2.5 * cosine.clamp_min(0);
}
}  // namespace detail

/// How well each image [N, 3, H, W] fits its own text (N texts, or one for all), learned tokens left out of them by the
/// caller: CLIP's cosine of image and text, meaned over images.
template <class E>
Score clip_text_score(const E& embedder, const Tensor& images, std::span<const std::string> texts,
                      ClipScale scale = ClipScale::cosine) {
  static_assert(explain_image_text_embedder<E>());
  const at::NoGradGuard no_grad;
  const auto n = images.size(0);
  if (texts.size() != 1 && static_cast<std::int64_t>(texts.size()) != n)
    throw Error("clip_text_score", std::to_string(n) + " images and " + std::to_string(texts.size()) + " texts",
                "one text an image, or one for all");
  const char* const here = "clip_text_score";
  const auto all = detail::cosines(
      detail::one_each(embedder.embed_images(images), n, here, "images"),
      detail::one_each(embedder.embed_texts(texts), static_cast<std::int64_t>(texts.size()), here, "texts"), here);
  return score_of(detail::scaled(texts.size() == 1 ? all.select(1, 0) : all.diagonal(), scale));
}

/// How alike generated images [N, 3, H, W] and photos [M, 3, H, W] are: for every generated image the mean of CLIP's
/// cosines to all photos, meaned over images (Textual Inversion, 5.2; BaTex, 5.1, on the cosine's own scale).
template <class E>
Score clip_image_score(const E& embedder, const Tensor& generated, const Tensor& photos) {
  static_assert(explain_image_embedder<E>());
  const at::NoGradGuard no_grad;
  const char* const here = "clip_image_score";
  return score_of(detail::cosines(detail::one_each(embedder.embed_images(generated), generated.size(0), here, "images"),
                                  detail::one_each(embedder.embed_images(photos), photos.size(0), here, "photos"), here)
                      .mean(1));
}

}  // namespace persona
