#pragma once
// What the tokenizer asks of Unicode, through utf8proc; text is a row of code points between decode_utf8 and
// put_utf8.

#include <persona/core/error.hpp>

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace persona::detail {

// The code point at text[at] and its length in bytes; length 0: no code point, `skip` is the length of the broken
// start.
struct Utf8Step {
  char32_t code = 0;
  std::size_t length = 0, skip = 0;
};

inline Utf8Step next_utf8(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at);
  if (lead < 0x80) return {.code = lead, .length = 1};
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0) return {.skip = 1};
  char32_t code = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    // The second byte alone decides about overlong forms, surrogates and code points past U+10FFFF.
    const unsigned low = i > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = i > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (at + i >= text.size() || byte(at + i) < low || byte(at + i) > high) return {.skip = i};
    code = (code << 6) | (byte(at + i) & 0x3Fu);
  }
  return {.code = code, .length = length};
}

// Throws Error with the byte's position where `text` is not UTF-8.
inline std::u32string decode_utf8(std::string_view text, const std::string& where) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::u32string codes;
  codes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto step = next_utf8(text, at);
    if (step.length == 0) {
      const auto byte = static_cast<unsigned char>(text[at]);
      throw Error(where,
                  std::string("invalid UTF-8 at byte ") + std::to_string(at) + ": 0x" + hex[byte >> 4] + hex[byte & 15],
                  "save the text as UTF-8");
    }
    codes.push_back(step.code);
    at += step.length;
  }
  return codes;
}

// Unicode's White_Space, which is what \s means in the split rule.
constexpr bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}
inline bool is_letter(char32_t c) {  // \p{L}
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}
inline bool is_number(char32_t c) {  // \p{N}
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

// The full, context-free lower case: U+0130 is the only code point that becomes two. A final sigma is like any other.
inline void append_lower(std::u32string& text, char32_t c) {
  if (c == 0x130) {
    text += U"i\u0307";
  } else {
    text.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

// Normalization form C, in O(n log n) whatever the text: utf8proc's own ordering of marks is quadratic in a run of
// them.
inline std::u32string nfc(std::u32string text) {
  if (std::ranges::all_of(text, [](char32_t c) { return c < 0x300; })) return text;
  std::vector<utf8proc_int32_t> codes;
  codes.reserve(text.size() + text.size() / 2);
  for (const char32_t c : text) {
    std::array<utf8proc_int32_t, 32> parts{};
    int boundary = 0;
    const auto n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(),
                                           UTF8PROC_DECOMPOSE, &boundary);
    codes.insert(codes.end(), parts.begin(), parts.begin() + std::max<std::ptrdiff_t>(n, 0));
  }
  const auto combining = [](utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; };
  std::vector<std::tuple<int, std::size_t, utf8proc_int32_t>>
      marks;  // class, place, code: in canonical order when sorted
  for (std::size_t first = 0, last = 0; first < codes.size(); first = last + 1) {
    marks.clear();
    for (last = first; last < codes.size() && combining(codes[last]) != 0; ++last)
      marks.emplace_back(combining(codes[last]), last, codes[last]);
    std::ranges::sort(marks);
    for (const auto& [order, place, code] : marks) codes[first++] = code;
  }
  const auto length = utf8proc_normalize_utf32(codes.data(), static_cast<utf8proc_ssize_t>(codes.size()),
                                               static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  if (length < 0) throw Error("CLIPTokenizer", std::string("utf8proc: ") + utf8proc_errmsg(length));
  return {codes.begin(), codes.begin() + length};
}

}  // namespace persona::detail
