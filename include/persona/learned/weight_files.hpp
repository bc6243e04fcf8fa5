#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/warning.hpp>
#include <persona/io/adapter_keys.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/describe_file.hpp>
#include <persona/io/likely_model.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/lora_scale.hpp>
#include <persona/learned/weight_table.hpp>
#include <persona/model/attachment.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/full_weight.hpp>
#include <persona/param/low_rank_factors.hpp>
#include <persona/param/spectral_factors.hpp>
#include <persona/param/vector_shift.hpp>
#include <persona/param/weight_difference.hpp>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

/// Forms in which other tools read changes of weights.
enum class WeightFormat {
  diffusers_lora,    ///< "unet.PATH.lora.down.weight": pipe.load_lora_weights; the scale is multiplied into B. LoRA
                     ///< alone: diffusers leaves DoRA's magnitudes out without an error
  peft_lora,         ///< FOLDER/adapter_model.safetensors, "base_model.model.PATH.lora_A.weight" of one part, and
                     ///< adapter_config.json beside: PeftModel
  kohya_lora,        ///< "lora_unet_PATH.lora_down.weight" and ".alpha": kohya, AUTOMATIC1111, ComfyUI
  kohya_diff,        ///< "lora_unet_PATH.diff": whole differences of any kind of change, a weight each
  svdiff_pytorch,    ///< "PATH.delta" of the UNet: svdiff-pytorch's spectral_shifts.safetensors
  custom_diffusion,  ///< "PATH.processor.to_k_custom_diffusion.weight": diffusers' attention processors
};

