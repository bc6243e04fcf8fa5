#pragma once

#include <persona/core/error.hpp>
#include <persona/io/utf8.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// One tensor of a safetensors file: its dtype as the file writes it ("F16"), its shape, and its bytes behind the
/// header.
struct SafeTensorInfo {
  std::string_view dtype{};  ///< one of the format's, for the whole program's life
  std::vector<std::int64_t> shape{};
  std::uint64_t begin = 0, end = 0;
};

namespace detail {

struct SafeTensorsDtype {
  std::string_view name{};  ///< empty: the format has no such dtype
  std::uint64_t bits = 0;
};

inline SafeTensorsDtype find_safetensors_dtype(std::string_view name) {
  static constexpr SafeTensorsDtype known[] = {
      {"BOOL", 8},    {"U8", 8},      {"I8", 8},          {"I16", 16},       {"U16", 16},    {"F16", 16},
      {"BF16", 16},   {"I32", 32},    {"U32", 32},        {"F32", 32},       {"I64", 64},    {"U64", 64},
      {"F64", 64},    {"C64", 64},    {"F4", 4},          {"F6_E2M3", 6},    {"F6_E3M2", 6}, {"F8_E5M2", 8},
      {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}};
  const auto found = std::ranges::find(known, name, &SafeTensorsDtype::name);
  return found == std::end(known) ? SafeTensorsDtype{} : *found;
}

/// Checks that the tensors fill the `data_size` bytes behind the header exactly, each as many as its shape and dtype
/// say.
inline void validate_layout(const std::map<std::string, SafeTensorInfo>& tensors, std::uint64_t data_size,
                            const std::string& file) {
  std::vector<std::pair<const SafeTensorInfo*, const std::string*>> order;
  order.reserve(tensors.size());
  for (const auto& [name, info] : tensors) order.emplace_back(&info, &name);
  std::ranges::sort(order, {}, [](const auto& entry) { return std::pair(entry.first->begin, entry.first->end); });
  std::uint64_t expected = 0;
  for (const auto& [info, name] : order) {
    const auto fail = [&, tensor = name, entry = info](const std::string& what, const std::string& hint = {}) {
      throw Error(file + ": " + printable(*tensor),
                  "data_offsets [" + std::to_string(entry->begin) + ", " + std::to_string(entry->end) + "] " + what,
                  hint);
    };
    if (info->end < info->begin) fail("end before they begin");
    if (info->end > data_size)
      fail("reach past the end: expected at least " + std::to_string(info->end) + " bytes of data, have " +
               std::to_string(data_size),
           "incomplete download?");
    if (info->begin < expected) fail("overlap another tensor: expected to begin at " + std::to_string(expected));
    if (info->begin > expected) fail("leave a hole: expected to begin at " + std::to_string(expected));
    std::uint64_t bits = find_safetensors_dtype(info->dtype).bits;
    for (const auto size : info->shape)
      if (__builtin_mul_overflow(bits, static_cast<std::uint64_t>(size), &bits)) fail("and a shape that overflows");
    if (bits % 8 != 0) fail("and " + std::to_string(bits) + " bits, no whole number of bytes");
    if (info->end - info->begin != bits / 8)
      fail("hold " + std::to_string(info->end - info->begin) + " bytes, expected " + std::to_string(bits / 8) +
           " by shape and dtype");
    expected = info->end;
  }
  if (expected != data_size)
    throw Error(
        file,
        "expected " + std::to_string(expected) + " bytes of data by the header, have " + std::to_string(data_size),
        "something was appended to the file");
}

}  // namespace detail

}  // namespace persona
