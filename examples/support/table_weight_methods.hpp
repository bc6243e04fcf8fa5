#pragma once
// The methods that change weights, by name; what they learn goes by a rare word and its class.

#include "support/table_methods.hpp"

#include <map>
#include <string>

namespace tables {

namespace detail {

inline persona::PriorPreservation class_samples() {
  return {.images = 32, .sampling = {.steps = 25, .guidance = 3.5, .sampler = "ddim"}};
}
/// As persona's own methods are, at this table's rate.
template <class Sum>
persona::Run learn_by_rare_word(const Task& t, const Sum& sum, const std::string& token = "sks") {
  const auto subject = examples::by_rare_word(token, t.one.class_word, {{.image = t.one.photo, .name = t.one.id}});
  return persona::personalize(t.sd, subject, sum, t.options);
}
inline persona::Run spectral(const Task& t, persona::Subset weights) {
  using namespace persona;
  return learn_by_rare_word(
      t, SpectralShift{.weights = std::move(weights)} + class_samples() + NoAugmentation{} + AdamW{.lr = t.lr});
}

}  // namespace detail

/// The subsets of SVDiff's Table 1, by the names of its rows.
inline const std::map<std::string, persona::Subset>& spectral_subsets() {
  using namespace persona::subsets;
  static const std::map<std::string, persona::Subset> all{{"unet", unet()},
                                                          {"ca", cross_attention()},
                                                          {"ca_kv", cross_attention_kv()},
                                                          {"1d", unet_vectors()},
                                                          {"2d", unet_matrices()},
                                                          {"4d", unet_kernels()},
                                                          {"up", up_blocks()},
                                                          {"down", down_blocks()},
                                                          {"mid", mid_block()},
                                                          {"up_ca", up_cross_attention()},
                                                          {"down_ca", down_cross_attention()},
                                                          {"mid_ca", mid_cross_attention()}};
  return all;
}

/// All of them.
///   svdiff_without_prior   lambda 0, as for a single image
///   svdiff_SUBSET          one of Table 1's
///   svdiff_lora            both in one sum, LoRA at a tenth of the rate, as the best rate of each is
///   custom_diffusion_plain without its photos drawn smaller, larger and mirrored: the others have none of it
inline const std::map<std::string, Method>& weight_methods() {
  using namespace persona;
  static const std::map<std::string, Method> all = [] {
    using detail::class_samples, detail::learn_by_rare_word;
    std::map<std::string, Method> list{
        {"svdiff", [](const Task& t) { return learn_by_rare_word(t, svdiff(class_samples(), t.lr)); }},
        {"svdiff_without_prior", [](const Task& t) { return learn_by_rare_word(t, svdiff_single_image(t.lr)); }},
        {"dreambooth", [](const Task& t) { return learn_by_rare_word(t, dreambooth(class_samples(), t.lr)); }},
        {"lora", [](const Task& t) { return learn_by_rare_word(t, dreambooth_lora(class_samples(), 4, t.lr)); }},
        {"svdiff_lora",
         [](const Task& t) {
           return learn_by_rare_word(
               t, SpectralShift{} + LowRank{.lr_scale = 0.1} + class_samples() + NoAugmentation{} + AdamW{.lr = t.lr});
         }},
        {"custom_diffusion", [](const Task& t) {
           return learn_by_rare_word(t, custom_diffusion(t.one.class_word, class_samples(), t.lr), "<one>");
         }}};
    list["custom_diffusion_plain"] = [](const Task& t) {
      return learn_by_rare_word(t,
                                TokenInit{t.one.class_word} + CrossAttentionKV{} + class_samples() + NoAugmentation{} +
                                    AdamW{.lr = t.lr, .max_grad_norm = 1},
                                "<one>");
    };
    for (const auto& [name, subset] : spectral_subsets())
      if (name != "unet")
        list["svdiff_" + name] = [subset = subset](const Task& t) { return detail::spectral(t, subset); };
    return list;
  }();
  return all;
}

/// A run of the method, of rows or of weights; throws Error where there is none of that name.
inline persona::Run start(const std::string& method, const Task& task) {
  for (const auto* list : {&methods(), &weight_methods()})
    if (const auto found = list->find(method); found != list->end()) return found->second(task);
  throw persona::Error("tables", "no method '" + method + "'");
}

/// How prompts call what the method learned.
inline std::string called(const std::string& method, const Specimen& one) {
  const std::string word =
      method.starts_with("custom_diffusion") || !weight_methods().contains(method) ? "<one>" : "sks";
  return weight_methods().contains(method) && !one.is_person() ? word + " " + one.class_word : word;
}

}  // namespace tables
