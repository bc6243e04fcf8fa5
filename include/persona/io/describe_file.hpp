#pragma once

#include <persona/io/adapter_keys.hpp>
#include <persona/io/file_description.hpp>
#include <persona/io/file_readers.hpp>
#include <persona/io/file_rules.hpp>
#include <persona/io/likely_model.hpp>
#include <persona/io/safetensors.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

namespace detail {

template <class Value>
void note_once(std::vector<Value>& list, Value value) {
  if (std::ranges::find(list, value) != list.end()) return;
  list.push_back(value);
  std::ranges::sort(list);
}

/// "to_k" of "...attn2.to_k"; in kohya's names the dots are underscores.
inline std::string lora_target(std::string module) {
  std::ranges::replace(module, '.', '_');
  static constexpr std::pair<std::string_view, const char*> known[] = {
      {"to_q", "to_q"},         {"to_k", "to_k"},         {"to_v", "to_v"},
      {"to_out_0", "to_out.0"}, {"q_proj", "q_proj"},     {"k_proj", "k_proj"},
      {"v_proj", "v_proj"},     {"out_proj", "out_proj"}, {"proj_in", "proj_in"},
      {"proj_out", "proj_out"}, {"fc1", "fc1"},           {"fc2", "fc2"},
      {"ff_net_2", "ff.net.2"}, {"conv1", "conv1"},       {"ff_net_0_proj", "ff.net.0.proj"},
      {"conv2", "conv2"},       {"conv", "conv"},         {"time_emb_proj", "time_emb_proj"}};
  for (const auto& [end, name] : known)
    if (module.ends_with(end)) return name;
  return "other";
}

inline FileLora describe_lora(const SafeTensors& file) {
  FileLora lora;
  for (const auto& [name, info] : file.infos()) {
    const auto key = split_lora_key(name);
    if (!key) continue;
    if (!key->dialect.empty() && lora.dialect.empty()) lora.dialect = key->dialect;
    if (key->part == "magnitude") lora.dora = true;
    const bool number = info.dtype == "F16" || info.dtype == "BF16" || info.dtype == "F32" || info.dtype == "F64";
    if (key->part == "alpha" && number && info.end - info.begin <= 8 && info.end > info.begin)
      note_once(lora.alphas, file.load(name).to(at::kDouble).flatten()[0].item<double>());
    if (key->part != "down" || info.shape.empty()) continue;
    note_once(lora.ranks, info.shape.front());
    ++lora.targets[lora_target(key->module)];
    ++(name.starts_with("text_encoder") || name.starts_with("lora_te") ? lora.text_encoder : lora.unet);
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
  if (kind == FileKind::embedding_emb_params) add("", names.infos().begin()->first);
  if (kind == FileKind::embedding_layers) add("", xti_layer_names[0]);
  if (kind == FileKind::embedding_sdxl) add("", "clip_l"), add("", "clip_g");
  return rows;
}

/// The width of the rows or text states that a file is for, as far as its shapes say it.
inline std::int64_t width_of(const FileDescription& told, const FileNames& names) {
  if (!told.rows.empty()) return told.rows.front().width;
  if (told.kind == FileKind::part_text_encoder) return names.width("token_embedding", ".weight");
  // What reads the text is as wide as it: whole matrices, their factors, and as many singular values on wide levels.
  if (const auto width = names.width("attn2", "to_k"); width > 0) return width;
  return names.width("q_proj", "lora");
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
  if (told.kind == FileKind::lora) told.lora = detail::describe_lora(file);
  told.width = detail::width_of(told, names);
  told.base = told.kind == FileKind::embedding_sdxl ? "Stable Diffusion XL" : likely_model(told.width);
  detail::describe_readers(told);
  return told;
}

/// What a safetensors file is: its header is read, whatever its size. Throws Error where it is none: pickles and other
/// forms are named, with the way to convert them.
inline FileDescription describe_file(const std::filesystem::path& path) {
  return describe_file(SafeTensors::open(path));
}

}  // namespace persona