namespace detail {

inline bool cut_suffix(std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.resize(text.size() - suffix.size());
  return true;
}
inline std::string without_weight(std::string name) {
  (void)cut_suffix(name, ".weight");
  return name;
}

[[noreturn]] inline void refuse_form(const LearnedWeight& weight, const std::string& form, const char* what) {
  throw Error("export_weights",
              "'" + weight.name + "' is a change of the form '" + form + "', and this file holds " + what,
              "WeightFormat::kohya_diff holds every change, bake() and save_folder a whole model");
}

using Tensors = std::map<std::string, Tensor>;

inline void write_lora(const LearnedWeight& weight, WeightFormat format, Tensors& out) {
  const auto stored = weight.stored();
  const bool dora = stored.form == DecomposedWeight::form;
  if ((stored.form != LowRankFactors::form && !dora) || stored.tensors.contains("start_A"))
    refuse_form(weight, stored.tensors.contains("start_A") ? "low_rank (PiSSA)" : stored.form, "low-rank factors");
  if (dora && format == WeightFormat::diffusers_lora)
    throw Error("export_weights",
                "'" + weight.name + "' is a DoRA change, and diffusers would read it as LoRA: it drops the magnitudes",
                "peft_lora and kohya_lora hold DoRA, kohya_diff its difference");
  const auto& a = stored.tensors.at("lora_A");
  const bool kernel = a.dim() == 4;
  const auto up = stored.tensors.at("lora_B");
  const auto b = kernel ? up.view({up.size(0), up.size(1), 1, 1}) : up;
  const double scale = stored.tensors.at("scale").item<double>();
  const auto path = without_weight(weight.name);
  const auto put = [&](const std::string& key, const Tensor& value) {
    if (!out.emplace(key, value.contiguous()).second)
      throw Error("export_weights", "'" + weight.name + "' has two low-rank changes, and this file holds one a weight",
                  "WeightFormat::kohya_diff holds their sum; or export them to files of their own");
  };
  const auto magnitude = [&](at::IntArrayRef shape) { return stored.tensors.at("magnitude").view(shape); };
  if (format == WeightFormat::diffusers_lora) {
    const char* const layer = weight.name.starts_with("text_encoder.") ? ".lora_linear_layer" : ".lora";
    put(path + layer + ".down.weight", a);
    put(path + layer + ".up.weight", b * scale);  // without alpha it counts as the rank
  } else if (format == WeightFormat::peft_lora) {
    const auto key = "base_model.model." + path.substr(path.find('.') + 1);
    put(key + ".lora_A.weight", a);
    put(key + ".lora_B.weight", b);
    if (dora) put(key + ".lora_magnitude_vector", kernel ? magnitude({1, -1, 1, 1}) : magnitude({-1}));
  } else {
    const auto key = kohya_name(weight.name);
    put(key + ".lora_down.weight", a);
    put(key + ".lora_up.weight", b);
    put(key + ".alpha", at::full({}, scale * static_cast<double>(a.size(0)), at::kFloat));
    if (dora) put(key + ".dora_scale", kernel ? magnitude({-1, 1, 1, 1}) : magnitude({-1, 1}));
  }
}

/// What peft reads beside its tensors: ranks, alphas and whether it is DoRA. One part of the model alone.
inline std::string peft_config(const Learned& learned) {
  std::string modules, ranks, alphas;
  std::int64_t rank = 0;
  double alpha = 0;
  bool dora = false, first = true;
  const auto number = [](double value) {
    char text[32];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
  };
  for (const LearnedWeight& weight : learned.weights) {
    const auto stored = weight.stored();
    const auto dot = weight.name.find('.');
    if (weight.name.substr(0, dot) != learned.weights.front().name.substr(0, dot))
      throw Error("export_weights",
                  "'" + weight.name + "' is of another part than '" + learned.weights.front().name + "'",
                  "peft's file is of one part: learn or export them apart");
    const bool is_dora = stored.form == DecomposedWeight::form;
    if (!first && is_dora != dora)
      throw Error("export_weights", "LoRA and DoRA in one file", "peft's configuration has one of them for all");
    const auto own_rank = stored.tensors.at("lora_A").size(0);
    const double own_alpha = stored.tensors.at("scale").item<double>() * static_cast<double>(own_rank);
    const auto module = '"' + without_weight(weight.name.substr(dot + 1)) + '"';
    if (first) rank = own_rank, alpha = own_alpha, dora = is_dora;
    const std::string comma = ", ";
    modules += (first ? "" : comma) + module;
    if (own_rank != rank) ranks += (ranks.empty() ? "" : comma) + module + ": " + std::to_string(own_rank);
    if (own_alpha != alpha) alphas += (alphas.empty() ? "" : comma) + module + ": " + number(own_alpha);
    first = false;
  }
  return "{\"peft_type\": \"LORA\", \"r\": " + std::to_string(rank) + ", \"lora_alpha\": " + number(alpha) +
         ", \"use_dora\": " + (dora ? "true" : "false") + ", \"rank_pattern\": {" + ranks + "}, \"alpha_pattern\": {" +
         alphas + "}, \"target_modules\": [" + modules + "]}\n";
}

/// What a form has no place for: the first name of each kind, and how many there are.
struct LeftOut {
  std::string first{};
  std::size_t count = 0;
  void add(const std::string& name) {
    if (count++ == 0) first = name;
  }
  void tell(const char* why, const char* mend) const {
    if (count == 0) return;
    const auto more = count > 1 ? " and " + std::to_string(count - 1) + " more are" : std::string(" is");
    warn("export_weights", "'" + first + "'" + more + " not written: " + why, mend);
  }
};

// svdiff-pytorch's file has tensors for the shifts alone, so what tells the base model apart goes into the metadata, of
// the first few weights: "persona.base.unet.conv_in.weight" -> "0.25 -1.5 ...".
inline constexpr std::string_view base_key = "persona.base.";

inline std::string sketch_text(const Tensor& sketch) {
  std::string text;
  for (std::int64_t i = 0; i < sketch.numel(); ++i) {
    char number[32];
    const auto end = std::to_chars(number, number + sizeof number, sketch[i].item<float>()).ptr;
    text += (text.empty() ? "" : " ") + std::string(number, end);
  }
  return text;
}
inline Tensor sketch_of(std::string_view text, const std::string& where) {
  std::vector<float> values;
  while (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), values.emplace_back());
    if (error != std::errc())
      throw Error(where, "does not say of which base model the shifts are", "the file is damaged");
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
  return at::tensor(values);
}

