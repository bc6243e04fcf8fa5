#pragma once

#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/augmentation.hpp>
#include <persona/model/autoencoder.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// Images [B, 3, H, W] -> posterior moments; in pixel space the mean is the image and std is undefined.
using EncodeImages = std::function<Moments(const Tensor& images)>;

/// x0 [B, C, h, w] of photos, and which variant of its photo each is.
struct DrawnLatents {
  Tensor latents{};
  std::vector<std::int64_t> variants{};
};

/// The x0 of a subject's photos. Where the augmentation has finitely many variants each is encoded once, and kept as
/// the posterior's mean and standard deviation, from which every draw samples anew: the distribution of encoding at
/// every step, at none of its cost. Other augmentations encode at every draw, or draw from a pool that is encoded once.
class LatentSource {
 public:
  /// images [3, H, W] in [-1, 1]; `scale` multiplies the samples (the autoencoder's scaling factor).
  LatentSource(std::vector<Tensor> images, BoundAugmentation augmentation, EncodeImages encode, double scale,
               const Random& random)
      : images_(std::move(images)), augmentation_(std::move(augmentation)), encode_(std::move(encode)), scale_(scale) {
    const auto [kind, count] = augmentation_.variants();
    if (kind == Variants::Kind::fresh) return;
    auto generator = random.on_host(Stream::augmentation);
    std::vector<Tensor> means, stds;
    per_photo_ = count;
    for (const Tensor& image : images_)
      for (std::int64_t i = 0; i < count; ++i) {
        const auto variant = kind == Variants::Kind::finite ? i : augmentation_.draw(generator);
        const auto moments = encode_one(augmentation_.apply(image, variant));
        kept_.push_back(variant);
        means.push_back(moments.mean);
        if (moments.std.defined()) stds.push_back(moments.std);
      }
    moments_.mean = at::cat(means);
    if (!stds.empty()) moments_.std = at::cat(stds);
  }

  std::int64_t size() const { return static_cast<std::int64_t>(images_.size()); }
  bool cached() const { return moments_.mean.defined(); }

  /// x0 of the photos asked for. `host` chooses variants, `posterior` samples on the latents' device.
  DrawnLatents draw(std::span<const std::int64_t> photos, at::Generator host, const at::Generator& posterior) const {
    const at::NoGradGuard no_grad;
    Moments chosen;
    DrawnLatents drawn;
    if (cached()) {
      std::vector<std::int64_t> rows;
      for (const std::int64_t photo : photos) {
        rows.push_back(photo * per_photo_ + pick(host));
        drawn.variants.push_back(kept_[static_cast<std::size_t>(rows.back())]);
      }
      const auto index = at::tensor(rows, at::kLong).to(moments_.mean.device(), /*non_blocking=*/true);
      chosen.mean = moments_.mean.index_select(0, index);
      if (moments_.std.defined()) chosen.std = moments_.std.index_select(0, index);
    } else {
      std::vector<Tensor> images;
      for (const std::int64_t photo : photos) {
        drawn.variants.push_back(augmentation_.draw(host));
        images.push_back(augmentation_.apply(images_[static_cast<std::size_t>(photo)], drawn.variants.back()));
      }
      chosen = in_fp32(encode_(at::stack(images)));
    }
    const auto sample = chosen.std.defined() ? chosen.mean + chosen.std * at::randn(chosen.mean.sizes(), posterior,
                                                                                    chosen.mean.options())
                                             : chosen.mean;
    drawn.latents = sample * scale_;
    return drawn;
  }
  /// [B, 1, h, w] of the loss of what was drawn; undefined where all of every picture shows its photo.
  Tensor mask(const DrawnLatents& drawn) const {
    if (!augmentation_.mask_) return {};
    const auto h = drawn.latents.size(2), w = drawn.latents.size(3), factor = images_.front().size(1) / h;
    std::vector<Tensor> masks;
    for (const std::int64_t variant : drawn.variants)
      masks.push_back(augmentation_.mask_(at::ones({1, h, w}), factor, variant));
    auto all = at::stack(masks);
    return (all == 1).all().item<bool>() ? Tensor() : all;
  }
  /// What is said of a variant of a photo with this caption.
  std::string caption(std::string text, std::int64_t variant) const {
    return augmentation_.caption_ ? augmentation_.caption_(std::move(text), variant) : text;
  }

 private:
  Moments encode_one(const Tensor& image) const {
    const at::NoGradGuard no_grad;
    return in_fp32(encode_(image.unsqueeze(0)));
  }
  static Moments in_fp32(const Moments& moments) {
    return {.mean = moments.mean.to(at::kFloat), .std = moments.std.defined() ? moments.std.to(at::kFloat) : Tensor{}};
  }
  std::int64_t pick(at::Generator& host) const {
    if (augmentation_.variants().kind == Variants::Kind::finite) {
      const auto variant = augmentation_.draw(host);
      if (variant < 0 || variant >= per_photo_)
        throw Error("augmentation", "drew variant " + std::to_string(variant) + " of " + std::to_string(per_photo_),
                    "draw() of Variants::finite(n) gives 0 to n - 1");
      return variant;
    }
    return at::randint(0, per_photo_, {}, host, at::kLong).item<std::int64_t>();
  }

  std::vector<Tensor> images_;
  BoundAugmentation augmentation_;
  EncodeImages encode_;
  double scale_ = 1.0;
  std::int64_t per_photo_ = 0;
  std::vector<std::int64_t> kept_{};  // the variants that are encoded, photo by photo
  Moments moments_{};
};

}  // namespace persona
