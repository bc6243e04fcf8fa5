#pragma once

#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/subject.hpp>
#include <persona/model/sample_options.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace persona {

/// What the run's schedule, the sum's own or the model's, has the model predict.
struct BoundTarget {
  std::int64_t num_train_timesteps = 0;
  std::function<Tensor(const Tensor& x0, const Tensor& noise, const Tensor& t)> target{};
};

/// What a component may use, beside the model, when a sum is bound; valid until bind() returns: copy what is kept.
struct BindContext {
  std::span<const Subject> subjects{};  ///< all that are trained together
  std::size_t subject = 0;              ///< the one whose rows are being made
  Random random{};
  Stream stream = Stream::initialization;  ///< that of generator(); an initializer's is Stream::initial_rows
  std::filesystem::path cache{};           ///< folder for what is worth keeping; empty: keep nothing
  /// Latents [n, C, h, w] drawn by the base model for a prompt (prior preservation).
  std::function<Tensor(const std::string& prompt, std::int64_t n, const SampleOptions& options)> sample{};
  /// The model is the run's own: base weights that no change reads are let go of, one by one as changes are bound.
  bool let_go = false;
  /// Of the base model's tensors: what is kept of one model is not another's.
  std::function<std::uint64_t()> model_fingerprint{};
  /// Gradients [batches, n, D] of the denoising loss in a subject's rows [n, D], over the run's first batches.
  std::function<Tensor(const Subject& subject, const Tensor& rows, std::int64_t batches)> row_gradients{};
  /// For regularizers, contributions and augmentations; empty where one is bound by hand.
  BoundTarget schedule{};
  /// Told of what takes long while a sum is bound: "weights", 3, 100.
  std::function<void(const std::string& what, std::int64_t done, std::int64_t all)> progress{};

  const Subject& current() const { return subjects[subject]; }
  /// A fresh generator of the current subject's own numbers, the same on every device (it draws on the host). Each
  /// call begins the numbers anew: keep it for several draws.
  at::Generator generator() const { return random.on_host(stream, static_cast<std::int64_t>(subject)); }
  /// Those of the current subject; throws Error where a sum is bound without its photos.
  Tensor gradients(const Tensor& rows, std::int64_t batches, const std::string& who) const {
    if (!row_gradients)
      throw Error(who, "looks at the gradients of the first batches, and there is no data where it is bound",
                  "begin the run with personalize()");
    return row_gradients(current(), rows, batches);
  }
};

}  // namespace persona
