#pragma once

#include <persona/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace persona::detail {

inline constexpr const char* unpickle =
    "load it in Python where you trust it, with torch.load(path, weights_only=True), and write it with "
    "safetensors.torch.save_file";

// Something of that name is there, be it a link that leads nowhere but to itself: opening it will say so.
inline bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::status(path, ignored).type() != std::filesystem::file_type::not_found;
}

/// Throws Error where the first bytes of a file of `size` bytes are those of a form that is not read here: Python
/// pickles (which can run code), GGUF, a Git LFS pointer, a web page. Says how to get what is needed.
inline void refuse_other_formats(std::span<const std::byte> start, std::uint64_t size, const std::string& file) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.starts_with("PK\x03\x04"))
    throw Error(file, "is a zip archive, as Python's torch.save writes: a pickle in it can run code, so it is not read",
                unpickle);
  if (text.size() > 1 && text[0] == '\x80' && text[1] >= '\x02' && text[1] <= '\x05') {
    // These can also be the low bytes of a safetensors header's length: then that many bytes are there, and begin as
    // JSON does.
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 8 && i < text.size(); ++i)
      length |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * i);
    const bool fits = text.size() > 8 && length <= size - 8;
    if (!fits || std::string_view("{ \t\r\n").find(text[8]) == std::string_view::npos)
      throw Error(file, "is a Python pickle, which can run code, so it is not read", unpickle);
  }
  if (text.starts_with("GGUF"))
    throw Error(file, "is a GGUF file, which is not read here", "get the model's safetensors files instead");
  if (text.starts_with("version https://git-lfs"))
    throw Error(file, "is a Git LFS pointer, not the file itself", "run 'git lfs pull' in the model's folder");
  const auto first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first == std::string_view::npos) return;
  for (const char* page : {"<!DOCTYPE", "<!doctype", "<html", "<HTML"})
    if (text.substr(first).starts_with(page))
      throw Error(file, "is a web page, not a model file", "the download was an error page, or needed a login");
}

}  // namespace persona::detail
