#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>
#include <persona/data/bind_context.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// Min-SNR-gamma (Hang et al. 2023): a sample's loss is weighed by min(snr, gamma) / snr where the model predicts
/// noise, by min(snr, gamma) / (snr + 1) where it predicts v, by min(snr, gamma) where it predicts x0. Class samples
/// are weighed like all others, or, as in diffusers' scripts, not at all.
struct MinSNR {
  using plays = Plays<Role::contribution>;
  double gamma = 5.0;
  bool class_samples = false;  ///< weigh those of prior preservation too

  enum class Predicts { noise, v, x0 };

  struct State {
    double gamma = 5.0;
    bool class_samples = false;
    Predicts predicts = Predicts::noise;

    void reweigh(Batch& batch, const Tensor& snr) const {
      auto share = snr.clamp_max(gamma);
      if (predicts == Predicts::noise) share = at::where(snr > 0, share / snr, at::ones_like(snr));  // 0 / 0 is 1 here
      if (predicts == Predicts::v) share = share / (snr + 1);
      share = share.to(at::kFloat);
      if (!class_samples) {
        std::vector<float> own;
        for (const auto subject : batch.subjects) own.push_back(subject >= 0 ? 1.0F : 0.0F);
        share = at::where(at::tensor(own).to(share.device()) > 0, share, at::ones_like(share));
      }
      batch.weights = batch.weights.defined() ? batch.weights * share : share;
    }
  };

  template <class Model>
  State bind(const Model& model, const BindContext& context) const {
    if (!(gamma > 0)) throw Error("MinSNR", ".gamma is " + std::to_string(gamma), "above 0; 5 in the paper");
    const auto device = model.text_encoder().embedding_table().device();
    const auto& own = model.scheduler();
    if (context.schedule.target)
      return {gamma, class_samples,
              predicted_by(context.schedule.target, context.schedule.num_train_timesteps, device)};
    const auto target = [&](const Tensor& x0, const Tensor& noise, const Tensor& t) {
      return own.target(x0, noise, t);
    };
    return {gamma, class_samples, predicted_by(target, own.num_train_timesteps(), device)};
  }
  Description describe() const { return {"MinSNR", {{"gamma", gamma}, {"class_samples", class_samples}}}; }

 private:
  // A schedule says what it has the model predict by the target a of x0 = 1 without noise, and b of noise = 1 without
  // x0: 0 and 1 of noise, 1 and 0 of x0, a^2 + b^2 = 1 with a < 0 of v.
  template <class F>
  static Predicts predicted_by(const F& target, std::int64_t timesteps, at::Device device) {
    const auto options = at::TensorOptions().device(device);
    const auto t = at::full({1}, timesteps / 2, options.dtype(at::kLong));
    const auto x0 = at::ones({1, 1, 1, 1}, options.dtype(at::kFloat));
    const double a = Tensor(target(x0, at::zeros_like(x0), t)).template item<double>();
    const double b = Tensor(target(at::zeros_like(x0), x0, t)).template item<double>();
    const auto near = [](double value, double to) { return std::abs(value - to) < 1e-3; };
    if (near(a, 0) && near(b, 1)) return Predicts::noise;
    if (near(a, 1) && near(b, 0)) return Predicts::x0;
    if (a < 0 && near(a * a + b * b, 1)) return Predicts::v;
    throw Error("MinSNR", "the schedule has the model predict neither noise, nor v, nor x0",
                "its weights are for these: leave it out, or write a Contribution of your own");
  }
};

}  // namespace persona
