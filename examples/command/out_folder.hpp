#pragma once
// The folder that a command writes into.

#include <persona/core/error.hpp>

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace command {

/// The folder, or the nearest one above it that there is; throws Error where it could not be written into.
inline std::filesystem::path expect_writable(const std::string& out) {
  if (out.empty()) throw persona::Error("--out", "is empty", "give a folder");
  std::error_code error;
  auto folder = std::filesystem::absolute(out).lexically_normal();
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  if (!std::filesystem::is_directory(folder, error))
    throw persona::Error("--out " + out, folder.string() + " is not a folder", "give another");
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw persona::Error("--out " + out, folder.string() + " may not be written into", "give another");
  return folder;
}

/// Makes the folder; throws Error where that is not possible.
inline std::filesystem::path make_folder(const std::filesystem::path& out) {
  expect_writable(out.string());
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) throw persona::Error("--out " + out.string(), "cannot be made: " + error.message(), "give another");
  return out;
}

}  // namespace command
