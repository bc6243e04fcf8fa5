#pragma once

#include <persona/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace persona {

namespace detail {

inline std::string fresh_suffix() {
  std::random_device device;
  static constexpr char digits[] = "0123456789abcdef";
  std::string suffix = ".tmp-";
  for (int i = 0; i < 12; ++i) suffix += digits[device() % 16];
  return suffix;
}

[[noreturn]] inline void fail_write(const std::filesystem::path& path, std::uint64_t bytes, int error) {
  std::string hint = "is the folder there, and may it be written to?";
  if (error == ENOSPC || error == EDQUOT) {
    std::error_code ignored;
    const auto space = std::filesystem::space(path.parent_path().empty() ? "." : path.parent_path(), ignored);
    hint = "needs " + std::to_string(bytes) + " bytes, " + std::to_string(ignored ? 0 : space.available) + " are free: make room and try again";
  }
  throw Error(path.string(), "cannot be written: " + std::string(std::strerror(error)), hint);
}

/// An open file descriptor, closed with it.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

inline void sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());  // some file systems cannot: the rename has happened all the same
}

inline void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path, std::uint64_t total) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write(path, total, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

}  // namespace detail

/// Writes a file whole or not at all: the parts go to a temporary file beside it, which is synced and renamed. An older file of
/// that name stays as it was until then. Throws Error naming the file, and the bytes needed where the disk is full.
inline void write_file_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts) {
  std::uint64_t total = 0;
  for (const auto& part : parts) total += part.size();
  auto temporary = path;
  temporary += detail::fresh_suffix();
  detail::Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (fd.get() < 0) detail::fail_write(path, total, errno);
  try {
    for (const auto& part : parts) detail::write_all(fd.get(), part, path, total);
    if (::fsync(fd.get()) != 0) detail::fail_write(path, total, errno);
    if (::close(fd.release()) != 0) detail::fail_write(path, total, errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) detail::fail_write(path, total, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  detail::sync_folder(path.parent_path());
}

inline void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const std::span<const std::byte> parts[] = {bytes};
  write_file_atomically(path, std::span<const std::span<const std::byte>>(parts));
}

inline void write_file_atomically(const std::filesystem::path& path, const std::string& text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

/// Makes a folder whole or not at all: `fill` writes into a fresh one beside it, which is synced and renamed. An older folder of that
/// name is kept until the new one is complete.
inline void write_directory_atomically(const std::filesystem::path& folder, const std::function<void(const std::filesystem::path& fresh)>& fill) {
  namespace fs = std::filesystem;
  const auto target = folder.has_filename() ? folder : folder.parent_path();  // "out/" is "out"
  auto fresh = target, old = target;
  const auto suffix = detail::fresh_suffix();
  fresh += suffix;
  old += suffix + "-old";
  std::error_code error;
  if (!target.parent_path().empty()) fs::create_directories(target.parent_path(), error);
  if (!fs::create_directory(fresh, error)) detail::fail_write(target, 0, error.value());
  try {
    fill(fresh);
    for (const auto& entry : fs::recursive_directory_iterator(fresh)) {
      const detail::Descriptor fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
      if (fd.get() >= 0 && ::fsync(fd.get()) != 0 && !entry.is_directory()) detail::fail_write(entry.path(), 0, errno);
    }
    detail::sync_folder(fresh);
    const bool replaces = fs::exists(target);
    if (replaces && ::rename(target.c_str(), old.c_str()) != 0) detail::fail_write(target, 0, errno);
    if (::rename(fresh.c_str(), target.c_str()) != 0) {
      const int failed = errno;
      if (replaces) ::rename(old.c_str(), target.c_str());
      detail::fail_write(target, 0, failed);
    }
    detail::sync_folder(target.parent_path());
    if (replaces) fs::remove_all(old, error);
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
}

}  // namespace persona