inline void write_svdiff(const LearnedWeight& weight, Tensors& out, LeftOut& of_text, LeftOut& vectors) {
  const auto stored = weight.stored();
  if (!weight.name.starts_with("unet.")) return of_text.add(weight.name);
  if (stored.form == VectorShift::form) return vectors.add(weight.name);
  if (stored.form != SpectralFactors::form && stored.form != VectorScale::form)
    refuse_form(weight, stored.form, "shifts of singular values");
  out.emplace(without_weight(weight.name.substr(5)) + ".delta", stored.tensors.at("delta"));
}

inline void tell_base(const Learned& learned, std::map<std::string, std::string>& metadata) {
  int told = 0;
  for (const LearnedWeight& weight : learned.weights) {
    const auto stored = weight.stored();
    const auto base = stored.tensors.find("base");
    if (base == stored.tensors.end() || !weight.name.starts_with("unet.") || told == 4) continue;
    metadata.emplace(std::string(base_key) + weight.name, sketch_text(base->second)), ++told;
  }
}

// What a change adds to a weight, in fp32 on the CPU.
inline Tensor difference_of(const LearnedWeight& weight, const WeightRef& ref) {
  const auto change = weight.on(ref);
  const auto base = ref.base.to(at::kFloat);
  const auto difference = std::holds_alternative<std::shared_ptr<const Delta>>(change)
                              ? std::get<std::shared_ptr<const Delta>>(change)->value(base)
                              : std::get<std::shared_ptr<const Replacement>>(change)->difference(base);
  return difference.to(at::kCPU, at::kFloat);
}

inline void write_custom_diffusion(const LearnedWeight& weight, const WeightTable& table, Tensors& out) {
  const auto stored = weight.stored();
  auto path = without_weight(weight.name);
  const bool bias = cut_suffix(path, ".bias");
  const auto layer = path.find("attn2.");
  const bool whole = stored.form == FullWeight::form;
  if ((!whole && stored.form != WeightDifference::form) || !path.starts_with("unet.") || layer == path.npos)
    refuse_form(weight, stored.form, "whole weights of cross-attention");
  // ...attn2.to_out.0 -> ...attn2.processor.to_out_custom_diffusion.0
  auto name = path.substr(layer + 6);
  const auto end = name.find('.');
  name.insert(end == name.npos ? name.size() : end, "_custom_diffusion");
  const auto key = path.substr(5, layer + 1) + "processor." + name + (bias ? ".bias" : ".weight");
  if (whole) {
    out.emplace(key, stored.tensors.at("weight"));
  } else {
    const auto& ref = table.at(weight.name);
    out.emplace(key, ref.base.to(at::kCPU, at::kFloat) + difference_of(weight, ref));
  }
}

inline LearnedWeight read_lora(const std::string& name, std::map<std::string, Tensor> parts, const LoraScales& scales,
                               const std::string& where) {
  for (const char* needed : {"down", "up"})
    if (!parts.contains(needed)) throw Error(where, "has no '" + std::string(needed) + "' factor", "the file is cut");
  const auto& down = parts["down"];
  const auto& up = parts["up"];
  if (down.dim() < 2 || up.dim() < 2 || down.size(0) < 1 || up.flatten(1).size(1) != down.size(0))
    throw Error(where, "its factors are " + shape_string(down.sizes()) + " and " + shape_string(up.sizes()),
                "down is [rank, ...], up [outputs, rank]");
  if (parts.contains("alpha") && parts["alpha"].numel() != 1)
    throw Error(where, "its alpha has " + std::to_string(parts["alpha"].numel()) + " numbers", "one is expected");
  const auto a = down.to(at::kFloat), b = up.to(at::kFloat).flatten(1);
  const double rank = static_cast<double>(a.size(0));
  const double scale =
      parts.contains("alpha") ? parts["alpha"].to(at::kDouble).item<double>() / rank : scales.of(name, rank);
  LearnedWeight weight{.name = name};
  weight.file = {std::string(LowRankFactors::form),
                 {{"lora_A", a}, {"lora_B", b}, {"scale", at::full({1}, scale, at::kDouble)}}};
  if (!parts.contains("magnitude")) {
    weight.make = made_by<LowRankFactors>();
  } else {
    weight.file.form = DecomposedWeight::form;
    weight.file.tensors.emplace("magnitude", parts["magnitude"].to(at::kFloat).flatten());
    weight.make = made_by<DecomposedWeight>();
  }
  return weight;
}

}  // namespace detail

