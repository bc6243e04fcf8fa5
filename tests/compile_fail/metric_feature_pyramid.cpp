// expect: [persona] not a FeaturePyramid: needs 'std::vector<Tensor> feature_maps(const Tensor& images) const' (docs/concepts/metrics.md)
#include <persona/metric.hpp>

#ifdef PERSONA_POSITIVE_TWIN
struct T {
  std::vector<persona::Tensor> feature_maps(const persona::Tensor&) const;
};
#else
struct T {
  int feature_maps(const persona::Tensor&) const;
};
#endif
static_assert(persona::explain_feature_pyramid<T>());
