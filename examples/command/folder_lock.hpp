#pragma once
// Two runs that write into one folder would spoil each other's.

#include <persona/core/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

namespace command {

/// Holds FOLDER/.lock until it or the program ends, however that is; throws Error where another program holds it, or
/// waits for that one.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder, bool waits = false) {
    const auto file = folder / ".lock";
    file_ = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (file_ < 0) throw persona::Error(file.string(), "cannot be written", "may you write into the folder?");
    if (::flock(file_, waits ? LOCK_EX : LOCK_EX | LOCK_NB) == 0) return;
    ::close(file_);
    throw persona::Error("--out " + folder.string(), "another run is writing there",
                         "wait for it, stop it, or give another folder");
  }
  ~FolderLock() { ::close(file_); }
  /// Throws Error where another program holds the folder; writes nothing.
  static void expect_free(const std::filesystem::path& folder) {
    if (std::filesystem::exists(folder / ".lock")) FolderLock{folder};
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace command