/// Writes the changes of weights in another tool's form; token rows go into files of their own (export_to). Throws
/// Error naming the weight where the form has no place for its change; what svdiff-pytorch's form alone leaves out is
/// warned of.
template <DiffusionModel Model>
void export_weights(const Model& model, const Learned& learned, const std::filesystem::path& file,
                    WeightFormat format) {
  if (learned.weights.empty()) throw Error("export_weights", "no weights were learned", "rows are export_to's");
  if (format == WeightFormat::peft_lora && file.filename() != "adapter_model.safetensors")
    throw Error("export_weights: " + file.string(), "peft reads adapter_model.safetensors, and its alpha beside it",
                "give it that name, in a folder of its own");
  const at::NoGradGuard no_grad;
  detail::Tensors tensors;
  const bool of_model = format == WeightFormat::kohya_diff || format == WeightFormat::custom_diffusion;
  const auto table = of_model ? detail::weight_table(model) : detail::WeightTable{};
  detail::LeftOut of_text, vectors;
  for (const LearnedWeight& weight : learned.weights) {
    if (format == WeightFormat::svdiff_pytorch) {
      detail::write_svdiff(weight, tensors, of_text, vectors);
    } else if (format == WeightFormat::custom_diffusion) {
      detail::write_custom_diffusion(weight, table, tensors);
    } else if (format == WeightFormat::kohya_diff) {
      const auto difference = detail::difference_of(weight, table.at(weight.name));
      auto name = weight.name;
      const bool bias = detail::cut_suffix(name, ".bias");
      const auto key = detail::kohya_name(name) + (bias ? ".diff_b" : ".diff");
      auto& sum = tensors[key];  // several changes of one weight add up
      sum = (sum.defined() ? sum + difference : difference).contiguous();
    } else {
      detail::write_lora(weight, format, tensors);
    }
  }
  of_text.tell("the file holds the UNet's shifts", "Learned::save keeps all");
  vectors.tell("the file has one number a norm", "learn with VectorForm::scale, or keep Learned::save's file");
  std::map<std::string, std::string> metadata{{"format", "pt"}};
  for (const auto& [key, value] : learned.metadata) metadata.emplace(key, value);
  metadata.erase("persona.kind");
  if (format == WeightFormat::svdiff_pytorch) detail::tell_base(learned, metadata);
  if (format == WeightFormat::peft_lora)
    write_file_atomically(file.parent_path() / "adapter_config.json", detail::peft_config(learned));
  write_safetensors(file, tensors, metadata);
}

