#pragma once

#include <persona/core/error.hpp>
#include <persona/learned/learned.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/weight_host.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace persona::detail {

/// "lora_unet_mid_block_attentions_0_proj_in" of "unet.mid_block.attentions.0.proj_in.weight".
inline std::string kohya_name(std::string name) {
  if (name.ends_with(".weight")) name.resize(name.size() - 7);
  name = name.starts_with("text_encoder.") ? "lora_te_" + name.substr(13) : "lora_unet_" + name.substr(5);
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

/// A model's weights by every name that files give them: dotted or with underscores, with and without prefixes.
class WeightTable {
 public:
  void add(WeightRef ref) { refs_.emplace(plain(ref.full_name()), std::move(ref)); }
  const WeightRef* find(std::string_view module) const {
    auto found = refs_.find(plain(std::string(module)));
    constexpr std::string_view peft = "base_model.model.";  // which does not say of which part it is
    if (found == refs_.end() && module.starts_with(peft))
      found = refs_.find(plain("text_encoder." + std::string(module.substr(peft.size()))));
    return found == refs_.end() ? nullptr : &found->second;
  }
  const WeightRef& at(const std::string& name) const {
    if (const auto* ref = find(name)) return *ref;
    throw Error("weights", "the model has no weight '" + name + "'", "was this learned on another kind of model?");
  }

 private:
  static std::string plain(std::string name) {
    if (name.ends_with(".weight")) name.resize(name.size() - 7);
    const auto replace_front = [&](std::string_view front, const char* by) {
      if (name.starts_with(front)) name = by + name.substr(front.size());
    };
    replace_front("base_model.model.", "unet_");
    replace_front("lora_unet_", "unet_"), replace_front("lora_te1_", "text_encoder_");
    replace_front("lora_te_", "text_encoder_");
    for (char& c : name)
      if (c == '.') c = '_';
    replace_front("text_encoder_text_model_", "text_encoder_");
    return name;
  }
  std::map<std::string, WeightRef> refs_;
};

/// Of the modules that lend weights; the slots are of a copy, and only names and bases are to be used.
template <class Model>
WeightTable weight_table(const Model& model) {
  WeightTable table;
  const auto collect = [&](auto host, const char* name) {
    for (WeightRef ref : host.weights()) {
      ref.host = name, ref.slot = {};
      table.add(std::move(ref));
    }
  };
  if constexpr (HasTextEncoderWeights<Model>) collect(model.text_encoder(), "text_encoder");
  if constexpr (HasDenoiserWeights<Model>) collect(model.denoiser(), "unet");
  return table;
}

}  // namespace persona::detail
