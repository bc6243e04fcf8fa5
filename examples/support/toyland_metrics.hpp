#pragma once
// Toyland's networks as the components that persona's metrics ask for: the maker trained them on renders.

#include "toyland/face_recognizer.hpp"
#include "toyland/pair.hpp"
#include "toyland/probe.hpp"

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/metric.hpp>
#include <persona/stable_diffusion.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace toyland {

inline const std::filesystem::path metrics_folder = PERSONA_SOURCE "/examples/toyland/metrics";

/// Reads a module's weights from one of the maker's exports; returns the file's metadata.
template <class Module>
std::map<std::string, std::string> read_weights(Module& module, const std::filesystem::path& path) {
  const auto file = persona::SafeTensors::open(path);
  persona::for_each_weight(
      module, [&](const std::string& name, persona::Weight& weight) { weight.base = file.load(name).to(at::kFloat); });
  return {file.metadata().begin(), file.metadata().end()};
}

/// An AttributeProbe: a person's traits, place, clothes, expression, style, who is there, and a thing's traits.
class Probe {
 public:
  explicit Probe(const std::filesystem::path& path = metrics_folder / "probe.safetensors") : tower_(make_probe()) {
    accuracy_ = read_weights(tower_, path)["accuracy"];
  }
  /// [N, 3, 64, 64] -> [N, question_count] long.
  persona::Tensor answers(const persona::Tensor& images) const { return to_tensor_of(look(images)); }
  std::vector<Answers> look(const persona::Tensor& images) const { return ask(tower_, images); }
  /// Its accuracy on renders that it was not trained on, as the maker measured it.
  const std::string& accuracy() const { return accuracy_; }

  /// Answers as probe_accuracy takes them: no_answer is persona::not_asked.
  static persona::Tensor to_tensor_of(const std::vector<Answers>& rows) {
    static_assert(no_answer == persona::not_asked);
    auto table = at::empty({static_cast<std::int64_t>(rows.size()), std::int64_t{question_count}}, at::kLong);
    auto* out = table.mutable_data_ptr<std::int64_t>();
    for (const Answers& row : rows) out = std::copy(row.begin(), row.end(), out);
    return table;
  }

 private:
  ConvTower tower_;
  std::string accuracy_{};
};
static_assert(persona::AttributeProbe<Probe>);

/// A FaceRecognizer: the features of the one person in a picture, or of the left one of two. Where the probe sees no
/// person, or a person beside a thing, no face is found.
class Recognizer {
 public:
  explicit Recognizer(const Probe& probe, const std::filesystem::path& path = metrics_folder / "face.safetensors")
      : probe_(probe), network_(FaceRecognizer::sized()) {
    read_weights(network_, path);
  }
  persona::Faces recognize(const persona::Tensor& images) const {
    const at::NoGradGuard no_grad;
    persona::expect_shape(images, {"N", 3, image_size, image_size}, "Toyland's recogniser",
                          "it knows pictures of Toyland alone; for other models bring a FaceRecognizer of your own");
    const auto count = probe_.answers(images).select(1, count_question);
    const auto two = (count == static_cast<int>(Count::two_people)).unsqueeze(1);
    const auto features = at::where(two, network_.embed_faces(face_crop(images, Seat::left)),
                                    network_.embed_faces(face_crop(images, Seat::middle)));
    return {.features = features, .found = two.squeeze(1).logical_or(count == static_cast<int>(Count::person))};
  }

 private:
  Probe probe_;
  FaceRecognizer network_;
};
static_assert(persona::FaceRecognizer<Recognizer>);

/// An ImageTextEmbedder and a FeaturePyramid: the picture tower that was trained with the model's text encoder.
class TextImagePair {
 public:
  explicit TextImagePair(const persona::StableDiffusion& sd,
                         const std::filesystem::path& path = metrics_folder / "pair.safetensors")
      : sd_(sd), pair_(Pair::sized()) {
    read_weights(pair_, path);
  }
  persona::Tensor embed_images(const persona::Tensor& images) const {
    const at::NoGradGuard no_grad;
    return pair_.embed_images(images);
  }
  persona::Tensor embed_texts(std::span<const std::string> texts) const {
    const at::NoGradGuard no_grad;
    const auto& encoder = sd_.text_encoder();
    const auto tokens =
        tokenize(sd_.tokenizer(), {texts.begin(), texts.end()}, true, encoder.embedding_table().device());
    return pair_.embed_ends(text_ends(encoder, tokens).cpu());
  }
  std::vector<persona::Tensor> feature_maps(const persona::Tensor& images) const {
    const at::NoGradGuard no_grad;
    return pair_.tower.feature_maps(images);
  }

 private:
  persona::StableDiffusion sd_;
  Pair pair_;
};
static_assert(persona::ImageTextEmbedder<TextImagePair> && persona::FeaturePyramid<TextImagePair>);

}  // namespace toyland
