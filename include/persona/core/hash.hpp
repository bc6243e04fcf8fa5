#pragma once

#include <persona/core/tensor.hpp>

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace persona {

/// A 64-bit fingerprint of bytes, continued from `seed`: tells whether things are the same, and is no protection against forgery.
inline std::uint64_t hash_bytes(std::span<const std::byte> bytes, std::uint64_t seed = 0) {
  constexpr std::uint64_t k = 0x9E3779B97F4A7C15ULL;
  const auto stir = [](std::uint64_t h, std::uint64_t v) {
    h = (h ^ v) * k;
    return h ^ (h >> 29);
  };
  // Four lanes, so that the multiplications of one need not wait for those of another.
  std::uint64_t lanes[4] = {seed ^ k, seed + 1, seed ^ (k << 1), seed + 3};
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    std::uint64_t words[4];
    std::memcpy(words, bytes.data() + at, 32);
    for (int i = 0; i < 4; ++i) lanes[i] = stir(lanes[i], words[i]);
  }
  std::uint64_t rest[4] = {};
  if (at < bytes.size()) std::memcpy(rest, bytes.data() + at, bytes.size() - at);
  std::uint64_t hash = stir(seed, bytes.size());
  for (int i = 0; i < 4; ++i) hash = stir(stir(hash, lanes[i]), rest[i]);
  return hash ^ (hash >> 32);
}

inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) { return hash_bytes(std::as_bytes(std::span(text)), seed); }

/// Of shape, dtype and values.
inline std::uint64_t hash_tensor(const Tensor& tensor, std::uint64_t seed = 0) {
  const auto copy = tensor.detach().cpu().contiguous();
  auto hash = hash_bytes(std::as_bytes(std::span(copy.sizes().data(), copy.sizes().size())), seed + static_cast<std::uint64_t>(copy.scalar_type()));
  return hash_bytes({static_cast<const std::byte*>(copy.const_data_ptr()), copy.nbytes()}, hash);
}

}  // namespace persona
