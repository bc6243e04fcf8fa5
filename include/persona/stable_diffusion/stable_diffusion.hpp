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
#include <persona/stable_diffusion/folder.hpp>
#include <persona/stable_diffusion/load_options.hpp>
#include <persona/stable_diffusion/load_weights.hpp>
#include <persona/stable_diffusion/single_file.hpp>
#include <persona/stable_diffusion/stored_model.hpp>
#include <persona/stable_diffusion/unet.hpp>
#include <persona/stable_diffusion/vae.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace persona {

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

  /// Reads a diffusers folder (model_index.json, tokenizer/, text_encoder/, unet/, vae/, scheduler/), or a single-file
  /// checkpoint (.safetensors, Rombach et al. 2022), with LoadOptions::tokenizer and what else it does not say; throws
  /// Error naming file, key, expected and found.
  static StableDiffusion load(const std::filesystem::path& path, const LoadOptions& options = {}) {
    const auto device = parse_device(options.device);
    const auto dtype = parse_dtype(options.dtype), text_dtype = parse_dtype(options.text_dtype);
    std::error_code unreadable;
    auto parts = std::filesystem::is_regular_file(path, unreadable) ? detail::read_single_file(path, options)
                                                                    : detail::read_folder(path, options);
    detail::expect_parts_fit(path.string(), parts.tokenizer, parts.text, parts.unet, parts.vae);
    CLIPTextModel text(parts.text);
    UNet2DConditionModel unet(parts.unet);
    AutoencoderKL vae(parts.vae);
    load_weights(text, parts.text_file.file, device, text_dtype, parts.text_file.rename);
    load_weights(unet, parts.unet_file.file, device, dtype, parts.unet_file.rename);
    load_weights(vae, parts.vae_file.file, device, dtype, parts.vae_file.rename);
    // A narrow UNet is slower in it, and CUDA's GroupNorm answers in NCHW.
    const bool wide = unet.config().block_out_channels.front() >= 256;
    if (options.channels_last.value_or(wide && device.is_cpu())) to_channels_last(unet), to_channels_last(vae);
    return {std::move(parts.tokenizer), std::move(text), std::move(unet), std::move(vae),
            std::move(parts.scheduler), device};
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
