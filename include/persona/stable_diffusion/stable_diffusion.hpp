#pragma once

#include <persona/core/device.hpp>
#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/schedule/dpm_solver.hpp>
#include <persona/schedule/euler.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/stable_diffusion/configs.hpp>
#include <persona/stable_diffusion/unet.hpp>
#include <persona/stable_diffusion/vae.hpp>
#include <persona/stable_diffusion/weights_file.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace persona {

/// How a model is loaded.
struct LoadOptions {
  std::string device = "cpu";       ///< "cpu", "cuda", "cuda:N", "auto"
  std::string dtype = "fp32";       ///< of UNet and autoencoder: "fp32" or "bf16"
  std::string text_dtype = "fp32";  ///< of the text encoder
  std::string variant{};            ///< "fp16": the files NAME.fp16.safetensors; empty: the plain files, else those
};

/// A Stable Diffusion 1.x or 2.x model. Copies share every base tensor.
class StableDiffusion {
 public:
  StableDiffusion(CLIPTokenizer tokenizer, CLIPTextModel text_encoder, UNet2DConditionModel unet, AutoencoderKL vae, SchedulerConfig scheduler, at::Device device = at::kCPU)
      : tokenizer_(std::move(tokenizer)), text_encoder_(std::move(text_encoder)), unet_(std::move(unet)), vae_(std::move(vae)), scheduler_(std::move(scheduler), device) {}

  /// Reads a diffusers folder (tokenizer/, text_encoder/, unet/, vae/, scheduler/); throws Error naming file, key, expected and found.
  static StableDiffusion load(const std::filesystem::path& folder, const LoadOptions& options = {});

  const CLIPTokenizer& tokenizer() const { return tokenizer_; }
  const CLIPTextModel& text_encoder() const { return text_encoder_; }
  CLIPTextModel& text_encoder() { return text_encoder_; }
  const UNet2DConditionModel& denoiser() const { return unet_; }
  UNet2DConditionModel& denoiser() { return unet_; }
  const AutoencoderKL& autoencoder() const { return vae_; }
  AutoencoderKL& autoencoder() { return vae_; }
  const DDPMScheduler& scheduler() const { return scheduler_; }
  const SchedulerConfig& scheduler_config() const { return scheduler_.config(); }

  /// [C, h, w] at the size that the model was trained at.
  LatentShape latent_shape() const {
    const auto& config = unet_.config();
    return {config.in_channels, config.sample_size, config.sample_size};
  }

  /// "ddim", "dpm" (DPM-Solver++ 2M) or "euler".
  std::variant<DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler> sampler(std::string_view name) const {
    if (name == "ddim") return DDIMScheduler(scheduler_config());
    if (name == "dpm") return DPMSolverMultistepScheduler(scheduler_config());
    if (name == "euler") return EulerDiscreteScheduler(scheduler_config());
    throw Error("sampler", "'" + std::string(name) + "' is not known", "ddim, dpm or euler");
  }

  /// This model with a learned thing in it (see Personalized); needs persona.hpp.
  template <class Learned>
  auto with(const Learned& learned) const {
    return personalized(*this, learned);
  }

 private:
  CLIPTokenizer tokenizer_;
  CLIPTextModel text_encoder_;
  UNet2DConditionModel unet_;
  AutoencoderKL vae_;
  DDPMScheduler scheduler_;
};

namespace detail {
// Text encoders are written with and without the prefix; position_ids is a constant that older writers stored.
inline std::string rename_text_tensor(const std::string& name) {
  const auto full = name.starts_with("text_model.") ? name : "text_model." + name;
  return full == "text_model.embeddings.position_ids" ? std::string() : full;
}

// The autoencoder's attention as published before diffusers 0.17 named it.
inline std::string rename_vae_tensor(const std::string& name) {
  const auto attention = name.find(".attentions.");
  if (attention == std::string::npos) return name;
  static constexpr std::pair<std::string_view, std::string_view> names[] = {{".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}};
  for (const auto& [old, today] : names)
    if (const auto at = name.find(old, attention); at != std::string::npos) return name.substr(0, at) + std::string(today) + name.substr(at + old.size());
  return name;
}
}  // namespace detail

inline StableDiffusion StableDiffusion::load(const std::filesystem::path& folder, const LoadOptions& options) {
  const auto device = parse_device(options.device);
  const auto dtype = parse_dtype(options.dtype), text_dtype = parse_dtype(options.text_dtype);
  if (!std::filesystem::is_directory(folder)) throw Error(folder.string(), "is not a folder", "give a model in diffusers' folder layout");
  const at::NoGradGuard no_grad;
  CLIPTextModel text(read_text_config(folder / "text_encoder" / "config.json"));
  UNet2DConditionModel unet(read_unet_config(folder / "unet" / "config.json"));
  AutoencoderKL vae(read_vae_config(folder / "vae" / "config.json"));
  const auto scheduler = read_scheduler_config(folder / "scheduler" / "scheduler_config.json");
  auto tokenizer = CLIPTokenizer::from_folder(folder / "tokenizer");
  if (text.config().hidden_size != unet.config().cross_attention_dim)
    throw Error(folder.string(), "the text encoder's hidden_size " + std::to_string(text.config().hidden_size) + " is not the UNet's cross_attention_dim " + std::to_string(unet.config().cross_attention_dim),
                "the parts are of different models");
  load_weights(text, WeightsFile::find(folder / "text_encoder", "model", options.variant), device, text_dtype, detail::rename_text_tensor);
  load_weights(unet, WeightsFile::find(folder / "unet", "diffusion_pytorch_model", options.variant), device, dtype);
  load_weights(vae, WeightsFile::find(folder / "vae", "diffusion_pytorch_model", options.variant), device, dtype, detail::rename_vae_tensor);
  return {std::move(tokenizer), std::move(text), std::move(unet), std::move(vae), scheduler, device};
}

}  // namespace persona
