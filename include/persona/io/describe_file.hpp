#pragma once

#include <persona/io/file_description.hpp>
#include <persona/io/file_rules.hpp>
#include <persona/io/likely_model.hpp>
#include <persona/io/safetensors.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

namespace detail {

template <class Value>
void note_once(std::vector<Value>& list, Value value) {
  if (std::ranges::find(list, value) != list.end()) return;
  list.push_back(value);
  std::ranges::sort(list);
}

/// "to_k" of "...attn2.to_k.lora_A.weight"; in kohya's names the dots are underscores.
inline std::string lora_target(std::string module) {
  static constexpr std::string_view known[] = {
      "to_q",    "to_k",     "to_v",          "to_out_0", "to_out.0",      "q_proj",   "k_proj", "v_proj", "out_proj",
      "proj_in", "proj_out", "ff_net_0_proj", "ff_net_2", "ff.net.0.proj", "ff.net.2", "fc1",    "fc2"};
  for (const auto name : known)
    if (module.ends_with(name)) {
      auto target = std::string(name);
      if (target.find('.') == target.npos)
        for (const auto& [kohya, dotted] :
             {std::pair{"to_out_0", "to_out.0"}, std::pair{"ff_net_0_proj", "ff.net.0.proj"},
              std::pair{"ff_net_2", "ff.net.2"}})
          if (target == kohya) target = dotted;
      return target;
    }
  const auto dot = module.rfind('.');
  return dot == module.npos ? module : module.substr(dot + 1);
}

inline FileLora describe_lora(const SafeTensors& file, const FileNames& names) {
  FileLora lora{.dialect = lora_dialect(names)};
  static constexpr std::string_view downs[] = {".lora_down.weight",
                                               ".lora_A.weight",
                                               ".lora_A.default.weight",
                                               ".lora.down.weight",
                                               ".lora_linear_layer.down.weight",
                                               "_lora.down.weight"};
  for (const auto& [name, info] : names.infos()) {
    if (name.ends_with(".alpha") && info.end - info.begin <= 8)
      note_once(lora.alphas, file.load(name).to(at::kDouble).flatten()[0].item<double>());
    if (name.find("dora_scale") != name.npos || name.find("lora_magnitude_vector") != name.npos) lora.dora = true;
    for (const auto down : downs) {
      if (!name.ends_with(down) || info.shape.empty()) continue;
      note_once(lora.ranks, info.shape.front());
      ++lora.targets[lora_target(name.substr(0, name.size() - down.size()))];
      const bool text = name.starts_with("text_encoder") || name.starts_with("lora_te");
      ++(text ? lora.text_encoder : lora.unet);
      break;
    }
  }
  return lora;
}

inline std::vector<FileRows> describe_rows(FileKind kind, const FileNames& names) {
  std::vector<FileRows> rows;
  const auto add = [&](const std::string& token, const std::string& tensor) {
    const auto shape = names.shape(tensor);
    if (is_rows(shape))
      rows.push_back(
          {.token = token, .tensor = tensor, .vectors = shape.size() == 2 ? shape[0] : 1, .width = shape.back()});
  };
  if (kind == FileKind::learned)
    for (const auto& [name, info] : names.infos())
      if (name.starts_with("rows.")) add(name.substr(5), name);
  if (kind == FileKind::embedding_diffusers) add(names.infos().begin()->first, names.infos().begin()->first);
  if (kind == FileKind::embedding_emb_params) add("", "emb_params");
  if (kind == FileKind::embedding_layers) add("", xti_layers[0]);
  if (kind == FileKind::embedding_sdxl) add("", "clip_l"), add("", "clip_g");
  return rows;
}

/// The width of the text states that a file is for, as far as its shapes say it.
inline std::int64_t width_of(const FileDescription& told, const FileNames& names) {
  if (!told.rows.empty()) return told.rows.front().width;
  switch (told.kind) {
    case FileKind::spectral_shifts:  // as many values as the smaller side of a matrix: SD's widest levels have 1280
                                     // rows
      return names.width("attn2.to_k", ".delta");
    case FileKind::part_text_encoder:
      return names.width("token_embedding", ".weight");
    default:
      break;
  }
  for (const char* end : {".weight", ".diff"})
    for (const char* part : {"attn2.to_k", "attn2_to_k", "attn2.processor.to_k"})
      if (const auto width = names.width(part, end); width > 0) {
        const bool up = told.kind == FileKind::lora;
        if (!up) return width;
      }
  return 0;
}

}  // namespace detail

/// What an open file is; its header is looked at, and of its data no more than the alphas of a LoRA.
inline FileDescription describe_file(const SafeTensors& file) {
  FileDescription told{.path = file.path(), .metadata = file.metadata()};
  for (const auto& [name, info] : file.infos()) {
    told.tensors.push_back({.name = name, .dtype = std::string(info.dtype), .shape = info.shape});
    told.bytes += info.end - info.begin;
  }
  const detail::FileNames names(file);
  told.kind = detail::kind_of(names, file.metadata(), told.what);
  told.rows = detail::describe_rows(told.kind, names);
  if (told.kind == FileKind::lora) told.lora = detail::describe_lora(file, names);
  told.width = detail::width_of(told, names);
  told.base = likely_model(told.width);
  return told;
}

/// What a safetensors file is: its header is read, whatever its size. Throws Error where it is none: pickles and other
/// forms are named, with the way to convert them.
inline FileDescription describe_file(const std::filesystem::path& path) {
  return describe_file(SafeTensors::open(path));
}

}  // namespace persona
