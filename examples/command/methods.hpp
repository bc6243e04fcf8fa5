#pragma once
// Every method by its name: what it reads of the settings, what it presets, and the sum that it is.

#include "command/components.hpp"
#include "command/settings.hpp"

#include <persona/images.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace command {

using Model = persona::StableDiffusion;

/// Begins a run of settings.
using Start =
    std::function<persona::Run(const Model&, const persona::Subject&, const Settings&, const persona::TrainOptions&)>;

struct Method {
  std::string name{}, summary{};
  std::vector<std::string> reads{};         ///< keys beside those of every run
  std::function<void(Settings&)> preset{};  ///< the paper's, or its code's where .as_published
  Start start{};
  bool learns_rows = true;  ///< else the token is a rare word of the vocabulary

  bool reads_key(const std::string& key) const { return std::ranges::find(reads, key) != reads.end(); }
};

namespace detail {

/// What ends every sum: how the loss is weighed, what is done to photos, the rate, the optimizer.
inline auto tail(const Settings& s) {
  If<persona::MinSNR> snr;
  if (s.snr_gamma > 0) snr.part = persona::MinSNR{.gamma = s.snr_gamma, .class_samples = s.snr_class_samples};
  return snr + persona::RandomFlip{s.flip} + NamedRate{s.lr_scheduler, s.lr_warmup_steps} +
         persona::AdamW{.lr = s.lr,
                        .beta1 = s.beta1,
                        .beta2 = s.beta2,
                        .eps = s.eps,
                        .weight_decay = s.weight_decay,
                        .max_grad_norm = s.max_grad_norm};
}

inline If<persona::PriorPreservation> prior(const Settings& s) {
  If<persona::PriorPreservation> part;
  if (s.prior_preservation)
    part.part = persona::PriorPreservation{.prompt = s.class_prompt,
                                           .weight = s.prior_loss_weight,
                                           .images = s.class_images,
                                           .sampling = {.steps = s.class_inference_steps,
                                                        .guidance = s.class_guidance_scale,
                                                        .seed = static_cast<std::uint64_t>(s.seed),
                                                        .sampler = s.sampler}};
  return part;
}

inline std::vector<std::string> names(const Settings& s) {
  if (s.names.empty())
    throw persona::Error("--names",
                         s.method + " starts from people whom the model knows, and no file of names is given",
                         "one 'First Last' a line; for anything but faces take cross_initialization_near");
  return persona::read_lines(s.names);
}
inline persona::NameColumns columns(const Settings& s) {
  return s.name_columns == "words" ? persona::NameColumns::words : persona::NameColumns::pieces;
}
inline persona::L2Reg l2(const Settings& s) {
  return {s.l2_weight, s.l2_form == "squared" ? persona::L2Form::squared : persona::L2Form::mean_of_norms};
}

inline persona::BasisSize basis_size(const Settings& s) {
  if (s.basis_size == "automatic") return persona::automatic;
  double value = 0;
  assign({.key = "basis_size",
          .value = &value,
          .help = "rows, a share of the width, or automatic",
          .least = 1e-6,
          .most = 1e6},
         s.basis_size, "--basis-size");
  if (value >= 1 && value != std::floor(value))
    throw persona::Error("--basis-size", "'" + s.basis_size + "' is neither a number of rows nor a share of the width",
                         "576, 0.75, or automatic");
  return value < 1 ? persona::ratio(value) : persona::BasisSize(static_cast<std::int64_t>(value));
}

/// "unet+text_encoder": named choices, joined.
inline persona::Subset subset(const Settings& s, const persona::Subset& standard) {
  if (s.weights.empty()) return standard;
  namespace subsets = persona::subsets;
  static const std::vector<std::pair<std::string, persona::Subset (*)()>> known{
      {"everything", subsets::everything},
      {"unet", subsets::unet},
      {"text_encoder", subsets::text_encoder},
      {"attention", subsets::attention},
      {"text_attention", subsets::text_attention},
      {"cross_attention", subsets::cross_attention},
      {"cross_attention_with_bias", subsets::cross_attention_with_bias},
      {"cross_attention_kv", subsets::cross_attention_kv},
      {"vectors", subsets::vectors},
      {"matrices", subsets::matrices},
      {"kernels", subsets::kernels},
      {"unet_vectors", subsets::unet_vectors},
      {"unet_matrices", subsets::unet_matrices},
      {"unet_kernels", subsets::unet_kernels},
      {"up_blocks", subsets::up_blocks},
      {"down_blocks", subsets::down_blocks},
      {"mid_block", subsets::mid_block},
      {"up_cross_attention", subsets::up_cross_attention},
      {"down_cross_attention", subsets::down_cross_attention},
      {"mid_cross_attention", subsets::mid_cross_attention},
      {"all_of_unet", [] { return subsets::host("unet"); }},
      {"all_of_text_encoder", [] { return subsets::host("text_encoder"); }}};
  std::optional<persona::Subset> all;
  for (std::size_t from = 0; from <= s.weights.size();) {
    const auto to = std::min(s.weights.find('+', from), s.weights.size());
    const auto name = s.weights.substr(from, to - from);
    const auto found = std::ranges::find(known, name, [](const auto& entry) { return entry.first; });
    if (found == known.end()) {
      std::string list;
      for (const auto& [each, make] : known) list += (list.empty() ? "" : ", ") + each;
      throw persona::Error("--weights", "'" + name + "' is no choice of weights", list);
    }
    all = all ? *all || found->second() : found->second();
    from = to + 1;
  }
  return *all;
}

inline persona::LowRank low_rank(const Settings& s) {
  using persona::LowRankInit;
  return {.rank = s.rank,
          .alpha = s.alpha,
          .rank_stabilized = s.rank_stabilized,
          .init = s.lora_init == "pissa"     ? LowRankInit::pissa
                  : s.lora_init == "uniform" ? LowRankInit::uniform
                                             : LowRankInit::gaussian,
          .weights = subset(s, persona::subsets::attention())};
}

/// A sum of settings as what begins a run.
template <class Sum>
Start start(Sum sum) {
  return [sum](const Model& model, const persona::Subject& subject, const Settings& s,
               const persona::TrainOptions& options) { return persona::personalize(model, subject, sum(s), options); };
}

inline std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace detail

/// All of them, in the order in which they are listed.
inline const std::vector<Method>& methods() {
  using namespace persona;  // NOLINT: sums are read as the library's pages write them
  namespace d = detail;
  static const std::vector<std::string> class_samples{"prior_preservation",   "class_prompt",
                                                      "class_images",         "class_inference_steps",
                                                      "class_guidance_scale", "prior_loss_weight"};
  static const std::vector<std::string> low_rank{"weights", "rank", "alpha", "rank_stabilized", "lora_init"};
  static const std::vector<std::string> names_and_components{"names", "name_columns", "components"};
  static const std::vector<Method> all{
      {"textual_inversion",
       "token rows from a word's row (Gal et al.)",
       {"word"},
       [](Settings& s) { s.lr = 5e-3, s.steps = 3000, s.batch = 4; },
       d::start([](const Settings& s) { return TokenInit{s.word} + FreeRows{} + d::tail(s); })},
      {"cross_initialization",
       "rows from the text encoder's output for the mean of names (Pang et al.)",
       {"as_published", "names", "name_columns", "use_encoder", "l2_weight", "l2_form"},
       [](Settings& s) {
         s.lr = 5e-3, s.steps = cross_initialization_steps, s.batch = cross_initialization_batch, s.vectors = 2;
         s.class_word = "person", s.captions = "mixed";
         if (s.as_published) s.name_columns = "pieces", s.l2_form = "mean_of_norms";
       },
       d::start([](const Settings& s) {
         return CrossInit{d::names(s), d::columns(s), s.use_encoder} + FreeRows{} + d::l2(s) + d::tail(s);
       })},
      {"cross_initialization_near",
       "the same for anything: the mean of the class word's neighbours",
       {"word", "neighbours", "use_encoder", "l2_weight", "l2_form"},
       [](Settings& s) { s.lr = 5e-3, s.steps = cross_initialization_steps, s.batch = cross_initialization_batch; },
       d::start([](const Settings& s) {
         return CrossInitNear{s.word, s.neighbours, s.use_encoder} + FreeRows{} + d::l2(s) + d::tail(s);
       })},
      {"batex",
       "rows in a subspace of the vocabulary (Du et al.)",
       {"as_published", "word", "basis_size", "basis_distance", "basis_start", "basis_word", "basis_rank",
        "special_tokens", "decay_toward_start", "full_basis", "basis_batches"},
       [](Settings& s) {
         s.lr = 2e-3, s.steps = 500, s.batch = 4;
         if (s.as_published) s.steps = 1000, s.special_tokens = true, s.basis_start = "first", s.basis_rank = 1;
       },
       d::start([](const Settings& s) {
         const auto distance = s.basis_distance == "cosine" ? BasisDistance::cosine
                               : s.basis_distance == "l2"   ? BasisDistance::l2
                               : s.basis_distance == "dot"  ? BasisDistance::dot
                                                            : BasisDistance::random;
         return TokenInit{s.word} +
                SubspaceBasis{.size = d::basis_size(s),
                              .distance = distance,
                              .rank = s.basis_rank,
                              .word = s.basis_word,
                              .special_tokens = s.special_tokens,
                              .start = s.basis_start == "first" ? BasisStart::first : BasisStart::initial_row,
                              .decay_toward_start = s.decay_toward_start,
                              .full = s.full_basis,
                              .batches = s.basis_batches} +
                d::tail(s);
       })},
      {"celeb_basis", "coefficients of names' principal directions, from a face feature (Yuan et al.)",
       d::joined(names_and_components, {"face_feature"}),
       [](Settings& s) {
         s.lr = 1e-2, s.steps = 400, s.batch = 2, s.vectors = 2, s.name_columns = "pieces", s.class_word = "person",
         s.captions = "mixed";
       },
       d::start([](const Settings& s) {
         if (s.face_feature.empty())
           throw Error("--face-feature",
                       "celeb_basis makes its coefficients from what a face recogniser says of the photo",
                       "a safetensors file of one vector; without one take celeb_basis_direct");
         const auto file = SafeTensors::open(s.face_feature);
         if (file.names().size() != 1)
           throw Error(s.face_feature, "holds " + std::to_string(file.names().size()) + " tensors", "one vector");
         return CrossInit{d::names(s), d::columns(s), false} +
                CelebMapper{.names = d::names(s),
                            .feature = file.load(file.names().front()).to(at::kFloat).flatten(),
                            .components = s.components,
                            .columns = d::columns(s)} +
                d::tail(s);
       })},
      {"celeb_basis_direct", "the coefficients themselves", d::joined(names_and_components, {"unit_norm"}),
       [](Settings& s) {
         s.lr = 1e-2, s.steps = 400, s.batch = 2, s.vectors = 2, s.name_columns = "pieces", s.class_word = "person",
         s.captions = "mixed";
       },
       d::start([](const Settings& s) {
         return CrossInit{d::names(s), d::columns(s), false} +
                CelebBasis{d::names(s), s.components, d::columns(s), s.unit_norm} + d::tail(s);
       })},
      {"xti",
       "rows of their own for every cross-attention layer (Voynov et al.)",
       {"word"},
       [](Settings& s) { s.lr = 5e-3, s.steps = 500, s.batch = 8; },
       d::start([](const Settings& s) { return TokenInit{s.word} + LayeredRows{} + d::tail(s); })},
      {"neti",
       "rows by timestep and layer, from a small network (Alaluf et al.)",
       {"as_published", "word", "bypass", "bypass_scale", "neti_norm", "nested_dropout", "truncate", "hidden",
        "frequencies", "anchors", "sigma_t", "sigma_l"},
       [](Settings& s) {
         s.lr = 1e-3, s.steps = 1000, s.batch = 2, s.accumulate = 4;
         if (s.as_published) s.neti_norm = "both", s.lr = 8e-3;
       },
       d::start([](const Settings& s) {
         return TokenInit{s.word} +
                NeTIMapper{.bypass = s.bypass,
                           .bypass_scale = s.bypass_scale,
                           .norm = s.neti_norm == "both" ? NeTINorm::both : NeTINorm::row,
                           .nested_dropout = s.nested_dropout,
                           .truncate = s.truncate,
                           .hidden = s.hidden,
                           .frequencies = s.frequencies,
                           .anchors = s.anchors,
                           .sigma_t = s.sigma_t,
                           .sigma_l = s.sigma_l} +
                d::tail(s);
       })},
      {"svdiff", "shifts of the singular values of weights (Han et al.)",
       d::joined({"as_published", "weights", "vector_form", "vector_lr_scale", "residual", "plan"}, class_samples),
       [](Settings& s) {
         s.lr = 1e-3, s.steps = 500, s.flip = 0;
         if (s.as_published) s.vector_form = "scale", s.weights = "unet+text_encoder", s.max_grad_norm = 1;
       },
       d::start([](const Settings& s) {
         return SpectralShift{.weights = d::subset(s, subsets::unet()),
                              .vectors = s.vector_form == "scale" ? VectorForm::scale : VectorForm::shift,
                              .vector_lr_scale = s.vector_lr_scale,
                              .residual = s.residual,
                              .plan = s.plan == "factored"       ? SpectralPlan::factored
                                      : s.plan == "materialized" ? SpectralPlan::materialized
                                                                 : SpectralPlan::automatic} +
                d::prior(s) + d::tail(s);
       }),
       false},
      {"dreambooth", "all weights (Ruiz et al.)", d::joined({"weights"}, class_samples),
       [](Settings& s) { s.lr = 5e-6, s.steps = 800, s.flip = 0, s.max_grad_norm = 1; },
       d::start([](const Settings& s) {
         return FullWeights{d::subset(s, subsets::host("unet"))} + d::prior(s) + d::tail(s);
       }),
       false},
      {"custom_diffusion", "a token row, and K and V of cross-attention (Kumari et al.)",
       d::joined({"word", "weights", "random_scale", "scale_smaller", "scale_least", "scale_larger_from",
                  "scale_larger_to", "scale_far_below", "scale_pool", "detach_start"},
                 class_samples),
       [](Settings& s) { s.lr = 1e-5, s.steps = 250, s.batch = 2, s.word = "ktn", s.max_grad_norm = 1; },
       d::start([](const Settings& s) {
         IfScaled scaled;
         if (s.random_scale)
           scaled.part = RandomScale{s.scale_smaller,   s.scale_least,     s.scale_larger_from,
                                     s.scale_larger_to, s.scale_far_below, s.scale_pool};
         // The photo is flipped before it is scaled: RandomScale stands last.
         return TokenInit{s.word} + CrossAttentionKV{d::subset(s, subsets::cross_attention_kv()), s.detach_start} +
                d::prior(s) + d::tail(s) + scaled;
       })},
      {"lora", "low-rank changes of weights (Hu et al.)", d::joined(low_rank, class_samples),
       [](Settings& s) { s.lr = 1e-4, s.steps = 500, s.flip = 0, s.max_grad_norm = 1, s.prior_preservation = false; },
       d::start([](const Settings& s) { return d::low_rank(s) + d::prior(s) + d::tail(s); }), false},
      {"dora", "low-rank changes of direction, and magnitudes (Liu et al.)", d::joined(low_rank, class_samples),
       [](Settings& s) { s.lr = 1e-4, s.steps = 500, s.flip = 0, s.max_grad_norm = 1, s.prior_preservation = false; },
       d::start([](const Settings& s) { return DoRA{d::low_rank(s)} + d::prior(s) + d::tail(s); }), false},
  };
  return all;
}

/// Throws Error naming the methods that there are.
inline const Method& method_of(const std::string& name, const std::string& where = "--method") {
  std::vector<std::string> known;
  for (const Method& method : methods()) {
    if (method.name == name) return method;
    known.push_back(method.name);
  }
  std::string list;
  for (const auto& each : known) list += (list.empty() ? "" : ", ") + each;
  const auto meant = nearest(name, known);
  throw persona::Error(where, "'" + name + "' is not known" + (meant.empty() ? "" : "; was " + meant + " meant?"),
                       list);
}

}  // namespace command
