#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <span>
#include <string>

namespace persona {

/// What a recogniser sees of images: features, and in which of them it found a face.
struct Faces {
  Tensor features{};  ///< [N, D]; rows without a face mean nothing
  Tensor found{};     ///< [N] bool; undefined: everywhere
};

namespace detail {
template <class E>
concept HasEmbedImages = requires(const E& embedder, const Tensor& images) {
  { embedder.embed_images(images) } -> std::convertible_to<Tensor>;
};
template <class E>
concept HasEmbedTexts = requires(const E& embedder, std::span<const std::string> texts) {
  { embedder.embed_texts(texts) } -> std::convertible_to<Tensor>;
};
// Features [count, D]; throws Error where a network gives more or fewer, such as one a face that it finds.
inline const Tensor& one_each(const Tensor& features, std::int64_t count, const char* where, const char* things) {
  if (!features.defined() || features.dim() != 2 || features.size(0) != count)
    throw Error(where,
                "the network gave features of " +
                    (features.defined() ? shape_string(features.sizes()) : std::string("nothing")) + " for " +
                    std::to_string(count) + " " + things,
                "one row each, [N, D]");
  return features;
}
}  // namespace detail

/// embed_images(images [N, 3, H, W] in [-1, 1]) -> [N, D], of any length: scores take directions alone.
template <class E>
concept ImageEmbedder = detail::HasEmbedImages<E>;

/// An ImageEmbedder that embeds texts beside images (CLIP): embed_texts(N texts) -> [N, D].
template <class E>
concept ImageTextEmbedder = ImageEmbedder<E> && detail::HasEmbedTexts<E>;

/// recognize(images [N, 3, H, W] in [-1, 1]) -> Faces (ArcFace, CosFace, with a detector of its own).
template <class R>
concept FaceRecognizer = requires(const R& recognizer, const Tensor& images) {
  { recognizer.recognize(images) } -> std::convertible_to<Faces>;
};

template <class E>
consteval bool explain_image_embedder() {
  static_assert(
      ImageEmbedder<E>,
      "[persona] not an ImageEmbedder: needs 'Tensor embed_images(const Tensor& images) const' (docs/concepts/metrics.md)");
  return ImageEmbedder<E>;
}

template <class E>
consteval bool explain_image_text_embedder() {
  (void)explain_image_embedder<E>();
  static_assert(
      detail::HasEmbedTexts<E>,
      "[persona] not an ImageTextEmbedder: needs 'Tensor embed_texts(std::span<const std::string>) const' (docs/concepts/metrics.md)");
  return ImageTextEmbedder<E>;
}

template <class R>
consteval bool explain_face_recognizer() {
  static_assert(
      FaceRecognizer<R>,
      "[persona] not a FaceRecognizer: needs 'Faces recognize(const Tensor& images) const' (docs/concepts/metrics.md)");
  return FaceRecognizer<R>;
}

}  // namespace persona
