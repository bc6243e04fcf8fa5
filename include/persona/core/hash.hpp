#pragma once

#include <persona/core/tensor.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace persona {

/// A 64-bit fingerprint of bytes, continued from `seed`: tells whether things are the same, and is no protection
/// against forgery.
inline std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed = 0) {
  constexpr std::uint64_t a = 0x9E3779B97F4A7C15ULL, b = 0xBF58476D1CE4E5B9ULL, c = 0x94D049BB133111EBULL;
  // The rotation brings high bits, which multiplications leave at the top, back to where the next one spreads them.
  const auto round = [](std::uint64_t lane, std::uint64_t word) { return std::rotl(lane + word * a, 31) * b; };
  // Four lanes, so that the multiplications of one need not wait for those of another.
  std::uint64_t lanes[4] = {seed + a, seed + b, seed + c, seed ^ c};
  const auto take = [&](const std::byte* from, std::size_t size) {
    std::uint64_t words[4] = {};
    if (size > 0) std::memcpy(words, from, size);
    for (int i = 0; i < 4; ++i) lanes[i] = round(lanes[i], words[i]);
  };
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) take(bytes.data() + at, 32);
  if (at < bytes.size()) take(bytes.data() + at, bytes.size() - at);
  std::uint64_t hash = round(seed, bytes.size());
  for (const auto lane : lanes) hash = round(hash ^ round(0, lane), c);
  hash = (hash ^ (hash >> 30)) * b;  // splitmix64's last steps
  hash = (hash ^ (hash >> 27)) * c;
  return hash ^ (hash >> 31);
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) {
  return hash_bytes(std::as_bytes(std::span(text)), seed);
}

/// Of shape, dtype and values.
inline std::uint64_t hash_tensor(const Tensor& tensor, std::uint64_t seed = 0) {
  const auto copy = tensor.detach().cpu().contiguous();
  auto hash = hash_bytes(std::as_bytes(std::span(copy.sizes().data(), copy.sizes().size())),
                         seed + static_cast<std::uint64_t>(copy.scalar_type()));
  return hash_bytes({static_cast<const std::byte*>(copy.const_data_ptr()), copy.nbytes()}, hash);
}

}  // namespace persona
