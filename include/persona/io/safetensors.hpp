#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/refuse.hpp>
#include <persona/io/safetensors_header.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace persona {

namespace detail {
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

inline constexpr std::pair<const char*, at::ScalarType> safetensors_dtypes[] = {  // descending, as files are laid out
    {"I64", at::kLong}, {"F64", at::kDouble}, {"F32", at::kFloat}, {"I32", at::kInt}, {"BF16", at::kBFloat16}, {"F16", at::kHalf},
    {"I16", at::kShort}, {"I8", at::kChar}, {"U8", at::kByte}, {"BOOL", at::kBool}};

inline std::optional<at::ScalarType> scalar_type_of(std::string_view dtype) {
  for (const auto& [name, type] : safetensors_dtypes)
    if (name == dtype) return type;
  return std::nullopt;
}

inline std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += {'\\', c};
    else if (static_cast<unsigned char>(c) < 0x20) {
      static constexpr char digits[] = "0123456789abcdef";
      out += std::string("\\u00") + digits[static_cast<unsigned char>(c) >> 4] + digits[static_cast<unsigned char>(c) & 15];
    } else out += c;
  }
  return out + "\"";
}
}  // namespace detail

/// A safetensors file, open: its header is read and valid, its tensors are read when asked for. Copies share the file.
class SafeTensors {
 public:
  /// Throws Error naming file, key, expected and found where the file is not a valid safetensors file; allocates no more than it holds.
  static SafeTensors open(const std::filesystem::path& path) {
    SafeTensors file;
    file.path_ = path.string();
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw Error(file.path_, "cannot be opened: " + std::string(std::strerror(errno)));
    if (!S_ISREG(status.st_mode)) throw Error(file.path_, "is not a regular file", "give the path of a .safetensors file");
    file.fd_ = std::make_shared<detail::Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd_->get() < 0) throw Error(file.path_, "cannot be opened: " + std::string(std::strerror(errno)));
    file.read_header(static_cast<std::uint64_t>(status.st_size));
    return file;
  }

  const std::string& path() const { return path_; }
  /// Names in alphabetical order.
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& [name, info] : tensors_) list.push_back(name);
    return list;
  }
  bool contains(const std::string& name) const { return tensors_.contains(name); }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, SafeTensorInfo>& infos() const { return tensors_; }

  /// dtype, shape and place of a tensor; throws Error naming file and key where there is none.
  const SafeTensorInfo& info(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw Error(path_, "holds no tensor '" + detail::SafeTensorsHeaderParser::shown(name) + "'");
    return found->second;
  }

  /// The tensor in the file's own dtype, on the CPU.
  Tensor load(const std::string& name) const {
    const auto& entry = info(name);
    const auto label = path_ + ": " + detail::SafeTensorsHeaderParser::shown(name);
    const auto type = detail::scalar_type_of(entry.dtype);
    if (!type) throw Error(label, "dtype " + entry.dtype + " cannot be read", "readable: F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL");
    auto tensor = at::empty(entry.shape, at::TensorOptions().dtype(*type));
    read(static_cast<std::byte*>(tensor.mutable_data_ptr()), entry.end - entry.begin, data_begin_ + entry.begin, label);
    return tensor;
  }

 private:
  void read(std::byte* into, std::uint64_t size, std::uint64_t offset, const std::string& label) const {
    while (size > 0) {
      const auto got = ::pread(fd_->get(), into, size, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(label, "cannot be read: " + std::string(std::strerror(errno)));
      if (got == 0) throw Error(label, "the file ends " + std::to_string(size) + " bytes early", "was it cut while it was read?");
      into += got, offset += static_cast<std::uint64_t>(got), size -= static_cast<std::uint64_t>(got);
    }
  }

  void read_header(std::uint64_t size) {
    std::array<std::byte, 512> start{};
    read(start.data(), std::min<std::uint64_t>(size, start.size()), 0, path_);
    detail::refuse_other_formats(std::span<const std::byte>(start).first(std::min<std::uint64_t>(size, start.size())), path_);
    if (size < 8) throw Error(path_, "expected at least 8 bytes, have " + std::to_string(size), "incomplete download?");
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = (length << 8) | static_cast<std::uint64_t>(start[static_cast<std::size_t>(i)]);
    if (length > detail::max_safetensors_header)
      throw Error(path_, "its header claims " + std::to_string(length) + " bytes, the format allows " + std::to_string(detail::max_safetensors_header), "is it a safetensors file?");
    if (length > size - 8)
      throw Error(path_, "its header claims " + std::to_string(length) + " bytes, the file has " + std::to_string(size - 8) + " behind its first 8", "incomplete download?");
    std::string text(length, '\0');
    read(reinterpret_cast<std::byte*>(text.data()), length, 8, path_);
    if (!detail::valid_utf8(text)) throw Error(path_, "its header is not UTF-8", "the file is damaged");
    detail::SafeTensorsHeaderParser(text, path_).parse(tensors_, metadata_);
    data_begin_ = 8 + length;
    detail::validate_layout(tensors_, size - data_begin_, path_);
  }

  std::string path_;
  std::shared_ptr<detail::Descriptor> fd_;
  std::map<std::string, SafeTensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
  std::uint64_t data_begin_ = 0;
};

