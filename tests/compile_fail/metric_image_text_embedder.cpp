// expect: [persona] not an ImageTextEmbedder: needs 'Tensor embed_texts(std::span<const std::string>) const' (docs/concepts/metrics.md)
#include <persona/metric.hpp>

#ifdef PERSONA_POSITIVE_TWIN
struct T {
  persona::Tensor embed_images(const persona::Tensor&) const;
  persona::Tensor embed_texts(std::span<const std::string>) const;
};
#else
struct T {
  persona::Tensor embed_images(const persona::Tensor&) const;
};
#endif
static_assert(persona::explain_image_text_embedder<T>());
