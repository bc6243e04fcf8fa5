#pragma once
// Every setting of a run, once: its key in a file, its flag, its words. Methods say which of them they read.

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace command {

/// A run, and all that any method can be told.
struct Settings {
  // what is learned, into what
  std::string method = "cross_initialization", model{}, tokenizer{}, prediction_type{};
  std::string device = "auto", dtype = "fp32", text_dtype = "fp32";
  std::string photos{}, token = "<one>", class_word{}, phrase{}, captions = "object", out = "out/persona";
  std::int64_t vectors = 1;
  bool as_published = false;
  // training
  std::int64_t steps = 0, batch = 1, accumulate = 1, seed = 0;
  bool center_crop = true;
  double lr = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2, max_grad_norm = 0;
  std::string lr_scheduler = "constant";
  std::int64_t lr_warmup_steps = 0;
  double snr_gamma = 0, flip = 0.5;
  bool snr_class_samples = false, validate = true;
  std::int64_t checkpointing_steps = 0, validation_steps = 0;
  std::vector<std::string> validation_prompts{};
  // drawing
  std::int64_t num_inference_steps = 30;
  double guidance_scale = 7.5, eta = 0;
  std::string sampler = "dpm", negative_prompt{};
  // where rows start
  std::string word{}, names{}, name_columns = "words";
  bool use_encoder = true;
  std::int64_t neighbours = 8;
  double l2_weight = 1e-5;
  std::string l2_form = "squared";
  // BaTex
  std::string basis_size = "0.75", basis_distance = "dot", basis_start = "initial_row";
  std::string basis_word{};
  std::int64_t basis_rank = 0, basis_batches = 16;
  bool special_tokens = false, decay_toward_start = false, full_basis = false;
  // Celeb Basis
  std::int64_t components = 512;
  bool unit_norm = false;
  std::string face_feature{};
  // NeTI
  bool bypass = true;
  double bypass_scale = 0.2, nested_dropout = 0.5, sigma_t = 0.03, sigma_l = 2;
  std::string neti_norm = "row";
  std::int64_t hidden = 128, frequencies = 1024, anchors = 10, truncate = 0;
  // weights
  std::string weights{};
  bool prior_preservation = true;
  std::string class_prompt{};
  std::int64_t class_images = 100, class_inference_steps = 50;
  double class_guidance_scale = 7.5;
  double prior_loss_weight = 1;
  std::string vector_form = "shift", plan = "automatic";
  double vector_lr_scale = 1e-3;
  bool residual = false;
  std::int64_t rank = 4;
  double alpha = 0;
  bool rank_stabilized = false;
  std::string lora_init = "gaussian";
  bool random_scale = true, detach_start = true;
  double scale_smaller = 0.66, scale_least = 1.0 / 3, scale_larger_from = 1.2, scale_larger_to = 1.4;
  double scale_far_below = 0.6;
  std::int64_t scale_pool = 0;
};

using Value = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::string>*>;

/// One setting by name.
struct Parameter {
  std::string key{};  ///< in a file; the flag is --key with '-' for '_'
  Value value{};
  std::string help{};
  std::vector<std::string> choices{};  ///< of a text; empty: any
  double least = 0, most = 1e9;        ///< of a number
  bool of_method = false;              ///< read by some methods alone

  std::string flag() const {
    auto flag = "--" + key;
    std::ranges::replace(flag, '_', '-');
    return flag;
  }
};

/// All of them, in the order in which help and files show them.
inline std::vector<Parameter> parameters(Settings& s) {
  std::vector<Parameter> all{
      {"method", &s.method, "what is learned, and how (persona methods lists them)"},
      {"model", &s.model, "Stable Diffusion 1.x or 2.x: a diffusers folder, or one .safetensors file"},
      {"tokenizer", &s.tokenizer, "folder of vocab.json and merges.txt, where the model is one file"},
      {"prediction_type",
       &s.prediction_type,
       "of one file's model, where it does not show",
       {"epsilon", "v_prediction"}},
      {"device", &s.device, "cpu, cuda, cuda:N or auto"},
      {"dtype", &s.dtype, "of UNet and autoencoder", {"fp32", "bf16"}},
      {"text_dtype", &s.text_dtype, "of the text encoder", {"fp32", "bf16"}},
      {"photos", &s.photos, "folder of PNG or JPEG files, or one such file"},
      {"token", &s.token, "the word that will stand for the thing"},
      {"class_word", &s.class_word, "what kind of thing it is: person, cat, ..."},
      {"phrase", &s.phrase, "what fills a caption's {}, with {} for the token: 'face of {} person'"},
      {"captions", &s.captions, "object, style, mixed, files (NAME.txt beside NAME.png), or one text with {} in it"},
      {"vectors", &s.vectors, "token rows", {}, 1, 64},
      {"out", &s.out, "folder that is written"},
      {"steps", &s.steps, "optimizer steps; 0: the method's own"},
      {"batch", &s.batch, "samples a micro-step", {}, 1, 4096},
      {"accumulate", &s.accumulate, "micro-steps whose gradients make one optimizer step", {}, 1, 4096},
      {"seed", &s.seed, "of training and drawing", {}, 0, 9007199254740992.0},
      {"center_crop", &s.center_crop, "cut the central square of a photo; false: squash it"},
      {"lr", &s.lr, "learning rate; 0: the method's own", {}, 0, 1e6},
      {"beta1", &s.beta1, "AdamW", {}, 0, 1},
      {"beta2", &s.beta2, "AdamW", {}, 0, 1},
      {"eps", &s.eps, "AdamW"},
      {"weight_decay", &s.weight_decay, "AdamW, decoupled", {}, 0, 1e6},
      {"max_grad_norm", &s.max_grad_norm, "gradients longer than this are shortened to it; 0: as they are"},
      {"lr_scheduler", &s.lr_scheduler, "how the rate goes", {"constant", "linear", "cosine"}},
      {"lr_warmup_steps", &s.lr_warmup_steps, "steps of linear warm-up"},
      {"snr_gamma", &s.snr_gamma, "min-SNR weighting of the loss, 5 in its paper; 0: none"},
      {"snr_class_samples", &s.snr_class_samples, "weigh class images so too"},
      {"flip", &s.flip, "probability of a mirrored photo", {}, 0, 1},
      {"checkpointing_steps", &s.checkpointing_steps, "save OUT/checkpoint every so many steps; 0: at the end alone"},
      {"validation_steps", &s.validation_steps, "draw the validation prompts every so many steps; 0: at start and end"},
      {"validate", &s.validate, "draw at all"},
      {"validation_prompts", &s.validation_prompts, "what is drawn, {} for the thing"},
      {"num_inference_steps", &s.num_inference_steps, "sampling steps of a picture", {}, 1, 1000},
      {"eta", &s.eta, "of ddim: noise that a step adds", {}, 0, 1},
      {"guidance_scale", &s.guidance_scale, "classifier-free guidance; 1: none"},
      {"sampler", &s.sampler, "of pictures", {"dpm", "ddim", "euler"}},
      {"negative_prompt", &s.negative_prompt, "what pictures are to lack"},
  };
  std::vector<Parameter> methods{
      {"as_published", &s.as_published, "start from the published code's settings where they differ from the paper"},
      {"word", &s.word, "word that rows start from; empty: the class word"},
      {"names", &s.names, "file of people whom the model knows, one 'First Last' a line"},
      {"name_columns", &s.name_columns, "which part of a name counts toward which row", {"words", "pieces"}},
      {"use_encoder", &s.use_encoder, "start at the text encoder's output; false: at the mean row"},
      {"neighbours", &s.neighbours, "words near the class word whose mean is taken", {}, 1, 1e5},
      {"l2_weight", &s.l2_weight, "pull of the rows to their start"},
      {"l2_form", &s.l2_form, "how that is measured", {"squared", "mean_of_norms"}},
      {"basis_size", &s.basis_size, "rows of the basis: 576, a share of the width such as 0.75, or automatic"},
      {"basis_distance", &s.basis_distance, "by what rows are near", {"dot", "cosine", "l2", "random"}},
      {"basis_start", &s.basis_start, "whose weight is 1 at the start", {"initial_row", "first"}},
      {"basis_word", &s.basis_word, "word that rows of the basis are near; empty: each row's start"},
      {"full_basis", &s.full_basis, "allow a basis as large as the row"},
      {"basis_batches", &s.basis_batches, "whose gradients an automatic size looks at", {}, 1, 1e4},
      {"basis_rank", &s.basis_rank, "least rank of the basis; 0: its size"},
      {"special_tokens", &s.special_tokens, "start, end and padding may be in the basis"},
      {"decay_toward_start", &s.decay_toward_start, "weight decay pulls to the start, not to zero"},
      {"components", &s.components, "principal directions, at most", {}, 1, 1e5},
      {"unit_norm", &s.unit_norm, "unit length about the mean"},
      {"face_feature", &s.face_feature, "safetensors file of one vector, what a face recogniser says of the photo"},
      {"bypass", &s.bypass, "NeTI's textual bypass"},
      {"bypass_scale", &s.bypass_scale, "its share of the hidden state's norm"},
      {"neti_norm", &s.neti_norm, "what is brought to the initial row's length", {"row", "both"}},
      {"nested_dropout", &s.nested_dropout, "chance that a step cuts the hidden entries", {}, 0, 1},
      {"truncate", &s.truncate, "hidden entries that drawing keeps; 0: all", {}, 0, 65536},
      {"hidden", &s.hidden, "width of the mapper", {}, 1, 65536},
      {"frequencies", &s.frequencies, "of the positional encoding", {}, 1, 65536},
      {"anchors", &s.anchors, "timesteps that have an anchor", {}, 1, 1000},
      {"sigma_t", &s.sigma_t, "deviation of the frequencies of t"},
      {"sigma_l", &s.sigma_l, "deviation of the frequencies of the layer"},
      {"weights", &s.weights, "which weights change, joined by +: unet, text_encoder, attention, cross_attention, ..."},
      {"prior_preservation", &s.prior_preservation, "train on the class's own pictures as well"},
      {"class_prompt", &s.class_prompt, "of those pictures; empty: 'a photo of a CLASS WORD'"},
      {"class_images", &s.class_images, "how many are drawn, once", {}, 1, 1e6},
      {"class_inference_steps", &s.class_inference_steps, "their sampling steps", {}, 1, 1000},
      {"class_guidance_scale", &s.class_guidance_scale, "their guidance"},
      {"prior_loss_weight", &s.prior_loss_weight, "their weight in the loss"},
      {"vector_form", &s.vector_form, "what is learned of 1-D weights", {"shift", "scale"}},
      {"vector_lr_scale", &s.vector_lr_scale, "of the learning rate of 1-D weights"},
      {"residual", &s.residual, "add W - U diag(s) V^T back"},
      {"plan", &s.plan, "how changed weights are computed with", {"automatic", "factored", "materialized"}},
      {"rank", &s.rank, "of the change", {}, 1, 4096},
      {"alpha", &s.alpha, "scale times rank; 0: the rank"},
      {"rank_stabilized", &s.rank_stabilized, "scale alpha / sqrt(rank)"},
      {"lora_init", &s.lora_init, "how the factors begin", {"gaussian", "uniform", "pissa"}},
      {"random_scale", &s.random_scale, "photos are drawn smaller and larger, and captions say so"},
      {"scale_smaller", &s.scale_smaller, "probability of a smaller photo, else it is larger", {}, 0, 1},
      {"scale_least", &s.scale_least, "least size of a smaller one, as a share", {}, 0.01, 1},
      {"scale_larger_from", &s.scale_larger_from, "least size of a larger one", {}, 1, 10},
      {"scale_larger_to", &s.scale_larger_to, "its most", {}, 1, 10},
      {"scale_far_below", &s.scale_far_below, "size below which captions say 'far away'", {}, 0, 1},
      {"scale_pool", &s.scale_pool, "versions of a photo, encoded once; 0: anew at every step", {}, 0, 1e6},
      {"detach_start", &s.detach_start, "no gradient through keys and values of the start token"},
  };
  for (auto& parameter : methods) {
    parameter.of_method = true;
    all.push_back(std::move(parameter));
  }
  return all;
}

/// The key that was probably meant; empty where none is near.
inline std::string nearest(std::string_view given, std::span<const std::string> keys) {
  const auto distance = [](std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      auto corner = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= b.size(); ++j) {
        const auto swap = corner + (a[i - 1] != b[j - 1]);
        corner = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, swap});
      }
    }
    return row.back();
  };
  std::string best;
  std::size_t least = 4;
  for (const auto& key : keys)
    if (const auto d = distance(given, key);
        d < least || (key.find(given) != key.npos && given.size() > 3 && best.empty()))
      least = std::min(d, least), best = key;
  return best;
}

