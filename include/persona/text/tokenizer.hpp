#pragma once

#include <concepts>
#include <cstdint>
#include <ranges>
#include <string_view>
#include <vector>

namespace persona {

namespace detail {
template <class T>
concept HasEncodeText = requires(const T& tokenizer, std::string_view text) {
  { tokenizer.encode(text) } -> std::ranges::input_range;
  requires std::convertible_to<std::ranges::range_value_t<decltype(tokenizer.encode(text))>, std::int64_t>;
};
template <class T>
concept HasSpecialIds = requires(const T& tokenizer) {
  { tokenizer.bos_token_id() } -> std::convertible_to<std::int64_t>;
  { tokenizer.eos_token_id() } -> std::convertible_to<std::int64_t>;
  { tokenizer.pad_token_id() } -> std::convertible_to<std::int64_t>;
};
template <class T>
concept HasMaxLength = requires(const T& tokenizer) {
  { tokenizer.max_length() } -> std::convertible_to<std::int64_t>;
};
}  // namespace detail

/// Text to ids: encode(text) gives ids without special tokens and without truncation; padding and learned tokens are
/// the library's business. Means: equal text, equal ids. Does not ask for a vocabulary or for decoding.
template <class T>
concept Tokenizer = detail::HasEncodeText<T> && detail::HasSpecialIds<T> && detail::HasMaxLength<T>;

/// The ids of start, end and padding.
template <class T>
std::vector<std::int64_t> special_tokens_of(const T& tokenizer) {
  return {tokenizer.bos_token_id(), tokenizer.eos_token_id(), tokenizer.pad_token_id()};
}

}  // namespace persona
