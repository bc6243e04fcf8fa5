#pragma once
// Files, good and bad, and what the reader must say of each.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cases {

/// The bytes of a file, and a part of the message that it must cause; empty: it is valid.
struct Case {
  std::string name{}, bytes{}, message{};
};

inline std::string length_of(std::uint64_t n) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((n >> (8 * i)) & 0xFF);
  return bytes;
}
inline std::string file(const std::string& header, const std::string& data = {}) {
  return length_of(header.size()) + header + data;
}
/// One tensor's entry: "a":{...}.
inline std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                          const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}
inline std::string object(const std::string& members) { return "{" + members + "}"; }
inline std::string bytes(std::size_t n) { return std::string(n, '\1'); }

/// A file with one F32 tensor "a" of four values, its header changed.
inline std::string with(const std::string& dtype, const std::string& shape, const std::string& offsets,
                        std::size_t data = 16) {
  return file(object("\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}"),
              bytes(data));
}

inline std::string repeated(const std::string& text, std::size_t n) {
  std::string result;
  for (std::size_t i = 0; i < n; ++i) result += text;
  return result;
}

inline std::vector<Case> all() {
  const auto good = tensor("a", "F32", "[4]", "[0,16]");
  const auto second = tensor("b", "F32", "[4]", "[16,32]");
  std::vector<Case> list;
  const auto add = [&](const char* name, std::string content, const char* message) {
    list.push_back({name, std::move(content), message});
  };

  add("S01 empty", "", "expected at least 8 bytes, have 0 (incomplete download?)");
  add("S01 seven bytes", bytes(7), "expected at least 8 bytes, have 7");
  add("S02 no header", length_of(0), "byte 8: the header must be a JSON object");
  add("S03 header past the end", length_of(100) + object(good),
      "expected a header of 100 bytes behind the first 8, have 55 (incomplete download?)");
  add("S04 header too long", length_of(100'000'001) + bytes(64),
      "give the header a length of 100000001, expected at most 100000000");
  add("S05 length 2^63", length_of(std::uint64_t{1} << 63) + bytes(64),
      "give the header a length of 9223372036854775808");
  add("S05 length 2^64 - 1", length_of(~std::uint64_t{0}) + bytes(64),
      "give the header a length of 18446744073709551615");

  add("S06 lone 0xFF", file(object(tensor("a\xFF", "F32", "[4]", "[0,16]")), bytes(16)), "expected a header in UTF-8");
  add("S06 overlong", file(object(tensor("a\xC0\xAF", "F32", "[4]", "[0,16]")), bytes(16)),
      "expected a header in UTF-8");
  add("S06 surrogate half", file(object(tensor("a\xED\xA0\x80", "F32", "[4]", "[0,16]")), bytes(16)),
      "expected a header in UTF-8");
  add("S06 above U+10FFFF", file(object(tensor("a\xF4\x90\x80\x80", "F32", "[4]", "[0,16]")), bytes(16)),
      "expected a header in UTF-8");
  add("S06 escaped surrogate half", file(object(tensor("\\ud800", "F32", "[4]", "[0,16]")), bytes(16)),
      "half of a surrogate pair");
  add("S06 two high halves", file(object(tensor("\\ud800\\ud800", "F32", "[4]", "[0,16]")), bytes(16)),
      "half of a surrogate pair");
  add("S07 not JSON", file("hello world"), "byte 8: the header must be a JSON object");
  add("S07 truncated", file("{" + good), "expected ',' or '}'");
  add("S07 string without end", file("{\"a"), "a string does not end");
  add("S07 backslash at the end", file("{\"a\\"), "an unknown escape in a string");
  add("S07 short escape", file("{\"\\u12"), "an escape \\u needs four hexadecimal digits");
  add("S07 text behind", file(object(good) + "x", bytes(16)), "expected nothing behind the header's '}'");
  add("S07 comma behind the last", file("{" + good + ",}", bytes(16)), "expected a name in quotes");
  add("S07 no colon", file("{\"a\" 1}"), "expected ':' after a name");
  add("S07 newline in a string", file("{\"a\nb\":1}"), "a control character in a string");
  add("S08 root is a list", file("[" + good + "]", bytes(16)), "the header must be a JSON object");
  add("S08 root is a string", file("\"abc\""), "the header must be a JSON object");
  add("S08 root is a number", file("12"), "the header must be a JSON object");
  add("S08 a tensor is a number", file("{\"a\":1}"), "expected an object for 'a'");
  add("S09 tensor twice, same place", file(object(good + "," + good), bytes(16)), "the tensor 'a' occurs twice");
  add("S09 tensor twice, two places", file(object(good + "," + tensor("a", "F32", "[4]", "[16,32]")), bytes(32)),
      "the tensor 'a' occurs twice");
  add("S09 tensor twice, one name escaped",
      file(object(good + "," + tensor("\\u0061", "F32", "[4]", "[16,32]")), bytes(32)), "the tensor 'a' occurs twice");
  add("S10 dtype twice",
      file(object("\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}"), bytes(16)),
      "the field 'dtype' of 'a' occurs twice");
  add("S10 shape twice",
      file(object("\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"shape\":[4],\"data_offsets\":[0,16]}"), bytes(16)),
      "the field 'shape' of 'a' occurs twice");
  add("S11 no dtype", file(object("\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}"), bytes(16)), "no 'dtype' of 'a'");
  add("S11 no shape", file(object("\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}"), bytes(16)),
      "no 'shape' of 'a'");
  add("S11 no data_offsets", file(object("\"a\":{\"dtype\":\"F32\",\"shape\":[4]}"), bytes(16)),
      "no 'data_offsets' of 'a'");
  add("S12 unknown dtype", with("\"F128\"", "[4]", "[0,16]"), "the dtype of 'a', 'F128', is none of the format's");
  add("S12 lower case", with("\"f32\"", "[4]", "[0,16]"), "the dtype of 'a', 'f32', is none of the format's");
  add("S12 dtype is a number", with("32", "[4]", "[0,16]"), "the dtype of 'a' must be a string");
  add("S13 shape is a number", with("\"F32\"", "4", "[0,16]"), "the shape of 'a' must be a list");
  for (const char* size : {"-1", "4.0", "4e0", "\"4\"", "true", "null", "-0", "04", "+4", ""})
    list.push_back({"S13 dimension " + std::string(size), with("\"F32\"", "[" + std::string(size) + ",1]", "[0,16]"),
                    "a dimension of 'a' must be a whole number from 0 on"});
  add("S14 no offsets", with("\"F32\"", "[4]", "[]"), "data_offsets of 'a' must be [begin, end], found 0 numbers");
  add("S14 one offset", with("\"F32\"", "[4]", "[16]"), "data_offsets of 'a' must be [begin, end], found 1 numbers");
  add("S14 three offsets", with("\"F32\"", "[4]", "[0,16,16]"),
      "data_offsets of 'a' must be [begin, end], found 3 numbers");
  add("S14 offsets are an object", with("\"F32\"", "[4]", "{}"), "data_offsets of 'a' must be a list");
  add("S15 end before begin", with("\"F32\"", "[4]", "[16,0]"), "a: data_offsets [16, 0] end before they begin");
  add("S15 begin behind the file", with("\"F32\"", "[4]", "[32,48]"),
      "a: data_offsets [32, 48] reach past the end: expected at least 48 bytes of data, have 16");
  add("S15 end behind the file", with("\"F32\"", "[8]", "[0,32]"),
      "expected at least 32 bytes of data, have 16 (incomplete download?)");
  add("S16 first begin is not 0", with("\"F32\"", "[4]", "[16,32]", 32),
      "a: data_offsets [16, 32] leave a hole: expected to begin at 0");
  add("S16 hole", file(object(good + "," + tensor("b", "F32", "[4]", "[20,36]")), bytes(36)),
      "b: data_offsets [20, 36] leave a hole: expected to begin at 16");
  add("S17 overlap", file(object(good + "," + tensor("b", "F32", "[4]", "[12,28]")), bytes(28)),
      "b: data_offsets [12, 28] overlap another tensor: expected to begin at 16");
  add("S17 the same range", file(object(good + "," + tensor("b", "F32", "[4]", "[0,16]")), bytes(16)),
      "data_offsets [0, 16] overlap another tensor");
  add("S18 appended zip", file(object(good), bytes(16) + "PK\5\6"),
      "expected 16 bytes of data by the header, have 20 (something was appended to the file)");
  add("S19 product overflows", with("\"F32\"", "[2,18446744073709551614]", "[0,16]"),
      "a dimension of 'a' is too large");
  add("S19 product of three overflows", with("\"F32\"", "[4611686018427387904,4611686018427387904,4]", "[0,16]"),
      "a shape that overflows");
  add("S20 bytes overflow", with("\"I32\"", "[2,9223372036854775807]", "[0,16]"), "a shape that overflows");
  add("S21 dimension above 2^63", with("\"F32\"", "[9223372036854775808]", "[0,16]"),
      "a dimension of 'a' is too large");
  add("S21 dimension above 2^64", with("\"F32\"", "[18446744073709551616]", "[0,16]"),
      "a dimension of 'a' is too large");
  add("S22 too few bytes", with("\"F32\"", "[5]", "[0,16]"),
      "a: data_offsets [0, 16] hold 16 bytes, expected 20 by shape and dtype");
  add("S22 too many bytes", with("\"F32\"", "[3]", "[0,16]"),
      "a: data_offsets [0, 16] hold 16 bytes, expected 12 by shape and dtype");
  add("S23 half a byte", with("\"F4\"", "[3]", "[0,1]", 1),
      "a: data_offsets [0, 1] and 12 bits, no whole number of bytes");
  add("S25 metadata is a number", file("{\"__metadata__\":1}"), "'__metadata__' must be an object of strings");
  add("S25 metadata is a list", file("{\"__metadata__\":[]}"), "'__metadata__' must be an object of strings");
  add("S25 a number in metadata", file("{\"__metadata__\":{\"steps\":3}}"), "the metadata 'steps' must be a string");
  add("S25 an object in metadata", file("{\"__metadata__\":{\"steps\":{}}}"), "the metadata 'steps' must be a string");
  add("S26 metadata twice", file("{\"__metadata__\":{},\"__metadata__\":{}}"), "'__metadata__' occurs twice");
  add("S26 metadata key twice", file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}"), "the metadata 'k' occurs twice");
  add("S29 deep nesting", file("{\"a\":{\"x\":" + repeated("[", 200'000) + repeated("]", 200'000) + "}}"),
      "nested too deep");
  add("S29 deep nesting of objects", file(repeated("{\"a\":", 200'000)), "nested too deep");
  add("S33 65 dimensions", with("\"F32\"", "[" + repeated("1,", 64) + "4]", "[0,16]"),
      "more than 64 dimensions of 'a'");
  const auto whole = file(object(good + "," + second), bytes(32));
  add("S35 cut by one byte", whole.substr(0, whole.size() - 1),
      "b: data_offsets [16, 32] reach past the end: expected at least 32 bytes of data, have 31 (incomplete "
      "download?)");
  add("S35 cut in half", whole.substr(0, whole.size() / 2), "incomplete download?");

  add("plain", file(object(good), bytes(16)), "");
  add("two", whole, "");
  add("nothing in it", file("{}"), "");
  add("S26 metadata null", file("{\"__metadata__\":null," + good + "}", bytes(16)), "");
  add("metadata",
      file("{\"__metadata__\":{\"format\":\"pt\",\"\\u00e9\\n\":\"\\ud83d\\ude00\"}," + good + "}", bytes(16)), "");
  add("S27 empty name", file(object(tensor("", "F32", "[4]", "[0,16]")), bytes(16)), "");
  add("S27 name with NUL", file(object(tensor("a\\u0000b", "F32", "[4]", "[0,16]")), bytes(16)), "");
  add("S27 name that is a path", file(object(tensor("../../etc/passwd", "F32", "[4]", "[0,16]")), bytes(16)), "");
  add("S27 name of a megabyte", file(object(tensor(std::string(1 << 20, 'n'), "F32", "[4]", "[0,16]")), bytes(16)), "");
  add("S24 F8", file(object(tensor("a", "F8_E4M3", "[4]", "[0,4]")), bytes(4)), "");
  add("S31 white space first", file(" \t\r\n" + object(good), bytes(16)), "");
  add("S31 white space last", file(object(good) + " \t\r\n", bytes(16)), "");
  add("S32 zero size",
      file(object(tensor("a", "F32", "[2,0]", "[0,0]") + "," + tensor("b", "U8", "[1]", "[0,1]")), bytes(1)), "");
  add("S32 no dimensions", file(object(tensor("a", "F32", "[]", "[0,4]")), bytes(4)), "");
  add("S33 64 dimensions", with("\"F32\"", "[" + repeated("1,", 63) + "4]", "[0,16]"), "");
  add("a field that the format does not have",
      file(
          object(
              "\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"x\":[{\"y\":-1.5e3},true,null,\"s\"],\"data_offsets\":[0,16]}"),
          bytes(16)),
      "");
  return list;
}

}  // namespace cases
