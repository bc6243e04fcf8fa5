#include "tensor_file.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace toyland {
namespace {

const std::vector<std::pair<std::string, at::ScalarType>> dtypes{{"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I64", at::kLong}, {"U8", at::kByte}};

}  // namespace

void save_tensors(const std::string& path, const TensorMap& tensors) {
  nlohmann::ordered_json header;
  std::size_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    for (const auto& [text, type] : dtypes)
      if (type == tensor.scalar_type()) header[name] = {{"dtype", text}, {"shape", tensor.sizes().vec()}, {"data_offsets", {at, at + tensor.nbytes()}}};
    at += tensor.nbytes();
  }
  auto text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const auto beside = path + ".partial";
  {
    std::ofstream file(beside, std::ios::binary);
    const std::uint64_t size = text.size();
    file.write(reinterpret_cast<const char*>(&size), sizeof size);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const auto& [name, tensor] : tensors) {
      const auto flat = tensor.detach().to(at::kCPU).contiguous();
      file.write(static_cast<const char*>(flat.const_data_ptr()), static_cast<std::streamsize>(flat.nbytes()));
    }
    if (!file.flush()) throw std::runtime_error("cannot write " + beside);
  }
  std::filesystem::rename(beside, path);
}

TensorMap load_tensors(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::uint64_t size = 0;
  if (!file.read(reinterpret_cast<char*>(&size), sizeof size) || size > (1u << 26)) throw std::runtime_error("cannot read " + path);
  std::string text(size, ' ');
  file.read(text.data(), static_cast<std::streamsize>(size));
  const auto header = nlohmann::json::parse(text);
  const std::string data{std::istreambuf_iterator<char>(file), {}};
  TensorMap tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
    const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
    for (const auto& [text_type, type] : dtypes) {
      if (text_type != entry.at("dtype")) continue;
      auto tensor = at::empty(shape, at::TensorOptions().dtype(type));
      if (offsets.at(1) > data.size() || offsets[1] - offsets.at(0) != tensor.nbytes()) throw std::runtime_error(path + ": " + name + " does not fit the file");
      std::memcpy(tensor.mutable_data_ptr(), data.data() + offsets[0], tensor.nbytes());
      tensors.emplace(name, tensor);
    }
  }
  return tensors;
}

}  // namespace toyland
