#pragma once

#include <persona/core/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace persona::detail {

/// Throws Error where the first bytes are those of a form that is not read here: Python pickles (which can run code), GGUF, a Git LFS
/// pointer, a web page. Says how to get what is needed.
inline void refuse_other_formats(std::span<const std::byte> start, const std::string& file) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  const auto convert = "load it in Python where you trust it, with torch.load(path, weights_only=True), and write it with safetensors.torch.save_file";
  if (text.starts_with("PK\x03\x04")) throw Error(file, "is a zip archive, as Python's torch.save writes: a pickle inside can run code, so it is not read", convert);
  // Protocols 2 to 5. As a header length these bytes would claim at least 32 KiB: a real one has zeros behind them.
  if (text.size() > 2 && text[0] == '\x80' && text[1] >= '\x02' && text[1] <= '\x05' && text.substr(2, 6).find_first_not_of('\0') != std::string_view::npos)
    throw Error(file, "is a Python pickle, which can run code, so it is not read", convert);
  if (text.starts_with("GGUF")) throw Error(file, "is a GGUF file", "get the safetensors files of the model instead");
  if (text.starts_with("version https://git-lfs")) throw Error(file, "is a Git LFS pointer, not the file itself", "run 'git lfs pull' in the model's folder");
  const auto first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && (text.substr(first).starts_with("<!DOCTYPE") || text.substr(first).starts_with("<!doctype") || text.substr(first).starts_with("<html")))
    throw Error(file, "is a web page, not a model file", "the download was an error page, or needed a login");
}

}  // namespace persona::detail
