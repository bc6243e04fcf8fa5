#pragma once
// Toyland's attribute probe: a small network that the maker trained on renders reads thirteen traits off a picture.

#include "toyland/probe.hpp"

#include <persona/core/error.hpp>
#include <persona/io/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace toyland {

/// The traits in NAME.json beside NAME.png; nothing where there is no such file.
inline std::optional<Person> traits_beside(std::filesystem::path photo) {
  std::ifstream file(photo.replace_extension(".json"));
  if (!file) return std::nullopt;
  const auto values = nlohmann::json::parse(file).at("values").get<std::vector<int>>();
  if (values.size() != trait_count)
    throw persona::Error(photo.string(),
                         "expected " + std::to_string(trait_count) + " values, found " + std::to_string(values.size()));
  Person person;
  for (std::size_t i = 0; i < person.value.size(); ++i) person.value[i] = static_cast<std::uint8_t>(values[i]);
  return person;
}

class TraitProbe {
 public:
  explicit TraitProbe(const std::filesystem::path& path) : tower_(make_probe()) {
    const auto file = persona::SafeTensors::open(path);
    persona::for_each_weight(tower_, [&](const std::string& name, persona::Weight& weight) {
      weight.base = file.load(name).to(at::kFloat);
    });
    if (const auto found = file.metadata().find("accuracy"); found != file.metadata().end()) accuracy_ = found->second;
  }
  /// What the picture [1, 3, 64, 64] shows, question by question.
  std::array<int, question_count> look(const persona::Tensor& image) const { return ask(tower_, image).front(); }
  /// The share of the person's traits that the picture shows.
  double identity(const Person& person, const persona::Tensor& image) const {
    return toyland::identity(person, look(image));
  }
  /// Its accuracy on renders that it was not trained on, as the maker measured it.
  const std::string& accuracy() const { return accuracy_; }

 private:
  ConvTower tower_;
  std::string accuracy_ = "accuracy not recorded";
};

inline std::optional<TraitProbe> find_probe() {
  const std::filesystem::path path = PERSONA_SOURCE "/examples/toyland/probe.safetensors";
  if (!std::filesystem::exists(path)) return std::nullopt;
  return TraitProbe(path);
}

}  // namespace toyland
