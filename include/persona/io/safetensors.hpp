#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/refuse.hpp>
#include <persona/io/safetensors_header.hpp>
#include <persona/io/safetensors_info.hpp>
#include <persona/io/safetensors_write.hpp>
#include <persona/io/utf8.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace persona {

/// A safetensors file, open: its header is read and valid, its tensors are read when asked for. Copies share the file.
class SafeTensors {
 public:
  /// Reads and checks the header alone, and allocates no more than the file holds. Throws Error naming file, key,
  /// expected and found where it is not a valid safetensors file; pickles and other forms are named, with the way to
  /// convert them.
  static SafeTensors open(const std::filesystem::path& path) {
    SafeTensors file;
    file.path_ = path.string();
    // Without O_NONBLOCK a pipe of that name would be waited for.
    file.fd_ = std::make_shared<detail::Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd_->get() < 0) throw Error(file.path_, "cannot be opened: " + std::string(std::strerror(errno)));
    struct stat status{};
    if (::fstat(file.fd_->get(), &status) != 0 || !S_ISREG(status.st_mode))
      throw Error(file.path_, "is not a regular file", "give the path of a .safetensors file");
    file.read_header(static_cast<std::uint64_t>(status.st_size));
    return file;
  }

  const std::string& path() const { return path_; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  const std::map<std::string, SafeTensorInfo>& infos() const { return header_.tensors; }
  bool contains(const std::string& name) const { return header_.tensors.contains(name); }

  /// Names in alphabetical order.
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& [name, info] : header_.tensors) list.push_back(name);
    return list;
  }

  /// dtype, shape and place of a tensor; throws Error naming file and key where there is none.
  const SafeTensorInfo& info(const std::string& name) const {
    const auto found = header_.tensors.find(name);
    if (found == header_.tensors.end())
      throw Error(path_, "has no tensor '" + detail::printable(name) + "'",
                  header_.tensors.empty()
                      ? "it has none at all"
                      : "the first one is '" + detail::printable(header_.tensors.begin()->first) + "'");
    return found->second;
  }

  /// The tensor in the file's own dtype, on the CPU; throws Error naming file and key where it cannot be read.
  Tensor load(const std::string& name) const {
    const auto& entry = info(name);
    const auto where = path_ + ": " + detail::printable(name);
    const auto type = std::ranges::find(detail::storable_dtypes, entry.dtype, &detail::StorableDtype::name);
    if (type == std::end(detail::storable_dtypes))
      throw Error(where, "the dtype " + std::string(entry.dtype) + " is the format's, but is not supported here",
                  "supported: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL");
    auto tensor = at::empty(entry.shape, at::TensorOptions().dtype(type->type));
    read({static_cast<std::byte*>(tensor.mutable_data_ptr()), entry.end - entry.begin}, data_begin_ + entry.begin,
         where);
    return tensor;
  }

  /// load(name); throws Error naming file, key and the first index where a value is NaN or infinite, which the format
  /// itself allows.
  Tensor load_finite(const std::string& name) const {
    auto tensor = load(name);
    const auto bad = at::isfinite(tensor).logical_not().flatten().nonzero();
    if (bad.size(0) > 0)
      throw Error(path_ + ": " + detail::printable(name),
                  std::to_string(bad.size(0)) + " of " + std::to_string(tensor.numel()) + " values are not finite, " +
                      "the first at index " + std::to_string(bad[0].item<std::int64_t>()),
                  "the run that wrote it went wrong: take an earlier file");
    return tensor;
  }
  /// The same of every tensor.
  void validate_finite() const {
    for (const auto& [name, info] : header_.tensors) (void)load_finite(name);
  }

 private:
  void read(std::span<std::byte> into, std::uint64_t offset, const std::string& where) const {
    while (!into.empty()) {
      const auto got = ::pread(fd_->get(), into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(where, "cannot be read: " + std::string(std::strerror(errno)));
      if (got == 0)
        throw Error(where, "the file ends " + std::to_string(into.size()) + " bytes early",
                    "was it cut while it was read?");
      into = into.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
  }

  void read_header(std::uint64_t size) {
    std::array<std::byte, 512> buffer{};
    const auto start = std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size())));
    read(start, 0, path_);
    detail::refuse_other_formats(start, size, path_);
    if (size < 8) throw Error(path_, "expected at least 8 bytes, have " + std::to_string(size), "incomplete download?");
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 8; ++i) length |= std::to_integer<std::uint64_t>(start[i]) << (8 * i);
    if (length > detail::max_safetensors_header)
      throw Error(path_,
                  "its first 8 bytes give the header a length of " + std::to_string(length) + ", expected at most " +
                      std::to_string(detail::max_safetensors_header),
                  "is it a safetensors file?");
    if (length > size - 8)
      throw Error(path_,
                  "expected a header of " + std::to_string(length) + " bytes behind the first 8, have " +
                      std::to_string(size - 8),
                  "incomplete download?");
    std::string text(static_cast<std::size_t>(length), '\0');
    read(std::as_writable_bytes(std::span(text)), 8, path_);
    if (!detail::is_utf8(text))
      throw Error(path_, "expected a header in UTF-8, found other bytes", "the file is damaged");
    header_ = detail::parse_safetensors_header(text, path_);
    data_begin_ = 8 + length;
    detail::validate_layout(header_.tensors, size - data_begin_, path_);
  }

  std::string path_;
  std::shared_ptr<detail::Descriptor> fd_;
  detail::SafeTensorsHeader header_;
  std::uint64_t data_begin_ = 0;
};

}  // namespace persona
