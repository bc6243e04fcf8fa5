#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/io/json.hpp>
#include <persona/io/refuse.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/io/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// The weights of one part of a model: one safetensors file, or shards and the index that says which holds what.
class WeightsFile {
 public:
  /// Finds FOLDER/STEM.safetensors or its shards; without a `variant` the plain files go first, then those of "fp16".
  /// Throws Error naming what is there instead: pickles are refused, with the way to convert them.
  static WeightsFile find(const std::filesystem::path& folder, const std::string& stem,
                          const std::string& variant = {}) {
    namespace fs = std::filesystem;
    const auto variants =
        variant.empty() ? std::vector<std::string>{"", ".fp16"} : std::vector<std::string>{"." + variant};
    for (const auto& suffix : variants) {
      const auto single = folder / (stem + suffix + ".safetensors");
      if (detail::is_there(single)) return WeightsFile(SafeTensors::open(single));
      for (const auto& index :
           {stem + ".safetensors.index" + suffix + ".json", stem + suffix + ".safetensors.index.json"})
        if (detail::is_there(folder / index)) return WeightsFile(folder, folder / index);
    }
    refuse(folder, stem + (variant.empty() ? "" : "." + variant) + ".safetensors");
  }

  /// The tensors of a file whose names begin with `prefix`, under what follows it: one part of a whole model.
  static WeightsFile part_of(const SafeTensors& file, const std::string& prefix) { return {file, prefix}; }

  /// The file, or the index, for messages.
  const std::string& name() const { return name_; }
  bool sharded() const { return files_.size() > 1; }
  /// What the stored names begin with beside the names here; empty: nothing.
  const std::string& prefix() const { return prefix_; }
  /// Which file each tensor is in.
  const std::map<std::string, std::size_t>& places() const { return places_; }
  const SafeTensorInfo& info(const std::string& tensor) const { return file(tensor).info(prefix_ + tensor); }
  Tensor load(const std::string& tensor) const { return file(tensor).load(prefix_ + tensor); }
  /// The name of the file that holds a tensor, without its folder.
  std::string file_name(const std::string& tensor) const {
    return std::filesystem::path(file(tensor).path()).filename().string();
  }

 private:
  WeightsFile(SafeTensors file, const std::string& prefix = {}) : name_(file.path()), prefix_(prefix) {
    for (const auto& [tensor, info] : file.infos())
      if (tensor.starts_with(prefix)) places_.emplace(tensor.substr(prefix.size()), 0);
    files_.push_back(std::move(file));
  }

  WeightsFile(const std::filesystem::path& folder, const std::filesystem::path& index) : name_(index.string()) {
    auto json = JsonObject::read(index);
    json.ignore({"metadata", "weight_map"});
    json.expect_all_known();
    const auto map = json.value().find("weight_map");
    if (map == json.value().end() || !map->is_object())
      throw Error(name_, "'weight_map' must be an object of tensor: file");
    std::map<std::string, std::size_t> shards;
    for (const auto& [tensor, shard] : map->items()) {
      const auto key = "weight_map: '" + detail::printable(tensor) + "'";
      if (!shard.is_string()) throw Error(name_, key + " must be a file's name, got " + detail::json_shown(shard));
      const auto& file = shard.get_ref<const std::string&>();
      // What an index names is not trusted: a plain name, so that nothing outside the folder is read.
      if (!file.ends_with(".safetensors") || file.find_first_of(std::string("/\\\0", 3)) != file.npos ||
          file.starts_with("."))
        throw Error(name_, key + " names the file '" + detail::printable(file) + "'",
                    "expected the plain name of a .safetensors file in the same folder");
      const auto [place, fresh] = shards.emplace(file, files_.size());
      if (fresh) {
        if (!detail::is_there(folder / file))
          throw Error(name_, "the shard '" + file + "' is not there", "incomplete download?");
        files_.push_back(SafeTensors::open(folder / file));
      }
      places_.emplace(tensor, place->second);
    }
    check_shards(json);
  }

  void check_shards(const JsonObject& json) const {
    std::uint64_t bytes = 0;
    for (const auto& [tensor, place] : places_) {
      const auto& file = files_[place];
      if (!file.contains(tensor))
        throw Error(
            name_, "says that '" + detail::printable(tensor) + "' is in " + file.path() + ", which has no such tensor");
      bytes += file.info(tensor).end - file.info(tensor).begin;
    }
    for (std::size_t place = 0; place < files_.size(); ++place)
      for (const auto& [tensor, info] : files_[place].infos())
        if (const auto found = places_.find(tensor); found == places_.end() || found->second != place)
          throw Error(files_[place].path(),
                      "holds '" + detail::printable(tensor) + "', which the index " +
                          (found == places_.end() ? "does not name" : "places in another shard"),
                      "are the shards of two downloads mixed?");
    const auto metadata = json.value().find("metadata");
    if (metadata == json.value().end() || !metadata->is_object() || !metadata->contains("total_size")) return;
    const auto& total = (*metadata)["total_size"];
    if (!total.is_number() || total.get<double>() != static_cast<double>(bytes))
      throw Error(name_,
                  "'metadata.total_size' is " + detail::json_shown(total) + ", the shards hold " +
                      std::to_string(bytes) + " bytes",
                  "are the shards of two downloads mixed?");
  }

  [[noreturn]] static void refuse(const std::filesystem::path& folder, const std::string& expected) {
    namespace fs = std::filesystem;
    std::vector<std::string> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    for (const auto& file : found)
      for (const char* ending : {".bin", ".ckpt", ".pt", ".pth"})
        if (file.ends_with(ending))
          throw Error(
              folder.string(),
              "expected " + expected + ", found " + file + ": a Python pickle, which can run code, so it is not read",
              "convert it in Python where you trust it: diffusers.DiffusionPipeline.from_pretrained(FOLDER, "
              "use_safetensors=False).save_pretrained(NEW_FOLDER)");
    std::string list;
    for (const auto& file : found) list += (list.empty() ? "" : ", ") + file;
    throw Error(folder.string(),
                "expected " + expected + ", found " + (list.empty() ? "no files" : detail::printable(list)),
                detail::is_there(folder) ? "incomplete download, or another variant?" : "the folder is not there");
  }

  const SafeTensors& file(const std::string& tensor) const {
    const auto found = places_.find(tensor);
    if (found == places_.end()) throw Error(name_, "has no tensor '" + detail::printable(tensor) + "'");
    return files_[found->second];
  }

  std::string name_, prefix_;
  std::vector<SafeTensors> files_;
  std::map<std::string, std::size_t> places_;
};

}  // namespace persona
