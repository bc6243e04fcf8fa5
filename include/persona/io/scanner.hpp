#pragma once

#include <persona/core/error.hpp>
#include <persona/io/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace persona::detail {

/// Walks over JSON text of a known grammar, strictly: what small fixed headers need, without a library and without
/// recursion that the text could steer. Every error names the file and the byte.
class JsonScanner {
 public:
  /// `text` stands at byte `offset` of `file`.
  JsonScanner(std::string_view text, std::string file, std::size_t offset = 0)
      : text_(text), file_(std::move(file)), offset_(offset) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(file_, "byte " + std::to_string(offset_ + at_) + ": " + what,
                "damaged, or written by a faulty program");
  }

  /// The next character behind white space; NUL at the end.
  char peek() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return current();
  }
  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c, const char* what) {
    if (!take(c)) fail(what);
  }
  void expect_end(const char* what) {
    peek();
    if (at_ != text_.size()) fail(what);
  }
  bool take_null() {
    peek();
    if (!text_.substr(at_).starts_with("null")) return false;
    at_ += 4;
    return true;
  }

  /// An object: calls f(name) with the cursor on each value.
  template <class F>
  void object(const char* what, F&& f) {
    expect('{', what);
    if (take('}')) return;
    do {
      const auto name = string("expected a name in quotes");
      expect(':', "expected ':' after a name");
      f(name);
    } while (take(','));
    expect('}', "expected ',' or '}'");
  }
  /// A list: calls f() with the cursor on each element.
  template <class F>
  void list(const std::string& what, F&& f) {
    if (!take('[')) fail(what + " must be a list");
    if (take(']')) return;
    do f();
    while (take(','));
    expect(']', "expected ',' or ']'");
  }

  std::string string(const char* what) {
    expect('"', what);
    std::string value;
    for (;;) {
      const auto end = text_.find_first_of(special, at_);
      if (end == std::string_view::npos) fail("a string does not end");
      value.append(text_, at_, end - at_);
      at_ = end + 1;
      if (text_[end] == '"') return value;
      if (text_[end] != '\\') fail("a control character in a string");
      escape(value);
    }
  }

  /// A whole number from 0 on: no sign, fraction, exponent or leading zero.
  std::uint64_t integer(const std::string& what) {
    peek();
    const auto start = at_;
    std::uint64_t value = 0;
    for (; is_digit(current()); ++at_) {
      const auto digit = static_cast<std::uint64_t>(current() - '0');
      if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) fail(what + " is too large");
      value = value * 10 + digit;
    }
    const bool leading_zero = at_ - start > 1 && text_[start] == '0';
    if (at_ == start || leading_zero || current() == '.' || current() == 'e' || current() == 'E')
      fail(what + " must be a whole number from 0 on");
    return value;
  }

  /// Any number.
  double real(const std::string& what) {
    peek();
    const auto start = at_;
    if (!is_digit(current()) && current() != '-') fail(what + " must be a number");
    number();
    double value = 0;
    const auto* const end = text_.data() + at_;
    const auto read = std::from_chars(text_.data() + start, end, value);
    if (read.ptr != end) fail(what + " must be a number");
    if (read.ec != std::errc()) fail(what + " is out of range");
    return value;
  }
  bool boolean(const std::string& what) {
    peek();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "true" : "false";
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    fail(what + " must be true or false");
  }

  /// Leaves out any value; what is nested deeper than 16 fails.
  void skip(int depth = 0) {
    if (depth > 16) fail("nested too deep");
    const char c = peek();
    if (c == '{') return object("", [&](const std::string&) { skip(depth + 1); });
    if (c == '[') return list("", [&] { skip(depth + 1); });
    if (c == '"') return void(string(""));
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return;
    }
    number();
  }

 private:
  // What ends a run of plain characters in a string: a quote, a backslash, a control character.
  static constexpr std::string_view special{
      "\"\\\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a"
      "\x1b"
      "\x1c\x1d\x1e\x1f",
      34};

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take_here(char c) {
    if (current() != c) return false;
    ++at_;
    return true;
  }
  void digits() {
    if (!is_digit(current())) fail("not a value");
    while (is_digit(current())) ++at_;
  }
  void number() {
    take_here('-');
    if (!take_here('0')) digits();
    if (take_here('.')) digits();
    if (take_here('e') || take_here('E')) {
      if (!take_here('+')) take_here('-');
      digits();
    }
  }

  void escape(std::string& value) {
    static constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    const char c = current();
    if (at_ < text_.size()) ++at_;
    if (c == 'u') return put_utf8(value, code_point());
    const auto index = names.find(c);
    if (index == std::string_view::npos) fail("an unknown escape in a string");
    value += values[index];
  }
  std::uint32_t code_point() {
    const auto high = hexadecimal();
    const bool surrogate = high >= 0xD800 && high <= 0xDFFF;
    if (!surrogate) return high;
    if (high > 0xDBFF || !take_here('\\') || !take_here('u')) fail("half of a surrogate pair");
    const auto low = hexadecimal();
    if (low < 0xDC00 || low > 0xDFFF) fail("half of a surrogate pair");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }
  std::uint32_t hexadecimal() {
    static constexpr std::string_view lower = "0123456789abcdef", upper = "0123456789ABCDEF";
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      auto digit = lower.find(current());
      if (digit == std::string_view::npos) digit = upper.find(current());
      if (digit == std::string_view::npos) fail("an escape \\u needs four hexadecimal digits");
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
  }

  std::string_view text_;
  std::string file_;
  std::size_t offset_;
  std::size_t at_ = 0;
};

/// `text` in JSON's quotes.
inline std::string json_string(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20) {
      out += {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace persona::detail
