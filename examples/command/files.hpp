#pragma once
// persona inspect and persona convert: files of learned things, persona's and other tools'.

#include "command/learned_file.hpp"
#include "command/out_folder.hpp"
#include "command/subject.hpp"
#include "command/usage.hpp"

#include <persona/io/atomic_file.hpp>
#include <persona/io/utf8.hpp>
#include <persona/learned/bake.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace command {

/// The file's name again; throws Error where there is one.
inline std::filesystem::path expect_absent(const std::filesystem::path& file) {
  if (std::filesystem::exists(file))
    throw persona::Error(file.string(), "is there already, and nothing is written over it",
                         "give another --out, or remove it");
  return file;
}

/// export_to, whose files are named by their tokens: they are made apart, and moved where nothing has their name.
inline std::vector<std::filesystem::path> export_where_none_is(const persona::Learned& learned,
                                                               const std::filesystem::path& out,
                                                               persona::Format format) {
  struct Apart {
    std::filesystem::path folder{};
    ~Apart() {
      std::error_code ignored;
      std::filesystem::remove_all(folder, ignored);
    }
  } const apart{persona::detail::temporary_beside(out / "forms")};
  std::vector<std::filesystem::path> written;
  const auto files = persona::export_to(learned, apart.folder, format);
  for (const auto& file : files) written.push_back(expect_absent(out / file.filename()));
  for (std::size_t i = 0; i < files.size(); ++i) std::filesystem::rename(files[i], written[i]);
  return written;
}

/// Prints what a file is; all tensors where `all`, else the first twelve.
inline int inspect(const std::filesystem::path& file, bool all) {
  const auto shown = [](const std::string& of_file) { return persona::detail::printable(of_file); };
  const auto told = persona::describe_file(file);
  const auto line = [](const std::string& what, const std::string& text) {
    if (!text.empty()) std::printf("%-10s %s\n", what.c_str(), text.c_str());
  };
  line("file", told.path);
  line("is", told.what);
  for (const auto& row : told.rows)
    line("token", (row.token.empty() ? "(the file's name)" : shown(row.token)) + ", " + std::to_string(row.vectors) +
                      " x " + std::to_string(row.width));
  if (told.lora) {
    std::string text = told.lora->dialect + (told.lora->dora ? ", DoRA" : "") + ", rank";
    for (const auto rank : told.lora->ranks) text += " " + std::to_string(rank);
    text += ", alpha";
    for (const auto alpha : told.lora->alphas) text += " " + persona::Field("", alpha).value;
    if (told.lora->alphas.empty()) text += " not stored: the rank";
    line("lora", text);
    std::string targets;
    for (const auto& [name, count] : told.lora->targets)
      targets += (targets.empty() ? "" : ", ") + std::to_string(count) + " " + shown(name);
    line("targets", targets);
  }
  line("base", told.base);
  std::string readers;
  for (const auto& reader : told.readers) readers += (readers.empty() ? "" : ", ") + reader;
  line("read by", readers);
  line("in C++", told.call);
  line("note", told.note);
  for (const auto& [key, value] : told.metadata) line("metadata", shown(key) + " = " + shown(value));
  line("tensors", std::to_string(told.tensors.size()) + ", " + std::to_string(told.bytes) + " bytes");
  constexpr std::size_t some = 12;
  for (std::size_t i = 0; i < told.tensors.size(); ++i) {
    if (!all && i == some) {
      line("", "and " + std::to_string(told.tensors.size() - some) + " more (--all)");
      break;
    }
    const auto& tensor = told.tensors[i];
    line("", tensor.dtype + " " + persona::shape_string(tensor.shape) + " " + shown(tensor.name));
  }
  return done;
}

struct Conversion {
  std::string file{}, to{}, token{};
};

