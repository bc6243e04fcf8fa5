#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/row_parameterization.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/stored_rows.hpp>

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
  StoredRows stored{};                               ///< of layered rows: what a file holds of them

  std::int64_t vectors() const { return rows.size(0); }
  bool can_be_saved() const { return !layered || !stored.form.empty(); }
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

  /// Writes persona's own form: one safetensors file with a tensor "rows.TOKEN" a token (and what layered rows are
  /// stored as, "layered.TOKEN.NAME"), and the metadata; all or nothing.
  void save(const std::filesystem::path& file) const {
    std::map<std::string, Tensor> tensors;
    auto entries = metadata;
    for (const LearnedRows& row : rows) {
      if (!row.can_be_saved())
        throw Error(file.string(),
                    "the rows of '" + row.token + "' differ by layer or timestep, and do not say how a file holds them",
                    "give their state form, stored() and from() (docs/concepts/row_parameterization.md), or keep the "
                    "run's checkpoint (run.save)");
      tensors.emplace("rows." + row.token, row.rows);
      if (!row.layered) continue;
      entries["persona.form." + row.token] = row.stored.form;
      entries["persona.layers." + row.token] = std::to_string(row.stored.layers);
      for (const auto& [name, value] : row.stored.tensors) tensors.emplace("layered." + row.token + "." + name, value);
    }
    for (const LearnedWeight& weight : weights)
      for (const Leaf& leaf : weight.adapter().leaves())
        tensors.emplace("weights." + weight.name + "." + leaf.name, leaf.value.detach().cpu());
    entries["format"] = "pt";
    entries["persona.kind"] = "learned";
    write_safetensors(file, tensors, entries);
  }

  /// Reads what save() wrote; layered rows by the states that know their form: XTI's, NeTI's, and States of your own.
  /// Throws Error naming the file where it is something else.
  template <StoredRowState... States>
  static Learned load(const std::filesystem::path& file) {
    const auto source = SafeTensors::open(file);
    Learned learned;
    for (const auto& [key, value] : source.metadata()) learned.metadata.emplace(key, value);
    if (const auto kind = learned.metadata.find("persona.kind");
        kind == learned.metadata.end() || kind->second != "learned")
      throw Error(file.string(), "this is not a file that Learned::save wrote",
                  "read other tools' embeddings with persona::import_embedding");
    for (const auto& name : source.names()) {
      if (name.starts_with("layered.")) continue;
      if (!name.starts_with("rows."))
        throw Error(
            file.string(), "holds weight changes ('" + std::string(name) + "')",
            "go on from the run's checkpoint (run.save, .resume): the parameterization that made them reads them");
      LearnedRows row{.token = std::string(name.substr(5)), .rows = source.load(name).to(at::kFloat)};
      expect_shape(row.rows, {"vectors", "D"}, file.string() + ": " + std::string(name));
      if (const auto form = learned.metadata.find("persona.form." + row.token); form != learned.metadata.end()) {
        row.stored.form = form->second;
        const auto prefix = "layered." + row.token + ".";
        for (const auto& part : source.names())
          if (part.starts_with(prefix)) row.stored.tensors.emplace(part.substr(prefix.size()), source.load(part));
        if (const auto layers = learned.metadata.find("persona.layers." + row.token); layers != learned.metadata.end())
          row.stored.layers = std::strtoll(layers->second.c_str(), nullptr, 10);
        row.layered = read_layered<LayeredRows::State, NeTIMapper::State, States...>(row.stored, file);
      }
      learned.rows.push_back(std::move(row));
    }
    return learned;
  }

 private:
  template <class State, class... Others>
  static std::function<RowSet(const RowQuery&)> read_layered(const StoredRows& stored,
                                                             const std::filesystem::path& file) {
    if (stored.form == State::form) {
      try {
        return [state = State::from(stored)](const RowQuery& query) -> RowSet { return state.rows(query); };
      } catch (const std::out_of_range&) {
        throw Error(file.string(), "a tensor of its '" + stored.form + "' rows is missing",
                    "the file is cut or mixed up");
      }
    }
    if constexpr (sizeof...(Others) > 0)
      return read_layered<Others...>(stored, file);
    else
      throw Error(file.string(), "holds rows of the form '" + stored.form + "', which nobody here reads",
                  "name the state that wrote it: Learned::load<MyRows::State>(file)");
  }
};

}  // namespace persona
