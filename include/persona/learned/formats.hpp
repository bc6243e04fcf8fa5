#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/warning.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/learned/import_embedding.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/xti_file.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace persona {

/// Forms in which other tools read a learned embedding. Names of one value write the same file.
enum class Format {
  diffusers,  ///< TOKEN -> [n, D]: pipe.load_textual_inversion; AUTOMATIC1111, ComfyUI, kohya, stable-diffusion.cpp too
  emb_params,        ///< "emb_params" -> [n, D]; the file's stem is the trigger word
  kohya_xti,         ///< "IN01" ... "OUT11" -> [n, D]: rows for each of 16 layers, sd-scripts' XTI
  diffusers_vector,  ///< TOKEN -> [D], one vector alone: the form of diffusers that InvokeAI reads too

  automatic1111 = emb_params,         ///< the web UI, and ComfyUI
  kohya = emb_params,                 ///< sd-scripts
  invokeai = emb_params,              ///< any number of vectors
  stable_diffusion_cpp = emb_params,  ///< which copies rows as they are: fp32, as all forms here
};

namespace detail {
// A token as a file stem: what is not a letter, digit, '-' or '_' falls away, so that no token becomes a path.
inline std::string file_stem(const std::string& token) {
  std::string stem;
  for (const unsigned char c : token)
    if (std::isalnum(c) || c == '-' || c == '_' || c >= 0x80) stem += static_cast<char>(c);
  return stem.empty() ? "token" : stem;
}
}  // namespace detail

/// Writes one file a token into `folder` and returns their paths: "learned_embeds.safetensors" (or
/// "STEM.learned_embeds.safetensors" where there are several tokens) for diffusers, "STEM.safetensors" for the others.
/// Rows are fp32. Rows that differ by layer or timestep are collapsed, with a warning, where the form has one set of
/// rows. Throws Error where a form has no place for what was learned.
inline std::vector<std::filesystem::path> export_to(const Learned& learned, const std::filesystem::path& folder,
                                                    Format format) {
  if (learned.rows.empty()) throw Error("export_to", "no token was learned", "embedding files hold token rows alone");
  if (!learned.weights.empty())
    throw Error("export_to", "weights were learned beside the tokens, and an embedding file has no place for them",
                "export a Learned with .weights cleared, where the tokens alone are wanted");
  for (const LearnedRows& row : learned.rows)
    if (format == Format::diffusers_vector && row.vectors() != 1)
      throw Error("export_to",
                  "'" + row.token + "' has " + std::to_string(row.vectors()) + " vectors, and this form holds one",
                  "Format::emb_params holds any number, and InvokeAI reads it");
  make_folder(folder);
  std::vector<std::filesystem::path> written;
  for (const LearnedRows& row : learned.rows) {
    const auto stem = detail::file_stem(row.token);
    const bool flat = format == Format::diffusers_vector, diffusers = flat || format == Format::diffusers;
    const auto name = !diffusers ? stem : learned.rows.size() == 1 ? "learned_embeds" : stem + ".learned_embeds";
    std::map<std::string, std::string> metadata{{"format", "pt"}, {"token", row.token}};
    for (const auto& [key, value] : learned.metadata) metadata.emplace(key, value);
    metadata.erase("persona.kind");
    written.push_back(folder / (name + ".safetensors"));
    if (std::ranges::count(written, written.back()) > 1)
      throw Error("export_to", "two tokens would both be written to '" + written.back().string() + "'",
                  "give them names that differ in letters");
    if (format == Format::kohya_xti) {
      write_safetensors(written.back(), detail::xti_tensors(row), metadata);
      continue;
    }
    if (row.layered)
      warn("export_to", "the rows of '" + row.token + "' differ by layer or timestep, and this form holds one set",
           "their mean is written; Learned::save keeps all");
    const auto rows = collapsed(row).to(at::kCPU, at::kFloat).contiguous();
    write_safetensors(written.back(),
                      std::map<std::string, Tensor>{{diffusers ? row.token : "emb_params", flat ? rows[0] : rows}},
                      metadata);
  }
  return written;
}

}  // namespace persona
