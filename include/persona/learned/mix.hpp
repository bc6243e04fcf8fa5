#pragma once

#include <persona/core/error.hpp>
#include <persona/learned/learned.hpp>
#include <persona/param/base_sketch.hpp>
#include <persona/param/spectral_factors.hpp>
#include <persona/param/vector_shift.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

namespace detail {

inline bool has_shift(const StoredChange& stored) {
  return stored.form == SpectralFactors::form || stored.form == VectorShift::form || stored.form == VectorScale::form;
}

/// A weight's shift as a file holds it; throws Error where it is another kind of change.
inline StoredChange shift_of(const LearnedWeight& weight) {
  auto stored = weight.stored();
  if (!has_shift(stored))
    throw Error("mix: " + weight.name, "is a change of the form '" + stored.form + "', and spectral shifts are mixed",
                "changes that add to a weight are joined by putting both into the model: sd.with(a).with(b)");
  if (!stored.tensors.contains("delta")) throw Error("mix: " + weight.name, "has no delta", "the file is cut");
  return stored;
}

/// Throws Error where two shifts of one weight do not go together.
inline void expect_alike(const std::string& name, const StoredChange& one, const StoredChange& other) {
  if (one.tensors.at("delta").sizes() != other.tensors.at("delta").sizes() || one.form != other.form)
    throw Error("mix: " + name, "the two shifts are of other sizes or forms", "mix what one model learned");
  if (one.tensors.contains("base") && other.tensors.contains("base") &&
      !BaseSketch::same(one.tensors.at("base"), other.tensors.at("base")))
    throw Error("mix: " + name, "the two shifts were learned on different base models", "mix what one model learned");
}

/// The rows of both; throws Error where a token is in both.
inline std::vector<LearnedRows> rows_of_both(const Learned& first, const Learned& second) {
  auto rows = first.rows;
  for (const LearnedRows& row : second.rows) {
    for (const LearnedRows& had : first.rows)
      if (had.token == row.token)
        throw Error("mix", "both have rows of '" + row.token + "'", "give one of them another token: .token");
    rows.push_back(row);
  }
  return rows;
}

/// The same shift with another delta.
inline LearnedWeight with_shift(LearnedWeight weight, const Tensor& delta) {
  if (weight.make) {
    weight.file.tensors["delta"] = delta.contiguous();
    return weight;
  }
  const auto& held = std::get<std::shared_ptr<const Replacement>>(weight.change);
  const auto leaf = frozen({.name = "delta", .value = delta.to(held->leaves().front().value.device()).contiguous()});
  const auto replace = [&](const auto& shift) {
    if (shift) weight.change = std::shared_ptr<const Replacement>(shift->with(leaf));
  };
  replace(std::dynamic_pointer_cast<const SpectralFactors>(held));
  replace(std::dynamic_pointer_cast<const VectorShift>(held));
  replace(std::dynamic_pointer_cast<const VectorScale>(held));
  return weight;
}

/// a delta_1 + b delta_2 of every weight that either has; one that only one has counts as 0 in the other.
inline Learned combined(const Learned& first, double a, const Learned& second, double b) {
  std::map<std::string, LearnedWeight> weights;
  for (const LearnedWeight& weight : first.weights)
    weights.emplace(weight.name, with_shift(weight, a * shift_of(weight).tensors.at("delta")));
  for (const LearnedWeight& weight : second.weights) {
    const auto stored = shift_of(weight);
    const auto delta = b * stored.tensors.at("delta");
    const auto found = weights.find(weight.name);
    if (found == weights.end()) {
      weights.emplace(weight.name, with_shift(weight, delta));
      continue;
    }
    const auto had = shift_of(found->second);
    expect_alike(weight.name, had, stored);
    found->second = with_shift(found->second, had.tensors.at("delta") + delta);
  }
  Learned mixed{.rows = rows_of_both(first, second), .metadata = first.metadata};
  for (auto& [name, weight] : weights) mixed.weights.push_back(std::move(weight));
  return mixed;
}

}  // namespace detail

/// relu(s + delta_1 + delta_2) (SVDiff, Eq. 4): both things in one model. Rows of both are kept. Throws Error where a
/// change is no spectral shift, the two are of different base models, or both have rows of one token.
inline Learned add(const Learned& first, const Learned& second) { return detail::combined(first, 1, second, 1); }

/// relu(s + a delta_1 + (1 - a) delta_2) (SVDiff, Eq. 5).
inline Learned interpolate(const Learned& first, const Learned& second, double a) {
  return detail::combined(first, a, second, 1 - a);
}

/// relu(s + c delta): what was learned, weaker or stronger.
inline Learned scale(const Learned& learned, double c) { return detail::combined(learned, c, {}, 0); }

/// SVDiff's style mixing: the shifts of the weights chosen by name from `geometry`, all others from `appearance`.
/// Throws Error where a change is no spectral shift, or the two are of different base models.
inline Learned style_mix(const Learned& geometry, const Learned& appearance,
                         const std::function<bool(const std::string& weight)>& is_geometry) {
  std::map<std::string, StoredChange> shapes;
  for (const LearnedWeight& weight : geometry.weights) shapes.emplace(weight.name, detail::shift_of(weight));
  Learned mixed{.rows = detail::rows_of_both(geometry, appearance), .metadata = geometry.metadata};
  for (const LearnedWeight& weight : geometry.weights)
    if (is_geometry(weight.name)) mixed.weights.push_back(weight);
  for (const LearnedWeight& weight : appearance.weights) {
    const auto looks = detail::shift_of(weight);
    if (const auto shape = shapes.find(weight.name); shape != shapes.end())
      detail::expect_alike(weight.name, shape->second, looks);
    if (!is_geometry(weight.name)) mixed.weights.push_back(weight);
  }
  return mixed;
}

}  // namespace persona
