#pragma once

#include <persona/io/safetensors_info.hpp>
#include <persona/io/scanner.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace persona::detail {

/// What the header of a safetensors file says, before it is held against the file's size.
struct SafeTensorsHeader {
  std::map<std::string, SafeTensorInfo> tensors{};
  std::map<std::string, std::string> metadata{};
};

inline constexpr std::size_t max_safetensors_rank = 64;

/// The fields of one tensor; a field that the format does not have is left out, as its reference reader does.
inline SafeTensorInfo parse_tensor_info(JsonScanner& json, const std::string& name) {
  SafeTensorInfo info;
  bool dtype = false, shape = false, offsets = false;
  const auto of = " of '" + printable(name) + "'";
  const auto once = [&](bool& seen, const char* field) {
    if (std::exchange(seen, true)) json.fail("the field '" + std::string(field) + "'" + of + " occurs twice");
  };
  json.object(("expected an object for '" + printable(name) + "'").c_str(), [&](const std::string& field) {
    if (field == "dtype") {
      once(dtype, "dtype");
      const auto text = json.string(("the dtype" + of + " must be a string").c_str());
      info.dtype = find_safetensors_dtype(text).name;
      if (info.dtype.empty()) json.fail("the dtype" + of + ", '" + printable(text) + "', is none of the format's");
    } else if (field == "shape") {
      once(shape, "shape");
      json.list("the shape" + of, [&] {
        const auto size = json.integer("a dimension" + of);
        if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
          json.fail("a dimension" + of + " is too large");
        if (info.shape.size() == max_safetensors_rank) json.fail("more than 64 dimensions" + of);
        info.shape.push_back(static_cast<std::int64_t>(size));
      });
    } else if (field == "data_offsets") {
      once(offsets, "data_offsets");
      int count = 0;
      json.list("data_offsets" + of, [&] {
        const auto offset = json.integer("an offset" + of);
        if (count < 2) (count == 0 ? info.begin : info.end) = offset;
        ++count;
      });
      if (count != 2)
        json.fail("data_offsets" + of + " must be [begin, end], found " + std::to_string(count) + " numbers");
    } else {
      json.skip();
    }
  });
  const char* missing = !dtype ? "dtype" : !shape ? "shape" : !offsets ? "data_offsets" : nullptr;
  if (missing) json.fail("no '" + std::string(missing) + "'" + of);
  return info;
}

/// Reads a header's text, which stands at byte 8; throws Error naming file, byte and key where it is not the format's.
inline SafeTensorsHeader parse_safetensors_header(std::string_view text, const std::string& file) {
  SafeTensorsHeader header;
  JsonScanner json(text, file, 8);
  bool has_metadata = false;
  json.object("the header must be a JSON object", [&](const std::string& name) {
    if (name == "__metadata__") {
      if (std::exchange(has_metadata, true)) json.fail("'__metadata__' occurs twice");
      if (json.take_null()) return;
      json.object("'__metadata__' must be an object of strings", [&](const std::string& key) {
        const auto value = json.string(("the metadata '" + printable(key) + "' must be a string").c_str());
        if (!header.metadata.emplace(key, value).second)
          json.fail("the metadata '" + printable(key) + "' occurs twice");
      });
    } else if (header.tensors.contains(name)) {
      json.fail("the tensor '" + printable(name) + "' occurs twice");
    } else {
      header.tensors.emplace(name, parse_tensor_info(json, name));
    }
  });
  json.expect_end("expected nothing behind the header's '}'");
  return header;
}

}  // namespace persona::detail
