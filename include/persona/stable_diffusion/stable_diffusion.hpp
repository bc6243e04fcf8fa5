#pragma once

#include <persona/core/device.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/placement.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/schedule/dpm_solver.hpp>
#include <persona/schedule/euler.hpp>
#include <persona/schedule/schedule_config.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/stable_diffusion/configs.hpp>
#include <persona/stable_diffusion/folder.hpp>
#include <persona/stable_diffusion/load_weights.hpp>
#include <persona/stable_diffusion/unet.hpp>
#include <persona/stable_diffusion/vae.hpp>
#include <persona/stable_diffusion/weights_file.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace persona {

/// How a model is loaded.
struct LoadOptions {
  std::string device = "cpu";           ///< "cpu", "cuda", "cuda:N", "auto"
  std::string dtype = "fp32";           ///< of UNet and autoencoder: "fp32" or "bf16", whatever the files hold
  std::string text_dtype = "fp32";      ///< of the text encoder
  std::string variant{};                ///< "fp16": NAME.fp16.safetensors; empty: the plain files, else those
  std::optional<bool> channels_last{};  ///< layout of UNet and autoencoder; empty: on the CPU, where the UNet is wide
};

/// A Stable Diffusion 1.x or 2.x model (Rombach et al. 2022). Copies share every base tensor.
class StableDiffusion {
 public:
  /// Of parts made elsewhere; throws Error where they do not fit each other.
  StableDiffusion(CLIPTokenizer tokenizer, CLIPTextModel text_encoder, UNet2DConditionModel unet, AutoencoderKL vae,
                  SchedulerConfig scheduler, at::Device device = at::kCPU)
      : tokenizer_(std::move(tokenizer)),
        text_encoder_(std::move(text_encoder)),
        unet_(std::move(unet)),
        vae_(std::move(vae)),
        scheduler_(std::move(scheduler), device) {
    detail::expect_parts_fit("StableDiffusion", tokenizer_, text_encoder_.config(), unet_.config(), vae_.config());
  }

  /// Reads a diffusers folder (model_index.json, tokenizer/, text_encoder/, unet/, vae/, scheduler/); throws Error
  /// naming file, key, expected and found.
  static StableDiffusion load(const std::filesystem::path& folder, const LoadOptions& options = {}) {
    const auto device = parse_device(options.device);
    const auto dtype = parse_dtype(options.dtype), text_dtype = parse_dtype(options.text_dtype);
    detail::expect_model_folder(folder);
    auto tokenizer = CLIPTokenizer::from_folder(folder / "tokenizer");
    CLIPTextModel text(read_text_config(folder / "text_encoder" / "config.json"));
    UNet2DConditionModel unet(read_unet_config(folder / "unet" / "config.json"));
    AutoencoderKL vae(read_vae_config(folder / "vae" / "config.json"));
    auto scheduler = read_scheduler_config(folder / "scheduler" / "scheduler_config.json");
    detail::expect_parts_fit(folder.string(), tokenizer, text.config(), unet.config(), vae.config());
    const auto weights = [&](const char* part, const char* stem) {
      return WeightsFile::find(folder / part, stem, options.variant);
    };
    load_weights(text, weights("text_encoder", "model"), device, text_dtype, detail::rename_text_tensor);
    load_weights(unet, weights("unet", "diffusion_pytorch_model"), device, dtype);
    load_weights(vae, weights("vae", "diffusion_pytorch_model"), device, dtype, detail::rename_vae_tensor);
    // A narrow UNet is slower in it, and CUDA's GroupNorm answers in NCHW.
    const bool wide = unet.config().block_out_channels.front() >= 256;
    if (options.channels_last.value_or(wide && device.is_cpu())) to_channels_last(unet), to_channels_last(vae);
    return {std::move(tokenizer), std::move(text), std::move(unet), std::move(vae), std::move(scheduler), device};
  }

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
  std::variant<DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler> sampler(
      std::string_view name) const {
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

  /// A fingerprint of names and values of every base weight: equal for equal weights in the same dtypes, on any device.
  std::uint64_t hash() const {
    std::uint64_t hash = 0;
    const auto add = [&hash](const std::string& name, const Weight& weight) {
      hash = persona::hash_tensor(weight.base, hash_text(name, hash));
    };
    for_each_weight(text_encoder_, add, "text_encoder");
    for_each_weight(unet_, add, "unet");
    for_each_weight(vae_, add, "vae");
    return hash;
  }

 private:
  CLIPTokenizer tokenizer_;
  CLIPTextModel text_encoder_;
  UNet2DConditionModel unet_;
  AutoencoderKL vae_;
  DDPMScheduler scheduler_;
};

}  // namespace persona