/// Writes tensors and metadata as one safetensors file, all or nothing (see write_file_atomically). Throws Error naming file and key where a
/// dtype has no place in the format.
inline void write_safetensors(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  struct Entry {
    const std::string* name;
    Tensor tensor;
    std::size_t rank;
  };
  std::vector<Entry> entries;
  for (const auto& [name, tensor] : tensors) {
    const auto label = path.string() + ": " + name;
    if (!tensor.defined()) throw Error(label, "is an undefined tensor");
    if (name.empty() || name == "__metadata__" || !detail::valid_utf8(name)) throw Error(label, "is no name for a tensor");
    const auto type = std::ranges::find(detail::safetensors_dtypes, tensor.scalar_type(), &std::pair<const char*, at::ScalarType>::second);
    if (type == std::end(detail::safetensors_dtypes)) throw Error(label, "its dtype cannot be written", "convert it to F32 or another of the format's");
    entries.push_back({&name, tensor.detach().cpu().contiguous(), static_cast<std::size_t>(type - std::begin(detail::safetensors_dtypes))});
  }
  std::ranges::stable_sort(entries, {}, &Entry::rank);
  std::string header = "{";
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (bool first = true; const auto& [key, value] : metadata) {
      if (!std::exchange(first, false)) header += ",";
      header += detail::json_string(key) + ":" + detail::json_string(value);
    }
    header += "}";
  }
  std::uint64_t offset = 0;
  std::vector<std::span<const std::byte>> parts(1);
  for (const Entry& entry : entries) {
    if (header.size() > 1) header += ",";
    std::string shape;
    for (const auto size : entry.tensor.sizes()) shape += (shape.empty() ? "" : ",") + std::to_string(size);
    const auto bytes = entry.tensor.nbytes();
    header += detail::json_string(*entry.name) + ":{\"dtype\":\"" + detail::safetensors_dtypes[entry.rank].first + "\",\"shape\":[" + shape +
              "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + bytes) + "]}";
    offset += bytes;
    parts.emplace_back(static_cast<const std::byte*>(entry.tensor.const_data_ptr()), bytes);
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  if (header.size() > detail::max_safetensors_header) throw Error(path.string(), "its header would be longer than the format allows");
  std::string start(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) start[i] = static_cast<char>((header.size() >> (8 * i)) & 0xFF);
  start += header;
  parts.front() = std::as_bytes(std::span(start));
  write_file_atomically(path, std::span<const std::span<const std::byte>>(parts));
}

}  // namespace persona
