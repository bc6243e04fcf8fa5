#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/io/describe_file.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/full_weight.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/low_rank_factors.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/row_parameterization.hpp>
#include <persona/param/spectral_factors.hpp>
#include <persona/param/vector_shift.hpp>
#include <persona/param/weight_difference.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/stored_rows.hpp>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

/// The rows that stand for one token.
struct LearnedRows {
  std::string token{};
  Tensor rows{};                                     ///< [n, D] fp32 on the CPU; of layered rows: collapsed()
  std::function<RowSet(const RowQuery&)> layered{};  ///< rows by layer and timestep; empty: the same everywhere
  StoredRows stored{};                               ///< of layered rows: what a file holds of them

  std::int64_t vectors() const { return rows.size(0); }
  bool can_be_saved() const { return !layered || !stored.form.empty(); }
};

/// One set of rows [n, D] for rows that differ by layer or timestep: the mean over the layers, at ten timesteps of
/// the schedule. What set the layers and timesteps apart is lost, and so is a bypass.
inline Tensor collapsed(const LearnedRows& row) {
  if (!row.layered) return row.rows;
  if (row.stored.layers < 1)
    throw Error("collapsed", "the rows of '" + row.token + "' do not say how many layers they are of",
                "give their state stored() (docs/concepts/row_parameterization.md)");
  const at::NoGradGuard no_grad;
  const auto t = ((at::arange(10) + 0.5) * (static_cast<double>(row.stored.timesteps) / 10)).to(at::kLong);
  std::vector<Tensor> parts;
  for (std::int64_t layer = 0; layer < row.stored.layers; ++layer) {
    const auto rows = row.layered({.t = t, .layer = layer, .num_layers = row.stored.layers}).rows.cpu();
    parts.push_back(rows.dim() == 3 ? rows.mean(0) : rows);
  }
  return at::stack(parts).mean(0);
}

using WeightChange = std::variant<std::shared_ptr<const Replacement>, std::shared_ptr<const Delta>>;
/// How what a file holds becomes a change of a model's weight.
using MakeChange = std::function<WeightChange(const StoredChange&, const WeightRef&)>;

/// An adapter that a file's change becomes again.
template <class A>
concept StoredAdapter = requires(const StoredChange& stored, const WeightRef& ref, const std::filesystem::path& cache) {
  { A::form } -> std::convertible_to<std::string_view>;
  { A::from(stored, ref, cache) } -> std::convertible_to<std::shared_ptr<const A>>;
  requires std::derived_from<A, Adapter>;
};

namespace detail {
/// Makes a stored change an adapter of type A.
template <StoredAdapter A>
MakeChange made_by(std::filesystem::path cache = {}) {
  return [cache = std::move(cache)](const StoredChange& stored, const WeightRef& ref) -> WeightChange {
    return A::from(stored, ref, cache);
  };
}
/// By the first of these adapters that reads the form; empty where none does.
template <class... Adapters>
MakeChange made_by_form(const std::string& form, const std::filesystem::path& cache) {
  MakeChange make;
  (
      [&] {
        if constexpr (StoredAdapter<Adapters>)
          if (!make && form == Adapters::form) make = made_by<Adapters>(cache);
      }(),
      ...);
  return make;
}
/// By one of these adapters, or the library's own.
template <class... Others>
MakeChange made_by_any(const std::string& form, const std::filesystem::path& cache = {}) {
  return made_by_form<Others..., SpectralFactors, VectorShift, VectorScale, FullWeight, LowRankFactors,
                      DecomposedWeight, WeightDifference>(form, cache);
}
/// The first of its tensors under which a file could not be read again: "weights.NAME.FORM.TENSOR" is split at dots.
inline std::optional<std::string> unreadable_name(const StoredChange& stored) {
  for (const auto& [name, value] : stored.tensors)
    if (name.empty() || (name + stored.form).find('.') != name.npos) return name;
  return std::nullopt;
}
}  // namespace detail

/// The change of one weight.
struct LearnedWeight {
  std::string name{};                             ///< "unet.mid_block...to_k.weight"
  std::string component{};                        ///< describes the parameterization that made it
  WeightChange change{};                          ///< of a run,
  std::optional<at::TensorOptions> learned_on{};  ///< the dtype and device of its base,
  std::filesystem::path cache{};                  ///< and where decompositions for another are kept
  StoredChange file{};                            ///< of a file: what it holds,
  MakeChange make{};                              ///< and how that becomes a change

