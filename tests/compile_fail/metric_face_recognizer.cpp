// expect: [persona] not a FaceRecognizer: needs 'Faces recognize(const Tensor& images) const' (docs/concepts/metrics.md)
#include <persona/metric.hpp>

#ifdef PERSONA_POSITIVE_TWIN
struct T {
  persona::Faces recognize(const persona::Tensor&) const;
};
#else
struct T {
  persona::Tensor recognize(const persona::Tensor&) const;
};
#endif
static_assert(persona::explain_face_recognizer<T>());
