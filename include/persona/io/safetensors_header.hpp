#pragma once
// The JSON header of a safetensors file, parsed strictly and validated whole before a byte of tensor data is read. The grammar is small and
// fixed, so that no JSON library is needed, and a hostile header can neither nest nor allocate beyond its own size.

#include <persona/core/error.hpp>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// One tensor of a safetensors file: its dtype as the file writes it ("F16"), its shape, and its bytes behind the header.
struct SafeTensorInfo {
  std::string dtype{};
  std::vector<std::int64_t> shape{};
  std::uint64_t begin = 0, end = 0;
};

namespace detail {

/// Bits of one element; 0 where the format has no such dtype.
inline std::uint64_t dtype_bits(std::string_view dtype) {
  static constexpr std::pair<std::string_view, std::uint64_t> known[] = {
      {"BOOL", 8}, {"U8", 8}, {"I8", 8}, {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32}, {"U32", 32}, {"F32", 32},
      {"F64", 64}, {"I64", 64}, {"U64", 64}, {"C64", 64}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F8_E5M2", 8}, {"F8_E4M3", 8},
      {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}};
  for (const auto& [name, bits] : known)
    if (name == dtype) return bits;
  return 0;
}

inline bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(i + k < text.size() ? text[i + k] : 0); };
    const auto follows = [&](std::size_t k) { return (byte(k) & 0xC0U) == 0x80U; };
    const auto first = byte(0);
    if (first < 0x80) i += 1;
    else if (first >= 0xC2 && first <= 0xDF && follows(1)) i += 2;
    else if (first >= 0xE0 && first <= 0xEF && follows(1) && follows(2) && !(first == 0xE0 && byte(1) < 0xA0) && !(first == 0xED && byte(1) > 0x9F)) i += 3;
    else if (first >= 0xF0 && first <= 0xF4 && follows(1) && follows(2) && follows(3) && !(first == 0xF0 && byte(1) < 0x90) && !(first == 0xF4 && byte(1) > 0x8F)) i += 4;
    else return false;
  }
  return true;
}

inline void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 63))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 63)), static_cast<char>(0x80 | (c & 63))};
  } else {
    out += {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 63)), static_cast<char>(0x80 | ((c >> 6) & 63)), static_cast<char>(0x80 | (c & 63))};
  }
}