  /// The change on a model's weight, made anew where a run's model was of another dtype or device; throws Error where
  /// it does not fit.
  WeightChange on(const WeightRef& ref) const {
    if (make) return make(file, ref);
    std::visit([&](const auto& held) { held->expect_base(ref.base, ref.full_name()); }, change);
    const auto here = ref.base.options();
    if (!learned_on || (learned_on->device() == here.device() && learned_on->dtype() == here.dtype())) return change;
    const auto stored = this->stored();
    if (const auto again = detail::made_by_any(stored.form, cache)) return again(stored, ref);
    if (learned_on->device() != here.device())
      throw Error(name,
                  "was learned on " + learned_on->device().str() + ", and this model is on " + here.device().str(),
                  "save it, and load it with the type of its adapter: Learned::load<MyAdapter>(file)");
    return change;
  }
  StoredChange stored() const {
    return make ? file : std::visit([](const auto& held) { return held->stored(); }, change);
  }
};

/// What a file holds of rows or weights, and a type that reads it.
template <class S>
concept StoredForm = StoredRowState<S> || StoredAdapter<S>;

/// What a run learned, as a value: rows keyed by token, weight changes keyed by weight name, and where it
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

  bool can_be_saved() const {
    return std::ranges::all_of(rows, &LearnedRows::can_be_saved) &&
           std::ranges::all_of(weights, [](const LearnedWeight& weight) {
             const auto stored = weight.stored();
             return !stored.form.empty() && !detail::unreadable_name(stored);
           });
  }

  /// Writes persona's own form: one safetensors file with a tensor "rows.TOKEN" a token (and what layered rows are
  /// stored as, "layered.TOKEN.NAME"), "weights.NAME.FORM.TENSOR" for what is stored of a weight's change, and the
  /// metadata; all or nothing.
  void save(const std::filesystem::path& file) const {
    std::map<std::string, Tensor> tensors;
    auto entries = metadata;
    std::erase_if(entries, [](const auto& entry) {  // of the file that rows came from: they may be others now
      return entry.first.starts_with("persona.form.") || entry.first.starts_with("persona.layers.");
    });
    for (const LearnedRows& row : rows) {
      if (!row.can_be_saved())
        throw Error(file.string(),
                    "the rows of '" + row.token + "' differ by layer or timestep, and do not say how a file holds them",
                    "give their state form, stored() and from() (docs/concepts/row_parameterization.md), or keep the "
                    "run's checkpoint (run.save)");
      if (!tensors.emplace("rows." + row.token, row.rows).second)
        throw Error(file.string(), "there are two learned things called '" + row.token + "'",
                    "give one of them another token: .token");
      if (!row.layered) continue;
      entries["persona.form." + row.token] = row.stored.form;
      entries["persona.layers." + row.token] = std::to_string(row.stored.layers);
      for (const auto& [name, value] : row.stored.tensors) tensors.emplace("layered." + row.token + "." + name, value);
    }
    for (const LearnedWeight& weight : weights) {
      const auto stored = weight.stored();
      if (stored.form.empty())
        throw Error(
            file.string(), "the change of '" + weight.name + "' does not say how a file holds it",
            "give its adapter stored() and from() (docs/concepts/weight_parameterization.md), or keep the run's "
            "checkpoint (run.save)");
      if (const auto name = detail::unreadable_name(stored))
        throw Error(file.string(),
                    "the change of '" + weight.name + "' is stored as '" + stored.form + "', '" + *name +
                        "': the file could not be read again",
                    "give its adapter a form and names of tensors without dots");
      for (const auto& [name, value] : stored.tensors) {
        if (!tensors.emplace("weights." + weight.name + "." + stored.form + "." + name, value).second)
          throw Error(file.string(), "'" + weight.name + "' has two changes of the form '" + stored.form + "'",
                      "save them in files of their own, and put both into the model: sd.with(a).with(b)");
      }
    }
    entries["format"] = "pt";
    entries["persona.kind"] = "learned";
    write_safetensors(file, tensors, entries);
  }

  /// Reads what save() wrote; layered rows and changes of weights by the types that know their forms: the library's and
  /// Forms of your own. `cache`: where decompositions of the model that it will be put into are kept. Throws Error
  /// naming the file where it is something else.
  template <StoredForm... Forms>
  static Learned load(const std::filesystem::path& file, const std::filesystem::path& cache = {}) {
    const auto source = SafeTensors::open(file);
    Learned learned;
    for (const auto& [key, value] : source.metadata()) learned.metadata.emplace(key, value);
    if (const auto kind = learned.metadata.find("persona.kind");
        kind == learned.metadata.end() || kind->second != "learned") {
      const auto told = describe_file(source);
      throw Error(file.string(),
                  "this is not a file that Learned::save wrote" + (told.call.empty() ? "" : ", but " + told.what),
                  "read " + (told.call.empty() ? "other tools' embeddings with persona::import_embedding"
                                               : "it with " + told.call));
    }
    std::map<std::pair<std::string, std::string>, StoredChange> changes;  // by weight and form
    for (const auto& name : source.names()) {
      if (name.starts_with("layered.")) continue;
      if (name.starts_with("weights.")) {
        const auto last = name.rfind('.'), form = name.rfind('.', last - 1);
        if (form == name.npos || form <= 8)
          throw Error(file.string(), "the tensor '" + name + "' has no weight and form in its name",
                      "the file is cut or mixed up");
        const auto kind = name.substr(form + 1, last - form - 1);
        auto& change = changes[{name.substr(8, form - 8), kind}];
        change.form = kind;
        change.tensors.emplace(name.substr(last + 1), source.load_finite(name));
        continue;
      }
      if (!name.starts_with("rows."))
        throw Error(file.string(),
                    "holds '" + std::string(name) + "', which is neither rows nor the change of a weight",
                    "the file is mixed up");
      LearnedRows row{.token = std::string(name.substr(5)), .rows = source.load_finite(name).to(at::kFloat)};
      expect_shape(row.rows, {"vectors", "D"}, file.string() + ": " + std::string(name));
      if (const auto form = learned.metadata.find("persona.form." + row.token); form != learned.metadata.end()) {
        row.stored.form = form->second;
        const auto prefix = "layered." + row.token + ".";
        for (const auto& part : source.names())
          if (part.starts_with(prefix))
            row.stored.tensors.emplace(part.substr(prefix.size()), source.load_finite(part));
        if (const auto layers = learned.metadata.find("persona.layers." + row.token); layers != learned.metadata.end())
          row.stored.layers = read_layers(layers->second, file);
        row.layered = read_layered<LayeredRows::State, NeTIMapper::State, Forms...>(row.stored, file);
      }
      learned.rows.push_back(std::move(row));
    }
    for (auto& [key, change] : changes) {
      LearnedWeight weight{.name = key.first, .file = change};
      weight.make = detail::made_by_any<Forms...>(change.form, cache);
      if (!weight.make)
        throw Error(file.string(),
                    "holds changes of weights of the form '" + change.form + "', which nobody here reads",
                    "name the adapter that wrote it: Learned::load<MyAdapter>(file)");
      learned.weights.push_back(std::move(weight));
    }
    return learned;
  }

 private:
  static std::int64_t read_layers(const std::string& text, const std::filesystem::path& file) {
    std::int64_t layers = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layers);
    if (error != std::errc() || end != text.data() + text.size() || layers < 1)
      throw Error(file.string(), "says '" + text + "' of its layers, where a number belongs", "the file was changed");
    return layers;
  }
  template <class State, class... Others>
  static std::function<RowSet(const RowQuery&)> read_layered(StoredRows& stored, const std::filesystem::path& file) {
    if constexpr (StoredRowState<State>) {
      if (stored.form == State::form) {
        try {
          const State state = State::from(stored);
          const StoredRows told = state.stored();
          stored.by_timestep = told.by_timestep, stored.timesteps = told.timesteps;
          return [state](const RowQuery& query) -> RowSet { return state.rows(query); };
        } catch (const std::out_of_range&) {
          throw Error(file.string(), "a tensor of its '" + stored.form + "' rows is missing",
                      "the file is cut or mixed up");
        } catch (const Error& error) {
          throw Error(file.string(), std::string(error.what()).substr(std::string_view("[persona] ").size()));
        }
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
