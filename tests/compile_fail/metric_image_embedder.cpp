// expect: [persona] not an ImageEmbedder: needs 'Tensor embed_images(const Tensor& images) const' (docs/concepts/metrics.md)
#include <persona/metric.hpp>

#ifdef PERSONA_POSITIVE_TWIN
struct T {
  persona::Tensor embed_images(const persona::Tensor&) const;
};
#else
struct T {
  persona::Tensor embed_images(const persona::Tensor&);
};
#endif
static_assert(persona::explain_image_embedder<T>());
