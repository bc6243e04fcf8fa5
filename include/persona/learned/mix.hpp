#pragma once

#include <persona/core/error.hpp>
#include <persona/learned/learned.hpp>
#include <persona/param/spectral_factors.hpp>
#include <persona/param/vector_shift.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace persona {

namespace detail {

inline bool has_shift(const StoredChange& stored) {
  return stored.form == SpectralFactors::form || stored.form == VectorShift::form || stored.form == VectorScale::form;
}

/// The delta [r] of a weight's shift; throws Error where it is another kind of change.
inline Tensor shift_of(const LearnedWeight& weight) {
  const auto stored = weight.stored();
  if (!has_shift(stored))
    throw Error("mix: " + weight.name, "is a change of the form '" + stored.form + "', and spectral shifts are mixed",
                "changes that add to a weight are joined by putting both into the model: sd.with(a).with(b)");
  return stored.tensors.at("delta");
}

/// The same shift with another delta.
inline LearnedWeight with_shift(LearnedWeight weight, const Tensor& delta) {
  if (weight.make) {
    weight.file.tensors["delta"] = delta.contiguous();
    return weight;
  }
  const auto& held = std::get<std::shared_ptr<const Replacement>>(weight.change);
  const auto leaf = make_leaf("delta", delta.to(held->leaves().front().value.device()));
  if (const auto spectral = std::dynamic_pointer_cast<const SpectralFactors>(held))
    weight.change = std::shared_ptr<const Replacement>(spectral->with(leaf));
  else if (std::dynamic_pointer_cast<const VectorShift>(held))
    weight.change = std::shared_ptr<const Replacement>(std::make_shared<VectorShift>(leaf));
  else
    weight.change = std::shared_ptr<const Replacement>(std::make_shared<VectorScale>(leaf));
  return weight;
}

/// a delta_1 + b delta_2 of every weight that either has; one that only one has counts as 0 in the other.
inline Learned combined(const Learned& first, double a, const Learned& second, double b) {
  std::map<std::string, LearnedWeight> weights;
  for (const LearnedWeight& weight : first.weights)
    weights.emplace(weight.name, with_shift(weight, a * shift_of(weight)));
  for (const LearnedWeight& weight : second.weights) {
    const auto delta = b * shift_of(weight);
    const auto found = weights.find(weight.name);
    if (found == weights.end()) {
      weights.emplace(weight.name, with_shift(weight, delta));
      continue;
    }
    const auto had = found->second.stored(), stored = weight.stored();
    const auto& shift = had.tensors.at("delta");
    if (shift.sizes() != delta.sizes() || had.form != stored.form)
      throw Error("mix: " + weight.name, "the two shifts are of other sizes or forms", "mix what one model learned");
    if (had.tensors.contains("base") && stored.tensors.contains("base") &&
        !SpectralFactors::same_base(had.tensors.at("base"), stored.tensors.at("base")))
      throw Error("mix: " + weight.name, "the two shifts were learned on different base models",
                  "mix what one model learned");
    found->second = with_shift(found->second, shift + delta);
  }
  Learned mixed{.rows = first.rows, .metadata = first.metadata};
  for (const LearnedRows& row : second.rows) mixed.rows.push_back(row);
  for (auto& [name, weight] : weights) mixed.weights.push_back(std::move(weight));
  return mixed;
}

}  // namespace detail

/// relu(s + delta_1 + delta_2) (SVDiff, Eq. 4): both things in one model. Rows of both are kept. Throws Error where a
/// change is no spectral shift.
inline Learned add(const Learned& first, const Learned& second) { return detail::combined(first, 1, second, 1); }

/// relu(s + a delta_1 + (1 - a) delta_2) (SVDiff, Eq. 5).
inline Learned interpolate(const Learned& first, const Learned& second, double a) {
  return detail::combined(first, a, second, 1 - a);
}

/// relu(s + c delta): what was learned, weaker or stronger.
inline Learned scale(const Learned& learned, double c) { return detail::combined(learned, c, {}, 0); }

/// SVDiff's style mixing: the shifts of the weights chosen by name from `geometry`, all others from `appearance`.
inline Learned style_mix(const Learned& geometry, const Learned& appearance,
                         const std::function<bool(const std::string& weight)>& is_geometry) {
  Learned mixed{.rows = geometry.rows, .metadata = geometry.metadata};
  for (const LearnedRows& row : appearance.rows) mixed.rows.push_back(row);
  for (const LearnedWeight& weight : geometry.weights)
    if (is_geometry(weight.name)) mixed.weights.push_back(weight);
  for (const LearnedWeight& weight : appearance.weights)
    if (!is_geometry(weight.name)) mixed.weights.push_back(weight);
  return mixed;
}

}  // namespace persona
