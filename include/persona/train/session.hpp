#pragma once

#include <persona/core/error.hpp>
#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/batch.hpp>
#include <persona/data/latents.hpp>
#include <persona/train/bound.hpp>
#include <persona/train/options.hpp>
#include <persona/train/step.hpp>
#include <persona/train/training_step.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// What a session needs of a model, its type forgotten.
struct ErasedModel {
  std::shared_ptr<const void> keep{};  ///< the model itself, or nothing where it is borrowed
  std::function<void(Batch&, std::int64_t tick)> finish{};
  std::function<StepResult(const Batch&, std::optional<at::Generator>)> forward{};
  std::function<std::uint64_t()> fingerprint{};  ///< of the base tensors
  std::function<std::int64_t()> base_writes{};   ///< in-place writes into base tensors since the run began
};

/// One subject's photos, ready to be drawn from.
struct TrainingData {
  LatentSource latents;
  std::vector<std::vector<std::string>> captions{};  ///< per photo, all alike likely
  std::uint64_t fingerprint = 0;                     ///< of the photos, captions and class word
};

/// The state of a run and the loop's body; `Run` is its handle.
class Session {
 public:
  Session(ErasedModel model, std::shared_ptr<Bound> bound, std::vector<TrainingData> data, Random random,
          TrainOptions options)
      : model_(std::move(model)),
        bound_(std::move(bound)),
        data_(std::move(data)),
        random_(random),
        options_(std::move(options)) {
    if (options_.steps < 0)
      throw Error("personalize", ".steps is " + std::to_string(options_.steps), "0 takes the sum's own number");
    if (options_.steps == 0) options_.steps = bound_->default_steps;
    for (std::size_t subject = 0; subject < data_.size(); ++subject)
      for (std::int64_t photo = 0; photo < data_[subject].latents.size(); ++photo) photos_.push_back({subject, photo});
    bad_step_ = at::full({}, std::int64_t{-1},
                         at::TensorOptions().dtype(at::kLong).device(bound_->leaves.front().value.device()));
    std::int64_t trained = 0;
    for (const Leaf& leaf : bound_->leaves) trained += leaf.value.numel();
    keeps_previous_ = trained <= most_kept;
  }

  std::int64_t completed() const { return completed_; }
  std::int64_t steps() const { return options_.steps; }
  bool done() const { return completed_ >= options_.steps; }
  const TrainOptions& options() const { return options_; }
  const Bound& bound() const { return *bound_; }
  const std::vector<TrainingData>& data() const { return data_; }
  const ErasedModel& model() const { return model_; }
  bool pending() const { return pending_; }

  /// Of the base tensors; computed once, since they are not written and reading all of them takes a while.
  std::uint64_t model_fingerprint() const {
    if (!model_fingerprint_) model_fingerprint_ = model_.fingerprint();
    return *model_fingerprint_;
  }
  /// What the schedule makes of x0 = 1 and noise = 2, noised and as the target: [2, T] on the CPU.
  Tensor schedule_curves() const {
    const at::NoGradGuard no_grad;
    const auto& schedule = bound_->scheduler;
    const auto t = at::arange(schedule.num_train_timesteps, bad_step_.options());
    const auto x0 = at::ones({t.size(0), 1, 1, 1}, t.options().dtype(at::kFloat)), noise = x0 * 2;
    return at::stack({schedule.add_noise(x0, noise, t).flatten(), schedule.target(x0, noise, t).flatten()})
        .to(at::kCPU, at::kFloat);
  }
  /// The step that what run.learned() gives stands behind: earlier than completed() where a bad step was undone.
  std::int64_t learned_until() const {
    const auto bad = bad_step_.item<std::int64_t>();
    return bad >= 0 ? kept_until(bad) : undone_.empty() || !previous_.defined() ? completed_ : completed_ - 1;
  }

