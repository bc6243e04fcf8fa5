#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace persona {

/// A token found in the text before it is split into words, as transformers' AddedToken.
struct AddedToken {
  std::string content{};
  bool special = false;
  bool normalized =
      false;  ///< found in the normalized text ("<Ada>" then also finds "<ada>"), else in the text as typed
  friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

namespace detail {

// Finds a set of strings in a text: leftmost first, the longest of those that start there; of equal ones the first
// given.
class TokenFinder {
 public:
  void add(std::u32string pattern, std::int64_t id) {
    if (pattern.empty()) return;
    auto& bucket = by_first_[pattern[0]];
    const auto place =
        std::ranges::find_if(bucket, [&](const auto& known) { return known.pattern.size() < pattern.size(); });
    bucket.insert(place, {std::move(pattern), id});
  }
  bool empty() const { return by_first_.empty(); }

  // Calls between(text) for every stretch without a match and found(id) for every match, in order.
  template <class Between, class Found>
  void split(std::u32string_view text, Between&& between, Found&& found) const {
    std::size_t start = 0;
    for (std::size_t at = 0; at < text.size() && !empty();) {
      const Entry* match = match_at(text.substr(at));
      if (!match) {
        ++at;
        continue;
      }
      if (at > start) between(text.substr(start, at - start));
      found(match->id);
      start = at += match->pattern.size();
    }
    if (start < text.size()) between(text.substr(start));
  }

 private:
  struct Entry {
    std::u32string pattern;
    std::int64_t id = 0;
  };

  const Entry* match_at(std::u32string_view text) const {
    const auto bucket = by_first_.find(text[0]);
    if (bucket == by_first_.end()) return nullptr;
    for (const Entry& entry : bucket->second)
      if (text.starts_with(entry.pattern)) return &entry;
    return nullptr;
  }

  std::unordered_map<char32_t, std::vector<Entry>> by_first_;  // longest first
};

}  // namespace detail
}  // namespace persona
