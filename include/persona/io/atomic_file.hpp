#pragma once

#include <persona/core/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace persona {

namespace detail {

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

inline std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

inline constexpr std::string_view temporary_mark = ".tmp-";
inline constexpr int temporary_digits = 12;

// A name beside `path` that no other writer takes.
inline std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static constexpr char digits[] = "0123456789abcdef";
  std::random_device device;
  std::string suffix(temporary_mark);
  for (int i = 0; i < temporary_digits; ++i) suffix += digits[device() % 16];
  return path.native() + suffix;
}

// Whether a path has such a name: what a writer that was killed has left behind.
inline bool is_temporary(const std::filesystem::path& path) {
  const auto name = path.filename().string();
  const auto tail = temporary_mark.size() + temporary_digits;
  return name.size() > tail && name.compare(name.size() - tail, temporary_mark.size(), temporary_mark) == 0 &&
         name.find_first_not_of("0123456789abcdef", name.size() - temporary_digits) == name.npos;
}

// `bytes` 0: it is not known how many are needed.
[[noreturn]] inline void fail_write(const std::filesystem::path& path, std::uint64_t bytes, int error) {
  std::string hint = "is the folder there, and may it be written to?";
  if (error == ENOSPC || error == EDQUOT) {
    std::error_code unknown;
    const auto space = std::filesystem::space(folder_of(path), unknown);
    hint = (bytes ? "it needs " + std::to_string(bytes) + " bytes, " : std::string()) +
           (unknown ? std::string() : std::to_string(space.available) + " bytes are free: ") +
           "make room and try again";
  }
  throw Error(path.string(), "cannot be written: " + std::string(std::strerror(error)), hint);
}

inline void sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());  // some file systems cannot: the rename has happened all the same
}

inline void write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path,
                      std::uint64_t total) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_write(path, total, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

// Puts the folder `fresh` in the place of `target`. Where the kernel can exchange two names, one of them is there at
// every moment; else there is an instant in which the older folder has its name beside `target` alone.
inline void replace_folder(const std::filesystem::path& fresh, const std::filesystem::path& target) {
  if (::rename(fresh.c_str(), target.c_str()) == 0) return;  // nothing was there, or an empty folder
  if (errno != ENOTEMPTY && errno != EEXIST) fail_write(target, 0, errno);
  std::error_code ignored;
#ifdef RENAME_EXCHANGE
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    sync_folder(folder_of(target));
    std::filesystem::remove_all(fresh, ignored);
    return;
  }
#endif
  const auto old = temporary_beside(target);
  if (::rename(target.c_str(), old.c_str()) != 0) fail_write(target, 0, errno);
  if (::rename(fresh.c_str(), target.c_str()) != 0) {
    const int error = errno;
    ::rename(old.c_str(), target.c_str());
    fail_write(target, 0, error);
  }
  sync_folder(folder_of(target));
  std::filesystem::remove_all(old, ignored);
}

}  // namespace detail

/// Writes a file whole or not at all: the parts go to a temporary file beside it ("FILE.tmp-..."), which is synced and
/// renamed. An older file of that name stays as it was until then. Throws Error naming the file, and the bytes needed
/// and free where the disk is full.
inline void write_file_atomically(const std::filesystem::path& path,
                                  std::span<const std::span<const std::byte>> parts) {
  std::uint64_t total = 0;
  for (const auto& part : parts) total += part.size();
  const auto temporary = detail::temporary_beside(path);
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
  detail::sync_folder(detail::folder_of(path));
}

inline void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const std::span<const std::byte> parts[] = {bytes};
  write_file_atomically(path, std::span<const std::span<const std::byte>>(parts));
}

inline void write_file_atomically(const std::filesystem::path& path, const std::string& text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

/// Makes a folder and those above it, where they are not there; throws Error naming it, with what `mend` says, where
/// that cannot be.
inline void make_folder(const std::filesystem::path& folder,
                        const std::string& mend = "name a folder that can be written") {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder, error))
    throw Error(folder.string(), "cannot be made: " + (error ? error.message() : "a file is in its place"), mend);
}

/// Makes a folder whole or not at all: `fill` writes into a fresh one beside it ("FOLDER.tmp-..."), which is synced and
/// renamed. An older folder of that name is kept until the new one is complete, then removed. Throws Error naming what
/// cannot be written.
inline void write_directory_atomically(const std::filesystem::path& folder,
                                       const std::function<void(const std::filesystem::path& fresh)>& fill) {
  namespace fs = std::filesystem;
  const auto target = folder.has_filename() ? folder : folder.parent_path();  // "out/" is "out"
  const auto fresh = detail::temporary_beside(target);
  std::error_code error;
  fs::create_directories(detail::folder_of(target), error);
  if (fs::exists(target) && !fs::is_directory(target)) throw Error(target.string(), "expected a folder, found a file");
  if (!fs::create_directory(fresh, error)) detail::fail_write(target, 0, error.value());
  try {
    fill(fresh);
    for (const auto& entry : fs::recursive_directory_iterator(fresh)) {
      if (!entry.is_regular_file() && !entry.is_directory()) continue;
      const detail::Descriptor fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
      if (fd.get() < 0 || (::fsync(fd.get()) != 0 && !entry.is_directory())) detail::fail_write(entry.path(), 0, errno);
    }
    detail::sync_folder(fresh);
    detail::replace_folder(fresh, target);
    detail::sync_folder(detail::folder_of(target));
  } catch (...) {
    fs::remove_all(fresh, error);
    throw;
  }
}

}  // namespace persona