  /// The step that the loop stands on, computed if it was not yet.
  const Step& current() {
    if (pending_ && !done()) {
      const at::AutoGradMode grad(true);
      compute();
      pending_ = false;
    }
    return last_;
  }
  // One step in its parts, for who computes the losses of several sessions at once: begin_step(); for each micro-step
  // draw() its batch, compute its result, take() it and go backward from what that returns; end_step().

  void begin_step() {
    if (!started_) started_ = std::chrono::steady_clock::now();
    drop_gradients();  // of a step that an exception broke off
    record_ = {};
  }
  /// The micro-step's batch, with noise, timesteps and tokens.
  Batch draw(std::int64_t micro) {
    auto batch = next_batch(tick(micro));
    model_.finish(batch, tick(micro));
    return batch;
  }
  /// For what is drawn inside a step, such as nested dropout.
  at::Generator generator(std::int64_t micro) const { return random_.at(Stream::augmentation, tick(micro)); }
  /// Notes a micro-step's result and returns its share of the step's loss.
  Tensor take(const StepResult& result) {
    if (!result.loss.requires_grad())
      throw Error("personalize", "the loss does not depend on anything that is trained",
                  "do rows() and the adapters compute with their leaves, without detach()?");
    const auto share = 1.0 / static_cast<double>(options_.accumulate);
    add(record_, result, share);
    return options_.accumulate == 1 ? result.loss : result.loss * share;
  }
  /// Updates the leaves by the gradients that they have.
  void end_step() {
    find_bad_step(record_);
    keep_last_good();
    guard();
    const double factor = bound_->rate(completed_, options_.steps);
    if (!(factor >= 0) || !std::isfinite(factor))
      throw Error(
          "personalize",
          "the learning rate's factor at step " + std::to_string(completed_ + 1) + " is " + std::to_string(factor),
          "a schedule's factor(step, steps) is 0 or more");
    bound_->optimizer.step({.lr_factor = factor, .found_inf = (bad_step_ >= 0).to(at::kFloat)});
    drop_gradients();
    finish(std::move(record_));
  }
  /// What backward() is to give gradients.
  std::vector<Tensor> leaf_values() const {
    std::vector<Tensor> values;
    for (const Leaf& leaf : bound_->leaves) values.push_back(leaf.value);
    return values;
  }

  /// Moves on; a step that was passed over without being looked at is computed all the same.
  void advance() {
    if (pending_) (void)current();
    pending_ = true;
  }

  /// Sets the number of steps that are behind this run (resume); the leaves' values are the caller's to restore.
  void resume_at(std::int64_t completed) { completed_ = completed; }

  /// Throws Error where a step was not finite, or where something wrote into a base tensor.
  void check() const {
    const auto bad = bad_step_.item<std::int64_t>();
    if (bad >= 0)
      throw Error("personalize",
                  "the loss or a gradient was not finite at step " + std::to_string(bad + 1) +
                      "; run.learned() gives " +
                      (keeps_previous_ ? "what was learned until step " + std::to_string(kept_until(bad))
                                       : "the values that led there, too many for a second copy"),
                  "lower the learning rate, or look for a photo or a base weight that is not finite");
    if (model_.base_writes() != 0)
      throw Error("personalize", "something wrote into a base tensor of the model during the run",
                  "a component must change leaves alone");
  }

  /// Throws Error where the last update left something that is not finite; what was before it comes back.
  void expect_finite_leaves() const {
    for (const Leaf& leaf : bound_->leaves)
      if (undone_.empty() && !at::isfinite(leaf.value).all().item<bool>()) undone_ = leaf.name;
    if (undone_.empty()) return;
    const at::NoGradGuard no_grad;
    if (previous_.defined()) put_back();
    throw Error("personalize",
                "'" + undone_ + "' was not finite after step " + std::to_string(completed_) +
                    (!previous_.defined() ? "" : "; run.learned() gives what was learned before it"),
                "lower the learning rate");
  }

 private:
  struct PhotoIndex {
    std::size_t subject;
    std::int64_t photo;
  };

