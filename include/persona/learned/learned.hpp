#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/text/row_set.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

/// The rows that stand for one token.
struct LearnedRows {
  std::string token{};
  std::string encoder = "text_encoder";              ///< which of the model's encoders reads them
  Tensor rows{};                                     ///< [n, D] fp32 on the CPU
  std::function<RowSet(const RowQuery&)> layered{};  ///< rows by layer and timestep; empty: the same everywhere

  std::int64_t vectors() const { return rows.size(0); }
};

/// The change of one weight.
struct LearnedWeight {
  std::string name{};       ///< "unet.mid_block...to_k.weight"
  std::string component{};  ///< describes the parameterization that made it
  std::variant<std::shared_ptr<const Replacement>, std::shared_ptr<const Delta>> change{};

  const Adapter& adapter() const {
    return std::visit([](const auto& held) -> const Adapter& { return *held; }, change);
  }
};

/// What a run learned, as a value: rows keyed by encoder and token, weight changes keyed by weight name, and where it
/// came from.
struct Learned {
  std::vector<LearnedRows> rows{};
  std::vector<LearnedWeight> weights{};
  std::map<std::string, std::string> metadata{};

  /// The rows of a token; throws Error naming the tokens that there are.
  const LearnedRows& of(const std::string& token) const {
    std::string known;
    for (const LearnedRows& row : rows) {
      if (row.token == token) return row;
      known += (known.empty() ? "" : ", ") + row.token;
    }
    throw Error("Learned", "no rows for the token '" + token + "'",
                known.empty() ? "no token was learned" : "learned: " + known);
  }

  /// Writes persona's own form: one safetensors file with a tensor "rows.TOKEN" a token and the metadata, all or
  /// nothing.
  void save(const std::filesystem::path& file) const {
    std::map<std::string, Tensor> tensors;
    for (const LearnedRows& row : rows) {
      if (row.layered)
        throw Error(file.string(),
                    "the rows of '" + row.token + "' differ by layer or timestep, which this file form cannot hold",
                    "keep the run's checkpoint (run.save), which has the parameterization's own tensors");
      tensors.emplace("rows." + row.token, row.rows);
    }
    for (const LearnedWeight& weight : weights)
      for (const Leaf& leaf : weight.adapter().leaves())
        tensors.emplace("weights." + weight.name + "." + leaf.name, leaf.value.detach().cpu());
    auto entries = metadata;
    entries["format"] = "pt";
    entries["persona.kind"] = "learned";
    write_safetensors(file, tensors, entries);
  }

  /// Reads what save() wrote; throws Error naming the file where it is something else.
  static Learned load(const std::filesystem::path& file) {
    const auto source = SafeTensors::open(file);
    Learned learned;
    for (const auto& [key, value] : source.metadata()) learned.metadata.emplace(key, value);
    if (const auto kind = learned.metadata.find("persona.kind");
        kind == learned.metadata.end() || kind->second != "learned")
      throw Error(file.string(), "this is not a file that Learned::save wrote",
                  "read other tools' embeddings with persona::import_embedding");
    for (const auto& name : source.names()) {
      if (!name.starts_with("rows."))
        throw Error(
            file.string(), "holds weight changes ('" + name + "')",
            "go on from the run's checkpoint (run.save, .resume): the parameterization that made them reads them");
      auto rows = source.load(name).to(at::kFloat);
      expect_shape(rows, {"vectors", "D"}, file.string() + ": " + name);
      learned.rows.push_back({.token = name.substr(5), .rows = std::move(rows)});
    }
    return learned;
  }
};

}  // namespace persona