/// Gives a setting the value that a flag or a file has as text; throws Error naming `where` it was given.
inline void assign(const Parameter& parameter, const std::string& text, const std::string& where) {
  const auto refuse = [&](const std::string& expected) {
    throw persona::Error(where, "'" + text + "' is no value of " + parameter.key, expected + ": " + parameter.help);
  };
  const auto number = [&](auto& value, const char* expected) {
    const auto end = text.data() + text.size();
    if (const auto [stop, error] = std::from_chars(text.data(), end, value); error != std::errc() || stop != end)
      refuse(expected);
    if (!(static_cast<double>(value) >= parameter.least && static_cast<double>(value) <= parameter.most))
      refuse("expected " + persona::Field("", parameter.least).value + " to " +
             persona::Field("", parameter.most).value);
  };
  if (auto* const* flag = std::get_if<bool*>(&parameter.value)) {
    if (text != "true" && text != "false") refuse("expected true or false");
    **flag = text == "true";
  } else if (auto* const* whole = std::get_if<std::int64_t*>(&parameter.value)) {
    number(**whole, "expected a whole number");
  } else if (auto* const* real = std::get_if<double*>(&parameter.value)) {
    number(**real, "expected a number");
  } else if (auto* const* words = std::get_if<std::string*>(&parameter.value)) {
    if (!parameter.choices.empty() && std::ranges::find(parameter.choices, text) == parameter.choices.end()) {
      std::string list;
      for (const auto& choice : parameter.choices) list += (list.empty() ? "expected " : ", ") + choice;
      refuse(list);
    }
    **words = text;
  } else {
    std::get<std::vector<std::string>*>(parameter.value)->push_back(text);
  }
}

/// A setting's value as text; of a list one line an entry.
inline std::string text_of(const Parameter& parameter) {
  return std::visit(
      [&](const auto* value) -> std::string {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(*value)>, std::string>)
          return *value;
        else
          return persona::Field(parameter.key, *value).value;
      },
      parameter.value);
}

}  // namespace command
