#pragma once

#include <persona/core/error.hpp>
#include <persona/io/utf8.hpp>
#include <persona/stable_diffusion/unicode.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace persona {

/// One line of a merges file: these two tokens, side by side, become their concatenation.
struct Merge {
  std::string left{}, right{};
  std::int64_t line = 0;  ///< of the file it came from, for messages; 0: from none
};

namespace detail {

// The printable code point that stands for each byte in a byte-level vocabulary: itself where it is printable Latin-1,
// else the next one from U+0100 on.
inline const std::array<char32_t, 256>& byte_alphabet() {
  static const auto alphabet = [] {
    std::array<char32_t, 256> table{};
    char32_t next = 256;
    for (char32_t b = 0; b < 256; ++b) {
      const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      table[b] = printable ? b : next++;
    }
    return table;
  }();
  return alphabet;
}

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// Byte-level byte-pair encoding with an end-of-word mark: a word starts as its bytes, the last one marked, and the pair
// of the lowest rank, leftmost first, is merged until no pair of the list is left.
class BytePairEncoding {
 public:
  static constexpr std::string_view end_of_word = "</w>";

  BytePairEncoding() = default;

  // `tokens` by id. Throws Error naming `source` and the line of a merge that is made of, or makes, no token.
  BytePairEncoding(std::vector<std::string> tokens, const std::vector<Merge>& merges, const std::string& source)
      : tokens_(std::move(tokens)) {
    for (std::size_t id = 0; id < tokens_.size(); ++id)
      if (!ids_.emplace(tokens_[id], static_cast<std::int64_t>(id)).second)
        throw Error(source, "the token '" + tokens_[id] + "' has the ids " + std::to_string(*find(tokens_[id])) +
                                " and " + std::to_string(id));
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::string symbol;
      put_utf8(symbol, byte_alphabet()[byte]);
      inside_[byte] = find(symbol).value_or(-1);
      at_end_[byte] = find(symbol.append(end_of_word)).value_or(-1);
    }
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const Merge& merge = merges[rank];
      const auto where =
          merge.line > 0 ? source + ":" + std::to_string(merge.line) : source + ", merge " + std::to_string(rank + 1);
      const auto id = [&](const std::string& token) {
        if (const auto known = find(token)) return *known;
        throw Error(where,
                    "the merge '" + merge.left + " " + merge.right + "' needs the token '" + token +
                        "', which the vocabulary does not have",
                    "vocabulary and merges belong to different models");
      };
      const auto pair = key(id(merge.left), id(merge.right));
      if (!merges_.emplace(pair, Merged{static_cast<std::int64_t>(rank), id(merge.left + merge.right)}).second)
        throw Error(where, "the merge '" + merge.left + " " + merge.right + "' stands there twice");
    }
    expect_made(source);
  }

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  std::optional<std::int64_t> find(std::string_view token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }

  // Appends the ids of one word; a byte that the vocabulary lacks becomes `unknown`. O(n log n) in the bytes of the
  // word.
  void encode(std::string_view word, std::int64_t unknown, std::vector<std::int64_t>& ids) const {
    std::vector<Symbol> symbols(word.size());
    for (std::size_t i = 0; i < word.size(); ++i) {
      const bool last = i + 1 == word.size();
      const auto id = (last ? at_end_ : inside_)[static_cast<unsigned char>(word[i])];
      symbols[i] = {id < 0 ? unknown : id, static_cast<std::int64_t>(i) - 1,
                    last ? -1 : static_cast<std::int64_t>(i) + 1};
    }
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto offer = [&](std::int64_t left) {
      if (left < 0 || symbols[at(left)].next < 0) return;
      const auto merged = merges_.find(key(symbols[at(left)].id, symbols[at(symbols[at(left)].next)].id));
      if (merged != merges_.end()) queue.push({merged->second.rank, left, merged->second.id});
    };
    for (std::size_t i = 0; i + 1 < word.size(); ++i) offer(static_cast<std::int64_t>(i));
    while (!queue.empty()) {
      const auto best = queue.top();
      queue.pop();
      Symbol& left = symbols[at(best.left)];
      if (left.id < 0 || left.next < 0) continue;
      Symbol& right = symbols[at(left.next)];
      const auto merged = merges_.find(key(left.id, right.id));
      if (merged == merges_.end() || merged->second.id != best.id) continue;  // one of the two has been merged away
      left.id = best.id;
      left.next = right.next;
      if (right.next >= 0) symbols[at(right.next)].previous = best.left;
      right.id = -1;
      offer(left.previous);
      offer(best.left);
    }
    for (std::int64_t i = symbols.empty() ? -1 : 0; i >= 0; i = symbols[at(i)].next) ids.push_back(symbols[at(i)].id);
  }

 private:
  // A merges file that was cut off reads well, and gives every longer word other tokens.
  void expect_made(const std::string& source) const {
    std::vector<bool> made(tokens_.size(), false);
    for (const auto& [pair, merged] : merges_) made[at(merged.id)] = true;
    for (const auto& table : {inside_, at_end_})
      for (const auto id : table)
        if (id >= 0) made[at(id)] = true;
    std::size_t unmade = 0, first = 0;
    for (std::size_t id = 0; id < tokens_.size(); ++id)
      if (!made[id] && !tokens_[id].starts_with("<|") && unmade++ == 0) first = id;
    constexpr std::size_t few = 32;  // tokens that somebody added by hand
    if (unmade > few)
      throw Error(source,
                  std::to_string(unmade) + " of the vocabulary's " + std::to_string(tokens_.size()) +
                      " tokens are made by no merge, '" + tokens_[first] + "' the first of them",
                  "the list of merges is cut off, or another model's");
  }

  struct Symbol {
    std::int64_t id = -1, previous = -1, next = -1;  // id -1: merged into its left neighbour
  };
  struct Merged {
    std::int64_t rank = 0, id = 0;
  };
  struct Candidate {
    std::int64_t rank = 0, left = 0, id = 0;
    friend auto operator<=>(const Candidate&, const Candidate&) = default;
  };

  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
  static std::uint64_t key(std::int64_t left, std::int64_t right) {
    return (static_cast<std::uint64_t>(left) << 32) | static_cast<std::uint64_t>(right);
  }

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>> ids_;
  std::unordered_map<std::uint64_t, Merged> merges_;
  std::array<std::int64_t, 256> inside_{}, at_end_{};
};

}  // namespace detail
}  // namespace persona
