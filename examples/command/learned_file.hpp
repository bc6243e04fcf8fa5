#pragma once
// A learned thing from whatever file holds it.

#include "command/methods.hpp"

#include <persona/io/describe_file.hpp>

#include <filesystem>
#include <string>

namespace command {

/// How prompts call what was learned, in the file's metadata: "<one>", "<one> person", "sks cat".
inline constexpr const char* called_key = "persona.called";

inline bool holds_rows_alone(persona::FileKind kind) {
  using persona::FileKind;
  return kind == FileKind::embedding_diffusers || kind == FileKind::embedding_emb_params ||
         kind == FileKind::embedding_sdxl || kind == FileKind::embedding_layers;
}
inline bool holds_weights(persona::FileKind kind) {
  using persona::FileKind;
  return kind == FileKind::lora || kind == FileKind::differences || kind == FileKind::spectral_shifts ||
         kind == FileKind::custom_diffusion;
}

/// persona's own form, an embedding, or changes of weights, which need the model whose weights they change; `token`
/// names an embedding's.
inline persona::Learned read_learned(const std::filesystem::path& file, const Model* model, const std::string& token) {
  const auto told = persona::describe_file(file);
  if (told.kind == persona::FileKind::learned) {
    auto learned = persona::Learned::load(file);
    if (!token.empty() && learned.rows.size() == 1) {
      auto& row = learned.rows.front();
      if (const auto called = learned.metadata.find(called_key); called != learned.metadata.end())
        if (const auto at = called->second.find(row.token); at != std::string::npos)
          called->second.replace(at, row.token.size(), token);
      row.token = token;
    }
    return learned;
  }
  if (holds_rows_alone(told.kind))
    return model ? persona::import_embedding(*model, file, token) : persona::import_embedding(file, token);
  if (holds_weights(told.kind)) {
    if (!model)
      throw persona::Error("--model",
                           file.string() + " is " + told.what + ", whose names are those of a model's weights",
                           "give the model that it was learned on");
    return persona::import_weights(*model, file);
  }
  throw persona::Error(file.string(), "is " + told.what + ", which is nothing learned",
                       "persona inspect " + file.string() + " says more");
}

}  // namespace command
