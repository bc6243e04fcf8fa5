#pragma once

#include <persona/core/error.hpp>
#include <persona/core/warning.hpp>
#include <persona/text/single_token.hpp>
#include <persona/text/tokenizer.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

/// A learned token as prompts write it, and how many rows stand in its place.
struct Placeholder {
  std::string token{};  ///< "<ada>", matched exactly, upper and lower case apart
  std::int64_t vectors = 1;
};

/// One position of a tokenized prompt that a learned row takes.
struct Slot {
  std::int64_t position = 0;  ///< in the padded prompt; 0 is BOS
  std::int64_t row = 0;       ///< in all placeholders' rows, one placeholder after the other
  friend bool operator==(const Slot&, const Slot&) = default;
};

/// A prompt as the text encoder reads it: BOS, ids, EOS, padding.
struct PromptTokens {
  std::vector<std::int64_t> ids{};  ///< max_length() of them; any id where a learned row goes
  std::vector<Slot> slots{};        ///< by position
  bool truncated = false;
  std::string lost{};  ///< what the end of the prompt said that did not fit; empty unless truncated
};

namespace detail {
// Is `token` a token by itself (of any kind), or one whole word of the vocabulary?
template <Tokenizer T>
bool in_vocabulary(const T& tokenizer, std::string_view token) {
  if constexpr (requires {
                  { tokenizer.contains(token) } -> std::convertible_to<bool>;
                })
    if (tokenizer.contains(token)) return true;
  const auto pieces = tokenizer.encode(token);
  auto piece = std::ranges::begin(pieces);
  if (piece == std::ranges::end(pieces)) return false;
  const std::int64_t first = *piece;
  if (++piece != std::ranges::end(pieces)) return false;
  return is_known(tokenizer, token, first);
}

template <Tokenizer T>
void check_placeholder(const T& tokenizer, const Placeholder& placeholder) {
  const auto& token = placeholder.token;
  if (token.find_first_not_of(" \t\r\n\v\f") == std::string::npos)
    throw Error("placeholder", "a learned token needs a name, got '" + token + "'", "such as <ada>");
  if (placeholder.vectors < 1)
    throw Error("placeholder", "'" + token + "' has " + std::to_string(placeholder.vectors) + " vectors", "1 or more");
  if (in_vocabulary(tokenizer, token))
    throw Error("placeholder", "'" + token + "' is already a token of the vocabulary",
                "every prompt with that word would change: choose one that is not, such as <" + token + ">");
}

inline Error equal_placeholders(const std::string& token) {
  return Error("placeholder", "two learned tokens are both called '" + token + "'", "give each its own");
}

// The longest placeholder that `text` starts with; -1: none.
inline std::ptrdiff_t placeholder_at(std::string_view text, std::span<const Placeholder> placeholders) {
  std::ptrdiff_t best = -1;
  for (std::size_t i = 0; i < placeholders.size(); ++i) {
    const std::string& token = placeholders[i].token;
    if (token.empty() || !text.starts_with(token)) continue;
    const auto length = best < 0 ? 0 : placeholders[static_cast<std::size_t>(best)].token.size();
    if (token.size() == length) throw equal_placeholders(token);
    if (token.size() > length) best = static_cast<std::ptrdiff_t>(i);
  }
  return best;
}

// What the ids after `keep` say: decoded where the tokenizer can, else counted.
template <Tokenizer T>
std::string lost_text(const T& tokenizer, std::span<const std::int64_t> lost) {
  if constexpr (requires {
                  { tokenizer.decode(lost) } -> std::convertible_to<std::string>;
                })
    return tokenizer.decode(lost);
  else
    return std::to_string(lost.size()) + " tokens";
}
}  // namespace detail

/// Throws Error when a learned token has no name or no vectors, is a token of the vocabulary already, or when two are
/// equal.
template <Tokenizer T>
void check_placeholders(const T& tokenizer, std::span<const Placeholder> placeholders) {
  std::vector<std::string_view> names;
  for (const Placeholder& placeholder : placeholders) {
    detail::check_placeholder(tokenizer, placeholder);
    names.push_back(placeholder.token);
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) throw detail::equal_placeholders(std::string(*twice));
}

/// Warns of what a prompt says beyond the tokens that the model reads.
inline void warn_if_truncated(const PromptTokens& tokens, std::string_view prompt) {
  if (tokens.truncated)
    warn("prompt '" + std::string(prompt) + "'",
         "only " + std::to_string(tokens.ids.size()) + " tokens are read, start and end among them; left out: '" +
             tokens.lost + "'",
         "say it in fewer words");
}

/// The ids of `prompt` with a slot for every row of every learned token in it, truncated and padded to max_length().
/// Learned tokens are found left to right, the longest first, also inside a word; the text between them is encoded
/// piece by piece. Throws Error when a token that occurs is unfit (check_placeholders) or when truncation loses one of
/// its rows.
template <Tokenizer T>
PromptTokens tokenize_prompt(const T& tokenizer, std::string_view prompt,
                             std::span<const Placeholder> placeholders = {}) {
  const std::int64_t length = tokenizer.max_length(), bos = tokenizer.bos_token_id();
  if (length < 2)
    throw Error("tokenize_prompt", "the tokenizer's max_length is " + std::to_string(length), "at least 2");

  std::vector<std::int64_t> first_row;
  std::int64_t rows = 0;
  for (const Placeholder& placeholder : placeholders) {
    first_row.push_back(rows);
    rows += placeholder.vectors;
  }

  PromptTokens tokens;
  tokens.ids.push_back(bos);
  std::size_t encoded = 0;
  const auto encode_until = [&](std::size_t end) {
    for (const std::int64_t id : tokenizer.encode(prompt.substr(encoded, end - encoded))) tokens.ids.push_back(id);
  };
  for (std::size_t at = 0; at < prompt.size() && !placeholders.empty();) {
    const auto found = detail::placeholder_at(prompt.substr(at), placeholders);
    if (found < 0) {
      ++at;
      continue;
    }
    const auto index = static_cast<std::size_t>(found);
    const Placeholder& placeholder = placeholders[index];
    detail::check_placeholder(tokenizer, placeholder);
    encode_until(at);
    encoded = at += placeholder.token.size();
    for (std::int64_t i = 0; i < placeholder.vectors; ++i) {
      tokens.slots.push_back({static_cast<std::int64_t>(tokens.ids.size()), first_row[index] + i});
      if (tokens.slots.back().position > length - 2)
        throw Error("tokenize_prompt",
                    "'" + placeholder.token + "' does not fit into the " + std::to_string(length) + " tokens of '" +
                        std::string(prompt) + "'",
                    "shorten the prompt before it");
      tokens.ids.push_back(
          bos);  // overwritten by the row; BOS, because encoders look for the first EOS and for padding
    }
  }
  encode_until(prompt.size());

  const auto kept = static_cast<std::size_t>(length - 1);
  if (tokens.ids.size() > kept) {
    tokens.truncated = true;
    tokens.lost = detail::lost_text(tokenizer, std::span<const std::int64_t>(tokens.ids).subspan(kept));
    tokens.ids.resize(kept);
  }
  tokens.ids.push_back(tokenizer.eos_token_id());
  tokens.ids.resize(static_cast<std::size_t>(length), tokenizer.pad_token_id());
  return tokens;
}

}  // namespace persona
