#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/weight.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/stable_diffusion/tokenizer_json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// The safetensors files of one part of a model, as diffusers lays them out: one file, or shards with an index; plain or with a variant.
class WeightsFile {
 public:
  /// `stem` is "model" or "diffusion_pytorch_model"; an empty variant takes the plain file, or the fp16 one where there is no plain one.
  static WeightsFile find(const std::filesystem::path& folder, const std::string& stem, const std::string& variant = {}) {
    namespace fs = std::filesystem;
    const auto choices = variant.empty() ? std::vector<std::string>{"", ".fp16"} : std::vector<std::string>{"." + variant};
    for (const auto& middle : choices) {
      const auto single = folder / (stem + middle + ".safetensors");
      if (fs::exists(single)) return WeightsFile({SafeTensors::open(single)}, single.string());
      const auto index = folder / (stem + ".safetensors.index" + middle + ".json");
      if (fs::exists(index)) return sharded(folder, index);
    }
    for (const char* name : {".bin", ".fp16.bin", ".ckpt", ".pt"})
      if (fs::exists(folder / (stem + name)) || fs::exists(folder / ("pytorch_model" + std::string(name))))
        throw Error(folder.string(), "holds its weights as a Python pickle alone, which can run code, so it is not read",
                    "where you trust it: python -c \"from diffusers import DiffusionPipeline as P; P.from_pretrained('FOLDER').save_pretrained('FOLDER', safe_serialization=True)\"");
    throw Error(folder.string(), "no '" + stem + choices.front() + ".safetensors' and no index of shards", "is this a diffusers folder, and is the download complete?");
  }

  const std::string& name() const { return name_; }
  const std::map<std::string, const SafeTensors*>& tensors() const { return owner_; }

  WeightsFile(WeightsFile&&) = default;

 private:
  WeightsFile(std::vector<SafeTensors> files, std::string name) : files_(std::move(files)), name_(std::move(name)) {
    for (const SafeTensors& file : files_)
      for (const std::string& key : file.names())
        if (!owner_.emplace(key, &file).second) throw Error(file.path() + ": " + key, "is also in another shard");
  }

  static WeightsFile sharded(const std::filesystem::path& folder, const std::filesystem::path& index) {
    const auto json = detail::JsonFileReader::read(index).value;
    if (!json.is_object() || !json.contains("weight_map") || !json.at("weight_map").is_object()) throw Error(index.string(), "has no object 'weight_map'");
    std::map<std::string, std::vector<std::string>> by_shard;
    for (const auto& [key, shard] : json.at("weight_map").items()) {
      if (!shard.is_string()) throw Error(index.string() + ": " + key, "must name a file");
      const auto file = shard.template get<std::string>();
      if (file.empty() || file.find_first_of("/\\") != std::string::npos || file == "." || file == "..")
        throw Error(index.string() + ": " + key, "'" + file + "' is no plain file name", "shards lie beside their index");
      by_shard[file].push_back(key);
    }
    std::vector<SafeTensors> files;
    for (const auto& [shard, keys] : by_shard) {
      if (!std::filesystem::exists(folder / shard)) throw Error(index.string(), "names the shard '" + shard + "', which is not there", "incomplete download?");
      files.push_back(SafeTensors::open(folder / shard));
      for (const std::string& key : keys)
        if (!files.back().contains(key)) throw Error(index.string() + ": " + key, "is said to be in '" + shard + "', which does not hold it");
    }
    return WeightsFile(std::move(files), index.string());
  }

  std::vector<SafeTensors> files_;
  std::string name_;
  std::map<std::string, const SafeTensors*> owner_;
};

/// Today's name of a tensor that a published file calls otherwise; empty: a tensor that is known and not needed.
using RenameTensor = std::function<std::string(const std::string&)>;

/// Fills every weight of a module with the tensor of its name. Throws one Error that lists what is missing, misshapen and left over, ten of each.
template <class Module>
void load_weights(Module& module, const WeightsFile& file, at::Device device, at::ScalarType dtype, const RenameTensor& rename = {}) {
  std::map<std::string, std::pair<std::string, const SafeTensors*>> stored;
  for (const auto& [key, owner] : file.tensors()) {
    const auto name = rename ? rename(key) : key;
    if (!name.empty() && !stored.emplace(name, std::pair(key, owner)).second) throw Error(file.name() + ": " + key, "and another tensor are both '" + name + "'");
  }
  std::vector<std::string> missing, misshapen, extra;
  for_each_weight(module, [&](const std::string& name, Weight& weight) {
    const auto found = stored.find(name);
    if (found == stored.end()) {
      missing.push_back(name + " " + shape_string(weight.base.sizes()));
      return;
    }
    const auto& [key, owner] = found->second;
    auto shape = owner->info(key).shape;
    const bool squeezable = shape.size() == 4 && weight.base.dim() == 2 && shape[2] == 1 && shape[3] == 1;  // 1x1 convolutions that are linear today
    if (squeezable) shape.resize(2);
    if (at::IntArrayRef(shape) != weight.base.sizes()) {
      misshapen.push_back(key + ": expected " + shape_string(weight.base.sizes()) + ", found " + shape_string(shape));
    } else {
      weight.base = owner->load(key).view(weight.base.sizes()).to(device, dtype);
    }
    stored.erase(found);
  });
  for (const auto& [name, where] : stored) extra.push_back(where.first + " " + shape_string(where.second->info(where.first).shape));
  if (missing.empty() && misshapen.empty() && extra.empty()) return;
  std::string what;
  const auto list = [&](const std::vector<std::string>& names, const char* kind) {
    if (names.empty()) return;
    what += (what.empty() ? "" : "; ") + std::to_string(names.size()) + " " + kind + ": ";
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 10); ++i) what += (i ? ", " : "") + names[i];
    if (names.size() > 10) what += ", ...";
  };
  list(missing, "missing");
  list(misshapen, "misshapen");
  list(extra, "unknown");
  throw Error(file.name(), "does not fit its config.json: " + what, "are config and weights of one model?");
}

}  // namespace persona
