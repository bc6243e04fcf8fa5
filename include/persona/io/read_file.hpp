#pragma once

#include <persona/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace persona {

/// The bytes of a regular file; throws Error naming it where it is missing, no file, or larger than `limit`.
inline std::vector<std::byte> read_file(const std::filesystem::path& path,
                                        std::uint64_t limit = std::uint64_t{1} << 30) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw Error(path.string(), "is not there");
  // A pipe or a device would be waited for.
  if (!std::filesystem::is_regular_file(status)) throw Error(path.string(), "is not a file");
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw Error(path.string(), "cannot be read: " + error.message());
  if (size > limit)
    throw Error(path.string(), "has " + std::to_string(size) + " bytes, the limit is " + std::to_string(limit));
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file || static_cast<std::uint64_t>(file.gcount()) != size)
    throw Error(path.string(), "cannot be read", "may you read it?");
  return bytes;
}

}  // namespace persona