  // Photos in shuffled epochs: the order is a function of the seed and the epoch alone.
  PhotoIndex photo_at(std::int64_t position) {
    const auto n = static_cast<std::int64_t>(photos_.size());
    const auto epoch = position / n;
    if (epoch != epoch_ || order_.empty()) {
      const auto permutation = at::randperm(n, random_.on_host(Stream::data, -1 - epoch), at::kLong);
      order_.assign(permutation.const_data_ptr<std::int64_t>(), permutation.const_data_ptr<std::int64_t>() + n);
      epoch_ = epoch;
    }
    return photos_[static_cast<std::size_t>(order_[static_cast<std::size_t>(position % n)])];
  }

  Batch next_batch(std::int64_t tick) {
    Batch batch{.step = completed_};
    auto host = random_.on_host(Stream::data, tick);
    const auto posterior = random_.at(Stream::posterior, tick);
    std::vector<Tensor> latents, masks;
    for (std::int64_t i = 0; i < options_.batch;) {
      // Neighbours of one subject are drawn together.
      const auto subject = photo_at(tick * options_.batch + i).subject;
      std::vector<std::int64_t> photos;
      for (; i < options_.batch; ++i) {
        const auto next = photo_at(tick * options_.batch + i);
        if (next.subject != subject) break;
        photos.push_back(next.photo);
        const auto& captions = data_[subject].captions[static_cast<std::size_t>(next.photo)];
        const auto chosen =
            at::randint(0, static_cast<std::int64_t>(captions.size()), {}, host, at::kLong).item<std::int64_t>();
        batch.captions.push_back(captions[static_cast<std::size_t>(chosen)]);
        batch.subjects.push_back(static_cast<std::int64_t>(subject));
      }
      const auto& source = data_[subject].latents;
      const auto drawn = source.draw(photos, host, posterior);
      const auto first = batch.captions.size() - photos.size();
      for (std::size_t k = 0; k < photos.size(); ++k)
        batch.captions[first + k] = source.caption(std::move(batch.captions[first + k]), drawn.variants[k]);
      latents.push_back(drawn.latents);
      masks.push_back(source.mask(drawn));
    }
    batch.latents = latents.size() == 1 ? latents.front() : at::cat(latents);
    if (std::ranges::any_of(masks, [](const Tensor& mask) { return mask.defined(); })) {
      for (std::size_t i = 0; i < masks.size(); ++i)
        if (!masks[i].defined()) masks[i] = at::ones({latents[i].size(0), 1, latents[i].size(2), latents[i].size(3)});
      batch.mask = at::cat(masks);
    }
    return batch;
  }

  void compute() {
    begin_step();
    for (std::int64_t micro = 0; micro < options_.accumulate; ++micro) {
      const auto batch = draw(micro);
      take(model_.forward(batch, generator(micro))).backward({}, std::nullopt, false, leaf_values());
    }
    end_step();
  }

  void drop_gradients() {
    for (Leaf& leaf : bound_->leaves) leaf.value.mutable_grad() = Tensor();
  }

  static void add(Step& record, const StepResult& result, double share) {
    const auto accumulate = [share](Tensor& sum, const Tensor& part) {
      sum = sum.defined() ? sum + share * part : share * part;
    };
    accumulate(record.loss_, result.loss.detach());
    accumulate(record.denoising_, result.denoising);
    for (std::size_t i = 0; i < result.terms.size(); ++i) {
      if (record.terms_.size() <= i) record.terms_.emplace_back(result.terms[i].first, Tensor());
      accumulate(record.terms_[i].second, result.terms[i].second);
    }
  }

  std::int64_t tick(std::int64_t micro) const { return completed_ * options_.accumulate + micro; }

