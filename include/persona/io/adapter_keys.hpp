#pragma once
// Names of tensors in files of other tools.

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace persona {

/// kohya's names of Stable Diffusion's 16 cross-attention layers, in the order of the data.
inline constexpr std::array<const char*, 16> xti_layer_names{"IN01",  "IN02",  "IN04",  "IN05",  "IN07",  "IN08",
                                                             "MID",   "OUT03", "OUT04", "OUT05", "OUT06", "OUT07",
                                                             "OUT08", "OUT09", "OUT10", "OUT11"};

namespace detail {

/// One tensor of a LoRA file.
struct LoraKey {
  std::string module{};        ///< as the file names it
  std::string_view part{};     ///< "down", "up", "alpha", "magnitude"
  std::string_view dialect{};  ///< "diffusers", "peft", "kohya", "old diffusers"; empty: several have it
};

/// A key of a LoRA or DoRA file as module and part; nothing where it is none.
inline std::optional<LoraKey> split_lora_key(const std::string& key) {
  struct Ending {
    std::string_view end, part, dialect;
  };
  static constexpr Ending endings[] = {{".lora_linear_layer.down.weight", "down", "diffusers"},
                                       {".lora_linear_layer.up.weight", "up", "diffusers"},
                                       {".lora.down.weight", "down", "diffusers"},
                                       {".lora.up.weight", "up", "diffusers"},
                                       {".lora_down.weight", "down", "kohya"},
                                       {".lora_up.weight", "up", "kohya"},
                                       {".lora_A.weight", "down", "peft"},
                                       {".lora_B.weight", "up", "peft"},
                                       {".lora_A.default.weight", "down", "peft"},
                                       {".lora_B.default.weight", "up", "peft"},
                                       {"_lora.down.weight", "down", "old diffusers"},
                                       {"_lora.up.weight", "up", "old diffusers"},
                                       {".lora_linear_layer.dora_scale", "magnitude", "diffusers"},
                                       {".lora.dora_scale", "magnitude", "diffusers"},
                                       {".dora_scale", "magnitude", "kohya"},
                                       {".lora_magnitude_vector", "magnitude", "peft"},
                                       {".lora_magnitude_vector.weight", "magnitude", "peft"},
                                       {".alpha", "alpha", ""}};
  for (const auto& [end, part, dialect] : endings) {
    if (!key.ends_with(end)) continue;
    LoraKey found{key.substr(0, key.size() - end.size()), part, dialect};
    if (dialect == "old diffusers") {  // "attn1.processor.to_out_lora" is attn1.to_out.0
      const auto at = found.module.rfind(".processor.");
      if (at == std::string::npos) continue;
      found.module.erase(at, 10);
      if (found.module.ends_with(".to_out")) found.module += ".0";
    }
    return found;
  }
  return {};
}

}  // namespace detail

}  // namespace persona
