#pragma once

#include <persona/stable_diffusion/unicode.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace persona::detail {

// NFC, white space collapsed to one space, lower case: what CLIP's vocabulary was made from.
inline std::u32string clip_normalize(std::u32string_view text) {
  std::u32string normal;
  normal.reserve(text.size());
  bool space = false;
  for (const char32_t c : nfc(std::u32string(text))) {
    const bool was_space = std::exchange(space, is_space(c));
    if (!space) append_lower(normal, c);
    if (space && !was_space) normal.push_back(U' ');
  }
  return normal;
}

// Calls f(piece) for every match of
//   <\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
// in normalized text, left to right; what matches nothing is white space, and falls away.
template <class F>
void clip_split(std::u32string_view text, F&& f) {
  constexpr std::u32string_view specials[] = {U"startoftext", U"endoftext"};
  constexpr std::u32string_view endings[] = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  const auto run = [&](std::size_t at, auto&& is) {
    auto end = at + 1;
    while (end < text.size() && is(text[end])) ++end;
    return end - at;
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = text.substr(at);
    if (is_space(rest[0])) {
      ++at;
      continue;
    }
    if (rest[0] == U'<') {
      // The byte-level step that follows cuts such a match at its letters, so its parts are handed out at once.
      bool special = false;
      for (const auto name : specials) {
        if (!rest.starts_with(U"<|") || !rest.substr(2).starts_with(name) ||
            !rest.substr(2 + name.size()).starts_with(U"|>"))
          continue;
        f(std::u32string_view(U"<|"));
        f(name);
        f(std::u32string_view(U"|>"));
        at += name.size() + 4;
        special = true;
        break;
      }
      if (special) continue;
    }
    std::size_t length = 0;
    if (rest[0] == U'\'')
      for (const auto ending : endings)
        if (length == 0 && rest.starts_with(ending)) length = ending.size();
    if (length == 0) {
      if (is_letter(rest[0]))
        length = run(at, is_letter);
      else if (is_number(rest[0]))
        length = 1;
      else
        length = run(at, [](char32_t c) { return !is_space(c) && !is_letter(c) && !is_number(c); });
    }
    f(rest.substr(0, length));
    at += length;
  }
}

}  // namespace persona::detail
