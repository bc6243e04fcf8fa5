#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/param/full_weight.hpp>
#include <persona/param/subset.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace persona {

/// The K and V projections of cross-attention, trained whole (Custom Diffusion, Kumari et al. 2023). No gradient goes
/// through the keys and values of the start token, which are known by diffusers' names (attn2, to_k, to_v). Throws
/// Error where that is asked of a weight that its module reads as a plain tensor (torch::nn, TorchScript).
struct CrossAttentionKV {
  using plays = Plays<Role::weight_parameterization>;
  Subset weights = subsets::cross_attention_kv();  ///< cross_attention_with_bias(): to_q and to_out as well
  bool detach_start = true;

  bool selects(const WeightRef& ref) const { return weights(ref); }
  std::shared_ptr<FullWeight> bind(const WeightRef& ref, const BindContext&) const {
    const bool detaches = detach_start && subsets::cross_attention_kv()(ref);
    if (detaches && !std::holds_alternative<Weight*>(ref.slot))
      throw Error(
          "CrossAttentionKV",
          "'" + ref.full_name() + "' is read as a plain tensor, which cannot hold the start token's gradient back",
          "say .detach_start = false, or build the layer of persona's Weight");
    return std::make_shared<FullWeight>(make_leaf("weight", ref.base), detaches);
  }
  double default_learning_rate() const { return 1e-5; }
  std::int64_t default_steps() const { return 250; }
  Description describe() const {
    return {"CrossAttentionKV", {{"weights", weights.name}, {"detach_start", detach_start}}};
  }
};

}  // namespace persona
