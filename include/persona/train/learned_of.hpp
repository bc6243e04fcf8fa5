#pragma once

#include <persona/core/error.hpp>
#include <persona/learned/learned.hpp>
#include <persona/train/bound.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace persona {

/// What the leaves of a bound sum say now, as a value: later steps do not change it.
inline Learned learned_of(const Bound& bound, std::map<std::string, std::string> metadata = {}) {
  const at::NoGradGuard no_grad;
  Learned learned{.rows = {}, .weights = {}, .metadata = std::move(metadata)};
  for (const BoundRows& row : bound.rows) {
    LearnedRows rows{.token = row.placeholder.token};
    if (row.layered) {
      rows.layered = row.snapshot();
      if (row.stored) rows.stored = row.stored();
      for (auto& [name, value] : rows.stored.tensors) value = value.to(at::kCPU).clone();  // may be the live leaf
      rows.rows = rows.stored.layers > 0 ? collapsed(rows).to(at::kCPU, at::kFloat) : row.initial.cpu();
    } else {
      rows.rows = row.at({}).rows.detach().to(at::kCPU, at::kFloat).clone();
    }
    learned.rows.push_back(std::move(rows));
  }
  for (const BoundWeight& weight : bound.weights) {
    LearnedWeight kept{
        .name = weight.name, .component = weight.component, .learned_on = weight.base_options, .cache = weight.cache};
    const auto copy = weight.adapter->snapshot();
    if (auto replacement = std::dynamic_pointer_cast<const Replacement>(copy))
      kept.change = std::move(replacement);
    else if (auto delta = std::dynamic_pointer_cast<const Delta>(copy))
      kept.change = std::move(delta);
    else
      throw Error(weight.name, "the snapshot() of " + weight.component + " is neither a Replacement nor a Delta",
                  "give a copy of the adapter whose leaves are frozen() ones");
    learned.weights.push_back(std::move(kept));
  }
  return learned;
}

}  // namespace persona
