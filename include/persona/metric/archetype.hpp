#pragma once
// The smallest types that satisfy the metrics' concepts: declared, never defined, so they can only be type-checked.

#include <persona/metric/embedder.hpp>
#include <persona/metric/perceptual.hpp>
#include <persona/metric/probe.hpp>

#include <span>
#include <string>
#include <vector>

namespace persona::archetype {

struct ImageEmbedder {
  Tensor embed_images(const Tensor&) const;
};
struct TextEmbedder {  // a piece of ImageTextEmbedder, and no concept's
  Tensor embed_texts(std::span<const std::string>) const;
};
struct ImageTextEmbedder : ImageEmbedder, TextEmbedder {};

struct FaceRecognizer {
  Faces recognize(const Tensor&) const;
};

struct FeaturePyramid {
  std::vector<Tensor> feature_maps(const Tensor&) const;
};

struct AttributeProbe {
  Tensor answers(const Tensor&) const;
};

}  // namespace persona::archetype
