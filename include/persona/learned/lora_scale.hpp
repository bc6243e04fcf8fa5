#pragma once

#include <persona/core/error.hpp>
#include <persona/io/read_file.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/io/scanner.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace persona::detail {

/// What peft keeps of a LoRA's scale beside its tensors: adapter_config.json next to peft's own file, the metadata's
/// `lora_adapter_metadata`, keyed by the model's parts, in diffusers'.
class LoraScales {
 public:
  /// Throws Error where what there is cannot be read.
  static LoraScales of_file(const SafeTensors& source, const std::filesystem::path& file) {
    LoraScales scales;
    if (const auto told = source.metadata().find("lora_adapter_metadata"); told != source.metadata().end())
      scales.read(told->second, file.string() + ": lora_adapter_metadata");
    const auto config = file.parent_path() / "adapter_config.json";
    std::error_code unreadable;
    if (scales.parts_.empty() && file.filename() == "adapter_model.safetensors" &&
        std::filesystem::is_regular_file(config, unreadable)) {
      const auto bytes = read_file(config, 1 << 20);
      scales.read({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, config.string());
    }
    return scales;
  }

  /// alpha / r, or alpha / sqrt(r) where it is rank-stabilized, of the weight "unet.PATH.weight"; 1 where nothing is
  /// told, since diffusers counts alpha as the rank then.
  double of(std::string_view weight, double rank) const {
    for (const auto& [part, config] : parts_) {
      if (!part.empty() && !weight.starts_with(part + ".")) continue;
      double alpha = config.alpha.value_or(rank);
      for (const auto& [module, own] : config.alpha_pattern)
        if (ends_at(weight, module)) alpha = own;
      return alpha / (config.rank_stabilized ? std::sqrt(rank) : rank);
    }
    return 1;
  }

 private:
  struct Config {
    std::optional<double> alpha{};
    bool rank_stabilized = false;
    std::map<std::string, double> alpha_pattern{};
  };

  void read(std::string_view text, const std::string& where) {
    JsonScanner scanner(text, where);
    scanner.object("expected an object", [&](const std::string& key) {
      const auto dot = key.find('.');
      auto& config = parts_[dot == key.npos ? std::string() : key.substr(0, dot)];
      const auto name = dot == key.npos ? key : key.substr(dot + 1);
      if (scanner.take_null()) return;
      if (name == "lora_alpha") {
        config.alpha = scanner.real("lora_alpha");
      } else if (name == "use_rslora") {
        config.rank_stabilized = scanner.boolean("use_rslora");
      } else if (name == "init_lora_weights") {
        if (scanner.peek() != '"') return scanner.skip();
        // These take the factors' start out of the base when peft loads them: W - s B0 A0 + s B A.
        const auto init = scanner.string("init_lora_weights");
        auto lower = init;  // peft reads some of them in any case
        std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
        for (const char* changes_base : {"pissa", "olora", "corda", "loftq", "lora_ga"})
          if (lower.starts_with(changes_base))
            throw Error(
                where, "its factors began as parts of the weights themselves (init_lora_weights: '" + init + "')",
                "let peft write the difference: save_pretrained(..., path_initial_model_for_weight_conversion)");
      } else if (name == "alpha_pattern") {
        scanner.object("alpha_pattern must be an object", [&](const std::string& module) {
          if (module.find_first_of("*+?[](){}|^$\\") != module.npos)
            throw Error(where, "alpha_pattern holds the regular expression '" + module + "'",
                        "name the modules, or write alpha into the file as kohya does");
          config.alpha_pattern[module] = scanner.real("alpha_pattern");
        });
      } else {
        scanner.skip();
      }
    });
    scanner.expect_end("more behind the object");
  }
  // peft: the pattern is a module's whole name, or its end behind a dot.
  static bool ends_at(std::string_view weight, const std::string& module) {
    if (weight.ends_with(".weight")) weight.remove_suffix(7);
    if (!weight.ends_with(module)) return false;
    const auto front = weight.size() - module.size();
    return front == 0 || weight[front - 1] == '.';
  }

  std::map<std::string, Config> parts_{};  // "unet", "text_encoder"; "" is all of them
};

}  // namespace persona::detail
