#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/warning.hpp>
#include <persona/io/describe_file.hpp>
#include <persona/io/likely_model.hpp>
#include <persona/io/refuse.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/xti_file.hpp>
#include <persona/model/diffusion_model.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace persona {

namespace detail {

/// Opens an embedding; pickles and pictures are refused with the way to convert them.
inline SafeTensors open_embedding(const std::filesystem::path& path) {
  const auto ending = path.extension();
  if (is_there(path) && ending == ".png")
    throw Error(path.string(), "is a picture, and an embedding that AUTOMATIC1111 hid in it is not read",
                "save it there as .safetensors");
  try {
    return SafeTensors::open(path);
  } catch (const Error& error) {
    const std::string_view said = error.what();
    if (said.find("pickle") == said.npos || (ending != ".pt" && ending != ".bin")) throw;
    const bool web_ui = ending == ".pt";
    throw Error(path.string(),
                std::string("is a Python pickle, as ") +
                    (web_ui ? "AUTOMATIC1111's older embeddings are (string_to_param)" : "diffusers' older ones are") +
                    "; it can run code, so it is not read",
                std::string("in Python, where you trust it: e = torch.load(FILE, weights_only=True); "
                            "safetensors.torch.save_file(") +
                    (web_ui ? "{'emb_params': e['string_to_param']['*'].detach()}" : "e") + ", NEW_FILE)");
  }
}

/// The one set of rows in a file of a kind with one, or those as wide as asked for.
inline std::string rows_tensor(const FileDescription& told, std::int64_t width) {
  if (told.kind == FileKind::embedding_sdxl) {
    for (const FileRows& rows : told.rows)
      if (rows.width == width) return rows.tensor;
    const auto &l = told.rows.front(), &g = told.rows.back();
    throw Error(told.path,
                "is an embedding of Stable Diffusion XL: rows for its two text encoders, clip_l " +
                    std::to_string(l.width) + " and clip_g " + std::to_string(g.width) + " wide" +
                    (width > 0 ? ", and none is " + width_shown(width) : ""),
                width > 0 ? "get the embedding for this model"
                          : "say which is wanted: import_embedding(model, FILE) takes those of the model's width");
  }
  return told.tensors.front().name;
}

}  // namespace detail

/// Reads an embedding of another tool: the one-key form of diffusers and InvokeAI, [n, D] or [D], whose key is the
/// token; "emb_params" of AUTOMATIC1111 and kohya, and kohya's XTI form, whose token is `token` or the file's stem;
/// Stable Diffusion XL's two sets of rows, of which those `width` wide are taken. Throws Error saying what the file is
/// where it is none of these, and naming both widths where `width` is given and the rows are of another.
inline Learned import_embedding(const std::filesystem::path& file, std::string token = {}, std::int64_t width = 0) {
  const auto source = detail::open_embedding(file);
  const auto told = describe_file(source);
  const bool own_token = told.kind == FileKind::embedding_diffusers;
  if (token.empty()) token = own_token ? told.tensors.front().name : file.stem().string();
  Learned learned;
  switch (told.kind) {
    case FileKind::embedding_layers: learned.rows.push_back(detail::read_xti(source, file, std::move(token))); break;
    case FileKind::embedding_diffusers:
    case FileKind::embedding_emb_params:
    case FileKind::embedding_sdxl: {
      const auto key = detail::rows_tensor(told, width);
      const auto stored = source.load(key);
      auto rows = stored.to(at::kFloat);
      if (rows.dim() == 1) rows = rows.unsqueeze(0);
      expect_shape(rows, {"vectors", "D"}, file.string() + ": " + key);
      detail::expect_rows(rows, stored.scalar_type(), file.string() + ": " + key);
      learned.rows.push_back({.token = std::move(token), .rows = std::move(rows)});
      if (told.kind == FileKind::embedding_sdxl)
        warn("import_embedding",
             "'" + key + "' of an embedding of Stable Diffusion XL is read, and the other encoder's rows are left",
             "it was learned for both encoders together");
      break;
    }
    default: {
      std::string list;
      for (std::size_t i = 0; i < told.tensors.size() && i < 10; ++i)
        list += (i ? ", " : "") + detail::printable(told.tensors[i].name) + " " + shape_string(told.tensors[i].shape);
      const auto tensors = std::to_string(told.tensors.size()) + ": " + list;
      if (told.kind == FileKind::unknown)
        throw Error(file.string(), "an embedding has one tensor of rows, [vectors, D], and this file has " + tensors,
                    "is it one, and of one text encoder?");
      throw Error(file.string(), "is no embedding but " + told.what + "; its tensors are " + tensors,
                  told.call.empty() ? "get the embedding itself" : "read it with " + told.call);
    }
  }
  const auto& row = learned.rows.front();
  if (width > 0 && row.rows.size(1) != width)
    throw Error(file.string(), "its rows are " + width_shown(row.rows.size(1)) + "; wanted are " + width_shown(width),
                "get the embedding for this model");
  return learned;
}

/// The same for a model: rows of its text encoder's width.
template <DiffusionModel Model>
Learned import_embedding(const Model& model, const std::filesystem::path& file, std::string token = {}) {
  return import_embedding(file, std::move(token), model.text_encoder().embedding_table().size(1));
}

}  // namespace persona
