#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/scanner.hpp>
#include <persona/io/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

namespace detail {
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

struct StorableDtype {
  std::string_view name{};
  at::ScalarType type = at::kFloat;
};
/// What both the format and tensors hold, in the order in which files lay it out: the widest first, so that all stay
/// aligned.
inline constexpr StorableDtype storable_dtypes[] = {
    {"I64", at::kLong}, {"F64", at::kDouble}, {"F32", at::kFloat}, {"I32", at::kInt}, {"BF16", at::kBFloat16},
    {"F16", at::kHalf}, {"I16", at::kShort},  {"I8", at::kChar},   {"U8", at::kByte}, {"BOOL", at::kBool}};

// The eight bytes of a length, then the header, padded so that data begins at a multiple of eight.
inline std::string with_length(std::string header) {
  header.append((8 - header.size() % 8) % 8, ' ');
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  return bytes + header;
}
}  // namespace detail

/// Writes tensors and metadata as one safetensors file, all or nothing (see write_file_atomically). Throws Error naming
/// file and key where a name or dtype has no place in the format, and the bytes needed where the disk is full.
inline void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                              const std::map<std::string, std::string>& metadata = {{"format", "pt"}}) {
  struct Entry {
    const std::string* name;
    Tensor tensor;
    std::size_t rank;
  };
  std::vector<Entry> entries;
  const auto file = path.string();
  for (const auto& [name, tensor] : tensors) {
    const auto where = file + ": " + detail::printable(name);
    if (name.empty() || name == "__metadata__" || !detail::is_utf8(name))
      throw Error(where, "is no name for a tensor", "any UTF-8 text but '__metadata__'");
    if (!tensor.defined()) throw Error(where, "expected a tensor, got an undefined one");
    const auto type = std::ranges::find(detail::storable_dtypes, tensor.scalar_type(), &detail::StorableDtype::type);
    if (type == std::end(detail::storable_dtypes))
      throw Error(where, "expected a dtype of the format, got " + std::string(c10::toString(tensor.scalar_type())),
                  "convert it to F32 or another one");
    const auto rank = static_cast<std::size_t>(type - std::begin(detail::storable_dtypes));
    entries.push_back({&name, tensor.detach().cpu().contiguous(), rank});
  }
  std::ranges::stable_sort(entries, {}, &Entry::rank);

  std::string header;
  const auto member = [&header](const std::string& name, const std::string& value) {
    header += (header.empty() ? "{" : ",") + detail::json_string(name) + ":" + value;
  };
  if (!metadata.empty()) {
    std::string object;
    for (const auto& [key, value] : metadata) {
      if (!detail::is_utf8(key) || !detail::is_utf8(value))
        throw Error(file, "the metadata '" + detail::printable(key) + "' is not UTF-8");
      object += (object.empty() ? "" : ",") + detail::json_string(key) + ":" + detail::json_string(value);
    }
    member("__metadata__", "{" + object + "}");
  }
  std::uint64_t offset = 0;
  std::vector<std::span<const std::byte>> parts(1);
  for (const Entry& entry : entries) {
    const std::uint64_t bytes = entry.tensor.nbytes();
    std::string shape;
    for (const auto size : entry.tensor.sizes()) shape += (shape.empty() ? "" : ",") + std::to_string(size);
    member(*entry.name, "{\"dtype\":\"" + std::string(detail::storable_dtypes[entry.rank].name) + "\",\"shape\":[" +
                            shape + "],\"data_offsets\":[" + std::to_string(offset) + "," +
                            std::to_string(offset + bytes) + "]}");
    parts.emplace_back(static_cast<const std::byte*>(entry.tensor.const_data_ptr()), bytes);
    offset += bytes;
  }
  const auto start = detail::with_length((header.empty() ? "{" : header) + "}");
  if (start.size() - 8 > detail::max_safetensors_header)
    throw Error(file, "expected a header of at most 100000000 bytes, it needs " + std::to_string(start.size() - 8),
                "write several files");
  parts.front() = std::as_bytes(std::span(start));
  write_file_atomically(path, std::span<const std::span<const std::byte>>(parts));
}

}  // namespace persona