/// Reads changes of weights in any of these forms: LoRA and DoRA as diffusers (of today and of 2023), peft and kohya
/// write them, svdiff-pytorch's shifts of either part, Custom Diffusion's weights, kohya's differences. Names are those
/// of `model`; decompositions are kept in `cache`. Throws Error naming file and key where the model has no such weight,
/// or the form is none of these.
template <DiffusionModel Model>
Learned import_weights(const Model& model, const std::filesystem::path& file, const std::filesystem::path& cache = {}) {
  const auto source = SafeTensors::open(file);
  const auto told = describe_file(source);
  const auto width = model.text_encoder().embedding_table().size(1);
  if (told.width != width && !likely_model(told.width).empty() && !likely_model(width).empty())
    throw Error(
        file.string(),
        "is " + told.what + " for text states " + width_shown(told.width) + "; this model's are " + width_shown(width),
        "changes of weights fit the base model that they were learned on, and its fine-tunes");
  const auto table = detail::weight_table(model);
  Learned learned;
  for (const auto& [key, value] : source.metadata())
    if (!key.starts_with(detail::base_key) && key != "lora_adapter_metadata") learned.metadata.emplace(key, value);
  const auto scales = detail::LoraScales::of_file(source, file);
  std::map<std::string, std::map<std::string, Tensor>> lora;  // by weight
  std::set<std::string> differences;
  const auto find = [&](const std::string& module, const std::string& key) -> const WeightRef& {
    for (const char* part : {"", "unet.", "text_encoder."})  // files of one part leave its name out
      if (const auto* ref = table.find(part + module)) return *ref;
    throw Error(file.string() + ": " + key, "this model has no weight '" + module + "'",
                "was it learned on another kind of model?");
  };
  for (const auto& key : source.names()) {
    if (const auto factor = detail::split_lora_key(key)) {
      const auto& name = find(factor->module, key).full_name();
      const auto value = source.load_finite(key);
      if (key.ends_with("dora_scale") && value.dim() > 1 && value.numel() != value.size(0))
        throw Error(file.string() + ": " + key,
                    "has shape " + shape_string(value.sizes()) + ": magnitudes of the weight's inputs",
                    "DoRA's magnitudes are read an output, [outputs, 1]: learn it with wd_on_output");
      if (!lora[name].emplace(factor->part, value).second)
        throw Error(file.string() + ": " + key, "is there a second time for '" + name + "', by another tool's key",
                    "keep one of the two");
      continue;
    }
    std::string module = key;
    LearnedWeight weight;
    if (detail::cut_suffix(module, ".delta")) {
      const auto& ref = find(module, key);
      const auto delta = source.load_finite(key).to(at::kFloat).flatten();
      weight.name = ref.full_name();
      weight.file = {std::string(ref.base.dim() > 1 ? SpectralFactors::form : VectorScale::form), {{"delta", delta}}};
      if (const auto told = source.metadata().find(std::string(detail::base_key) + weight.name);
          told != source.metadata().end())
        weight.file.tensors.emplace("base", detail::sketch_of(told->second, file.string() + ": " + told->first));
      weight.make = ref.base.dim() > 1 ? detail::made_by<SpectralFactors>(cache) : detail::made_by<VectorScale>(cache);
    } else if (const auto cut = module.find(".processor.");
               cut != module.npos && module.find("_custom_diffusion") != module.npos) {
      module.erase(cut, 10), module.erase(module.find("_custom_diffusion"), 17);
      const auto& ref = find(detail::without_weight(module), key);
      weight.name = ref.full_name();
      weight.file = {std::string(FullWeight::form), {{"weight", source.load_finite(key).to(at::kFloat)}}};
      weight.make = detail::made_by<FullWeight>();
    } else if (const bool bias = detail::cut_suffix(module, ".diff_b"); bias || detail::cut_suffix(module, ".diff")) {
      const auto& ref = find(bias ? module + ".bias" : module, key);
      weight.name = ref.full_name();
      const auto difference = source.load_finite(key).to(at::kFloat);
      if (difference.sizes() != ref.base.sizes())
        throw Error(
            file.string() + ": " + key,
            "has shape " + shape_string(difference.sizes()) + ", this model's weight " + shape_string(ref.base.sizes()),
            "was it learned on another kind of model?");
      if (!differences.insert(weight.name).second)
        throw Error(file.string() + ": " + key,
                    "is there a second time for '" + weight.name + "', by another tool's key", "keep one of the two");
      weight.file = {std::string(WeightDifference::form), {{"difference", difference}}};
      weight.make = detail::made_by<WeightDifference>();
    } else {
      throw Error(file.string() + ": " + key, "is no change of a weight in a form that is known",
                  "LoRA (diffusers, peft, kohya), spectral shifts, Custom Diffusion and .diff files are");
    }
    learned.weights.push_back(std::move(weight));
  }
  for (auto& [name, parts] : lora)
    learned.weights.push_back(detail::read_lora(name, std::move(parts), scales, file.string() + ": " + name));
  if (learned.weights.empty()) throw Error(file.string(), "has no tensor", "is it whole?");
  return learned;
}

}  // namespace persona