/// Reads the header's text; every error names the file and the byte.
class SafeTensorsHeaderParser {
 public:
  SafeTensorsHeaderParser(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

  void parse(std::map<std::string, SafeTensorInfo>& tensors, std::map<std::string, std::string>& metadata) {
    space();
    expect('{', "the header must be a JSON object");
    bool seen_metadata = false;
    members([&](const std::string& name) {
      if (name == "__metadata__") {
        if (std::exchange(seen_metadata, true)) fail("'__metadata__' occurs twice");
        parse_metadata(metadata);
      } else if (const auto [at, fresh] = tensors.emplace(name, SafeTensorInfo{}); fresh) {
        parse_tensor(name, at->second);
      } else {
        fail("the tensor '" + shown(name) + "' occurs twice");
      }
    });
    space();
    if (at_ != text_.size()) fail("text after the header's closing brace");
  }

  /// A name as an error message may show it.
  static std::string shown(std::string_view name) {
    std::string safe;
    for (const unsigned char c : name.substr(0, 120)) safe += c < 0x20 || c == 0x7F ? '?' : static_cast<char>(c);
    return name.size() > 120 ? safe + "..." : safe;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(file_, "not a valid safetensors header at byte " + std::to_string(8 + at_) + ": " + what, "the file is damaged, or was written by a faulty program");
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  void expect(char c, const char* what) {
    space();
    if (peek() != c || at_ == text_.size()) fail(what);
    ++at_;
  }
  bool take(char c) {
    space();
    if (at_ == text_.size() || peek() != c) return false;
    ++at_;
    return true;
  }

  // Behind '{': calls f(name) with the cursor on each value.
  template <class F>
  void members(F&& f) {
    if (take('}')) return;
    do {
      space();
      const auto name = string();
      expect(':', "expected ':' after a name");
      space();
      f(name);
    } while (take(','));
    expect('}', "expected ',' or '}'");
  }

  std::string string() {
    if (peek() != '"') fail("expected a string");
    ++at_;
    std::string value;
    for (;;) {
      if (at_ >= text_.size()) fail("a string does not end");
      const char c = text_[at_++];
      if (c == '"') return value;
      if (static_cast<unsigned char>(c) < 0x20) fail("a control character in a string");
      if (c != '\\') {
        value += c;
        continue;
      }
      const char escaped = peek();
      ++at_;
      static constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
      if (const auto index = from.find(escaped); index != std::string_view::npos && escaped != '\0') value += to[index];
      else if (escaped == 'u') append_utf8(value, unicode());
      else fail("an unknown escape in a string");
    }
  }
  std::uint32_t hex4() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const auto c = static_cast<unsigned char>(peek());
      if (!std::isxdigit(c)) fail("an escape \\u needs four hexadecimal digits");
      value = value * 16 + static_cast<std::uint32_t>(std::isdigit(c) ? c - '0' : std::tolower(c) - 'a' + 10);
      ++at_;
    }
    return value;
  }
  std::uint32_t unicode() {
    const auto high = hex4();
    if (high >= 0xDC00 && high <= 0xDFFF) fail("half of a surrogate pair");
    if (high < 0xD800 || high > 0xDBFF) return high;
    if (text_.substr(at_, 2) != "\\u") fail("half of a surrogate pair");
    at_ += 2;
    const auto low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail("half of a surrogate pair");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }
  std::uint64_t integer(const char* what) {
    const auto start = at_;
    std::uint64_t value = 0;
    while (std::isdigit(static_cast<unsigned char>(peek()))) {
      const auto digit = static_cast<std::uint64_t>(peek() - '0');
      if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) fail(std::string(what) + " is too large");
      value = value * 10 + digit;
      ++at_;
    }
    const bool leading_zero = at_ - start > 1 && text_[start] == '0';
    if (at_ == start || leading_zero || peek() == '.' || peek() == 'e' || peek() == 'E') fail(std::string(what) + " must be a non-negative integer");
    return value;
  }
  template <class F>
  void list(const char* what, F&& f) {
    if (!take('[')) fail(std::string(what) + " must be a list");
    if (take(']')) return;
    do {
      space();
      f();
    } while (take(','));
    expect(']', "expected ',' or ']'");
  }

  void parse_metadata(std::map<std::string, std::string>& metadata) {
    if (text_.substr(at_, 4) == "null") {
      at_ += 4;
      return;
    }
    expect('{', "'__metadata__' must be an object of strings");
    members([&](const std::string& key) {
      if (peek() != '"') fail("the metadata '" + shown(key) + "' must be a string");
      if (!metadata.emplace(key, string()).second) fail("the metadata '" + shown(key) + "' occurs twice");
    });
  }

  void parse_tensor(const std::string& name, SafeTensorInfo& info) {
    const auto label = "'" + shown(name) + "'";
    expect('{', "each tensor must be an object");
    std::set<std::string> fields;
    members([&](const std::string& field) {
      if (!fields.insert(field).second) fail(label + " has the field '" + shown(field) + "' twice");
      if (field == "dtype") {
        if (peek() != '"') fail("the dtype of " + label + " must be a string");
        info.dtype = string();
        if (dtype_bits(info.dtype) == 0) fail("the dtype of " + label + ", '" + shown(info.dtype) + "', is none of the format's");
      } else if (field == "shape") {
        list("a shape", [&] {
          const auto size = integer("a dimension");
          if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) fail("a dimension of " + label + " is too large");
          if (info.shape.size() == 64) fail(label + " has more than 64 dimensions");
          info.shape.push_back(static_cast<std::int64_t>(size));
        });
      } else if (field == "data_offsets") {
        std::vector<std::uint64_t> offsets;
        list("data_offsets", [&] {
          if (offsets.size() == 2) fail("data_offsets of " + label + " must be [begin, end]");
          offsets.push_back(integer("an offset"));
        });
        if (offsets.size() != 2) fail("data_offsets of " + label + " must be [begin, end]");
        info.begin = offsets[0], info.end = offsets[1];
      } else {
        fail(label + " has the unknown field '" + shown(field) + "'");
      }
    });
    for (const char* needed : {"dtype", "shape", "data_offsets"})
      if (!fields.contains(needed)) fail(label + " has no '" + needed + "'");
  }

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0;
};

/// Checks that the tensors fill the `data_size` bytes behind the header exactly, each as many as its shape and dtype say.
inline void validate_layout(const std::map<std::string, SafeTensorInfo>& tensors, std::uint64_t data_size, const std::string& file) {
  std::vector<std::pair<const SafeTensorInfo*, const std::string*>> order;
  for (const auto& [name, info] : tensors) order.emplace_back(&info, &name);
  std::ranges::sort(order, [](const auto& a, const auto& b) { return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end); });
  std::uint64_t expected = 0;
  for (const auto& [info, name] : order) {
    const auto label = file + ": " + SafeTensorsHeaderParser::shown(*name);
    const auto range = "[" + std::to_string(info->begin) + ", " + std::to_string(info->end) + "]";
    if (info->end < info->begin) throw Error(label, "data_offsets " + range + " end before they begin");
    if (info->end > data_size)
      throw Error(label, "data_offsets " + range + " reach past the " + std::to_string(data_size) + " bytes that the file holds", "incomplete download?");
    if (info->begin != expected)
      throw Error(label, std::string(info->begin < expected ? "overlaps the tensor before it" : "leaves a hole before it") + ": begins at " + std::to_string(info->begin) + ", expected " + std::to_string(expected));
    std::uint64_t bits = dtype_bits(info->dtype);
    for (const auto size : info->shape)
      if (__builtin_mul_overflow(bits, static_cast<std::uint64_t>(size), &bits)) throw Error(label, "its shape overflows");
    if (bits % 8 != 0) throw Error(label, "its " + std::to_string(bits) + " bits are no whole number of bytes");
    if (info->end - info->begin != bits / 8)
      throw Error(label, "expected " + std::to_string(bits / 8) + " bytes by its shape and dtype, data_offsets give " + std::to_string(info->end - info->begin));
    expected = info->end;
  }
  if (expected != data_size)
    throw Error(file, "expected " + std::to_string(expected) + " bytes of data by the header, the file holds " + std::to_string(data_size),
                data_size < expected ? "incomplete download?" : "something was appended to it");
}

}  // namespace detail

}  // namespace persona