namespace detail {
inline const std::vector<std::pair<std::string, persona::Format>> row_formats{
    {"diffusers", persona::Format::diffusers},
    {"diffusers_vector", persona::Format::diffusers_vector},
    {"emb_params", persona::Format::emb_params},
    {"automatic1111", persona::Format::automatic1111},
    {"kohya", persona::Format::kohya},
    {"invokeai", persona::Format::invokeai},
    {"stable_diffusion_cpp", persona::Format::stable_diffusion_cpp},
    {"kohya_xti", persona::Format::kohya_xti}};
inline const std::vector<std::pair<std::string, persona::WeightFormat>> weight_formats{
    {"diffusers_lora", persona::WeightFormat::diffusers_lora},
    {"peft_lora", persona::WeightFormat::peft_lora},
    {"kohya_lora", persona::WeightFormat::kohya_lora},
    {"kohya_diff", persona::WeightFormat::kohya_diff},
    {"svdiff_pytorch", persona::WeightFormat::svdiff_pytorch},
    {"custom_diffusion", persona::WeightFormat::custom_diffusion}};

inline std::string all_formats(const std::string& between = ", ") {
  std::string list = "learned" + between + "model";
  for (const auto& [name, format] : row_formats) list += between + name;
  for (const auto& [name, format] : weight_formats) list += between + name;
  return list;
}

/// The whole model with the changes in its weights, as a diffusers folder.
inline void write_model(const Model& model, const persona::Learned& learned, const Settings& settings) {
  const std::filesystem::path out = settings.out;
  const auto tokenizer = settings.tokenizer.empty() ? std::filesystem::path(settings.model) / "tokenizer"
                                                    : std::filesystem::path(settings.tokenizer);
  if (std::filesystem::exists(out / "model_index.json") || std::filesystem::exists(out / "unet"))
    throw persona::Error("--out " + settings.out, "holds a model already",
                         "give a folder of its own: models are not overwritten");
  if (!learned.rows.empty())
    persona::warn("convert", "a model folder has no place for the learned token '" + learned.rows.front().token + "'",
                  "write it beside: --to diffusers");
  persona::save_folder(persona::bake(model, learned), out);
  if (std::filesystem::is_directory(tokenizer))
    std::filesystem::copy(tokenizer, out / "tokenizer",
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  else
    persona::warn("convert", "the model has no folder tokenizer/ to copy", "put the tokenizer's files there");
  std::cout << out.string() << '\n';
}
}  // namespace detail

/// Reads a learned thing and writes it in another form: files into the folder `settings.out`.
inline int convert(const Settings& settings, const Conversion& what) {
  const auto row = std::ranges::find(detail::row_formats, what.to, [](const auto& entry) { return entry.first; });
  const auto weight = std::ranges::find(detail::weight_formats, what.to, [](const auto& entry) { return entry.first; });
  const bool rows = row != detail::row_formats.end(), weights = weight != detail::weight_formats.end();
  if (!rows && !weights && what.to != "learned" && what.to != "model")
    throw Usage("--to", "'" + what.to + "' is no form that is known", detail::all_formats());
  std::optional<Model> model;
  if (!settings.model.empty()) model = Model::load(settings.model, loading_of(settings));
  if ((weights || what.to == "model") && !model)
    throw Usage("--model", what.to + " is about the weights of a model, and none is given",
                "give the model that the file was learned on");
  auto learned = read_learned(what.file, model ? &*model : nullptr, what.token);
  if (!what.token.empty() && learned.rows.size() != 1)
    throw Usage("--token", "names one token, and the file has " + std::to_string(learned.rows.size()), "leave it out");
  const std::filesystem::path out = settings.out;
  if (what.to == "model") return detail::write_model(*model, learned, settings), done;
  make_folder(out);
  const auto stem = std::filesystem::path(what.file).stem().string();
  if (rows) {
    if (!learned.weights.empty()) {
      persona::warn("convert", "the changes of weights have no place in " + what.to,
                    "convert them apart, to a form of weights");
      learned.weights.clear();
    }
    for (const auto& file : export_where_none_is(learned, out, row->second)) std::cout << file.string() << '\n';
  } else if (weights) {
    const auto name = stem + "-" + what.to;
    const auto write = [&](const persona::Learned& part, const std::filesystem::path& file) {
      persona::export_weights(*model, part, file, weight->second);
      std::cout << file.string() << '\n';
    };
    if (weight->second != persona::WeightFormat::peft_lora) {
      write(learned, expect_absent(out / (name + ".safetensors")));
    } else {  // a folder for each part of the model, with its settings
      for (const std::string host : {"unet", "text_encoder"}) {
        persona::Learned part{.metadata = learned.metadata};
        std::ranges::copy_if(learned.weights, std::back_inserter(part.weights),
                             [&](const auto& one) { return one.name.starts_with(host + "."); });
        if (part.weights.empty()) continue;
        const auto file = expect_absent(out / name / host / "adapter_model.safetensors");
        std::filesystem::create_directories(file.parent_path());
        write(part, file);
      }
    }
    if (!learned.rows.empty())
      persona::warn("convert", "token rows have no place in " + what.to, "convert them apart: --to diffusers");
  } else {
    const auto file = expect_absent(out / (stem + "-learned.safetensors"));
    learned.save(file);
    std::cout << file.string() << '\n';
  }
  return done;
}

}  // namespace command
