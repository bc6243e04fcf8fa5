#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/param/full_weight.hpp>
#include <persona/param/subset.hpp>

#include <cstdint>
#include <memory>

namespace persona {

/// Every weight chosen is trained whole, from its base value (DreamBooth, Ruiz et al. 2023: the UNet, or with
/// .weights = subsets::host("unet") || subsets::host("text_encoder") both). Biases and tables of a host are among it.
struct FullWeights {
  using plays = Plays<Role::weight_parameterization>;
  Subset weights = subsets::host("unet");

  bool selects(const WeightRef& ref) const { return weights(ref); }
  std::shared_ptr<FullWeight> bind(const WeightRef& ref, const BindContext&) const {
    return std::make_shared<FullWeight>(make_leaf("weight", ref.base));
  }
  double default_learning_rate() const { return 5e-6; }
  std::int64_t default_steps() const { return 800; }
  Description describe() const { return {"FullWeights", {{"weights", weights.name}}}; }
};

}  // namespace persona