  // On the device: once a step is bad every later one changes nothing.
  void find_bad_step(const Step& record) {
    std::vector<Tensor> grads;
    for (const Leaf& leaf : bound_->leaves)
      if (leaf.value.grad().defined()) grads.push_back(leaf.value.grad().flatten());
    if (keeps_previous_ && !grads.empty()) grads = {at::cat(grads)};  // hundreds of small leaves in one look
    auto finite = at::isfinite(record.loss_);
    auto any = at::zeros_like(finite);
    for (const Tensor& grad : grads) {
      finite = finite.logical_and(at::isfinite(grad).all());
      if (completed_ == 0) any = any.logical_or((grad != 0).any());
    }
    learns_ = any;
    bad_step_ =
        at::where((bad_step_ < 0).logical_and(finite.logical_not()), at::full_like(bad_step_, completed_), bad_step_);
  }

  // A loss that is not finite condemns the update before it, so the values that gave the last finite loss come back.
  void keep_last_good() {
    if (!keeps_previous_) return;
    const at::NoGradGuard no_grad;
    std::vector<Tensor> flat;
    for (const Leaf& leaf : bound_->leaves) flat.push_back(leaf.value.detach().flatten());
    const auto now = at::cat(flat);
    if (!previous_.defined()) first_kept_ = completed_, previous_ = now;
    previous_ = at::where(bad_step_ >= 0, previous_, now);
    put_back();
  }
  void put_back() const {
    std::vector<Tensor> values, kept;
    std::int64_t first = 0;
    for (const Leaf& leaf : bound_->leaves) {
      values.push_back(leaf.value);
      kept.push_back(previous_.narrow(0, first, leaf.value.numel()).view(leaf.value.sizes()));
      first += leaf.value.numel();
    }
    at::_foreach_copy_(values, kept);
  }
  std::int64_t kept_until(std::int64_t bad) const { return keeps_previous_ ? std::max(bad - 1, first_kept_) : bad; }

  // The host looks when it is cheap.
  void guard() {
    const bool cheap = bad_step_.device().is_cpu() || completed_ % 16 == 0 || completed_ + 1 == options_.steps;
    if (cheap) check();
    if (completed_ == 0 && !learns_.item<bool>())
      throw Error("personalize",
                  "the gradient of everything that is trained is exactly 0 at the first step: nothing would be learned",
                  "is the token in the captions, and does the denoiser read the text states?");
  }

  void finish(Step record) {
    ++completed_;
    ++computed_here_;
    record.index = completed_;
    record.steps = options_.steps;
    record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - *started_).count();
    record.rate = static_cast<double>(computed_here_) / std::max(record.seconds, 1e-9);
    if (!bound_->rows.empty() && !bound_->layered()) {
      const at::NoGradGuard no_grad;
      std::vector<Tensor> rows, start;
      for (const BoundRows& row : bound_->rows) {
        rows.push_back(row.at({}).rows.detach().clone());
        start.push_back(row.initial);
      }
      record.rows_ = at::cat(rows);
      record.start_ = at::cat(start);
    }
    last_ = std::move(record);
  }

  ErasedModel model_;  // first, so that it outlives what hangs on it
  std::shared_ptr<Bound> bound_;
  std::vector<TrainingData> data_;
  Random random_;
  TrainOptions options_;
  std::vector<PhotoIndex> photos_{};
  std::vector<std::int64_t> order_{};
  std::int64_t epoch_ = -1;
  static constexpr std::int64_t most_kept = 4'000'000;  // values of which a second copy is no matter
  Tensor bad_step_{}, learns_{};
  Tensor previous_{};  // the leaves that gave the last finite loss, one after the other
  bool keeps_previous_ = false;
  std::int64_t first_kept_ = 0;
  mutable std::string undone_{};  // the leaf that the last update spoiled
  mutable std::optional<std::uint64_t> model_fingerprint_{};
  std::int64_t completed_ = 0, computed_here_ = 0;
  bool pending_ = true;
  Step last_{}, record_{};
  std::optional<std::chrono::steady_clock::time_point> started_{};
};

}  // namespace persona
