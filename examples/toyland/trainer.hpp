#pragma once
// What the maker's training programs share. Here, and only here, base tensors are what is trained.

#include "tensor_file.hpp"

#include <persona/core/device.hpp>
#include <persona/core/memory.hpp>
#include <persona/core/placement.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <future>
#include <string>
#include <vector>

namespace toyland {

using persona::Tensor;

inline at::Generator generator_of(std::uint64_t seed) {
  auto generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  generator.set_current_seed(seed);
  return generator;
}

/// Fills every weight of a module as PyTorch does: uniform within 1 / sqrt(fan in), norms at one, biases at zero,
/// tables N(0, 0.02). Weights whose name ends in one of `zero` start at zero.
template <class Module>
void initialize(Module& module, std::uint64_t seed, const std::vector<std::string>& zero = {}) {
  auto generator = generator_of(seed);
  persona::for_each_weight(module, [&](const std::string& name, persona::Weight& weight) {
    const auto shape = weight.base.sizes().vec();
    const auto options = at::TensorOptions().dtype(at::kFloat);
    const bool zeroed =
        std::any_of(zero.begin(), zero.end(), [&](const std::string& end) { return name.ends_with(end); });
    if (weight.kind == persona::WeightKind::norm)
      weight.base = at::ones(shape, options);
    else if (weight.kind == persona::WeightKind::bias || zeroed)
      weight.base = at::zeros(shape, options);
    else if (weight.kind == persona::WeightKind::embedding)
      weight.base = at::randn(shape, generator, options) * 0.02;
    else
      weight.base = (2 * at::rand(shape, generator, options) - 1) *
                    std::sqrt(static_cast<double>(shape[0]) / static_cast<double>(weight.base.numel()));
  });
}

/// A copy of the module that computes in `dtype`; gradients flow back to the module's own weights.
template <class Module>
Module as_dtype(const Module& module, at::ScalarType dtype) {
  Module copy = module;
  persona::for_each_weight(copy,
                           [&](const std::string&, persona::Weight& weight) { weight.base = weight.base.to(dtype); });
  return copy;
}

/// AdamW with clipping and a running average over the weights of some modules.
class Trainer {
 public:
  struct Parameter {
    std::string name;
    Tensor value, exp_avg, exp_avg_sq, count, average;
  };

  template <class Module>
  void add(const std::string& prefix, Module& module) {
    persona::for_each_weight(module, [&](const std::string& name, persona::Weight& weight) {
      weight.base = weight.base.detach().clone();
      weight.base.set_requires_grad(true);
      parameters_.push_back({prefix + "." + name, weight.base, at::zeros_like(weight.base), at::zeros_like(weight.base),
                             at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(weight.base.device())),
                             weight.base.detach().clone()});
    });
  }

  /// One step along the gradients that backward() left, which are then dropped; returns their norm. A step with a
  /// gradient that is not finite is skipped.
  double step(double lr, double decay = 0.01, double clip = 1.0, double average = 0.0) {
    const at::NoGradGuard no_grad;
    std::vector<Tensor> values, grads, m, v, counts;
    Tensor square = at::zeros({}, parameters_.front().count.options());
    for (auto& p : parameters_) {
      if (!p.value.grad().defined()) continue;
      values.push_back(p.value), grads.push_back(p.value.grad()), m.push_back(p.exp_avg), v.push_back(p.exp_avg_sq),
          counts.push_back(p.count);
      square = square + p.value.grad().square().sum();
    }
    const double norm = std::sqrt(square.item<double>());
    if (std::isfinite(norm)) {
      const double scale = clip > 0 && norm > clip ? clip / norm : 1.0;
      for (auto& count : counts) count.add_(1);
      for (auto& grad : grads) grad.mul_(scale);
      at::_fused_adamw_(values, grads, m, v, {}, counts, lr, 0.9, 0.99, decay, 1e-8, false, false);
      if (average > 0)
        for (auto& p : parameters_) p.average.lerp_(p.value, 1 - average);
    } else {
      std::printf("skipped a step: the gradient is not finite\n");
    }
    for (auto& p : parameters_) p.value.mutable_grad() = Tensor{};
    return norm;
  }

  /// Puts the running averages in the weights' place, and back.
  void swap_average() {
    const at::NoGradGuard no_grad;
    for (auto& p : parameters_) {
      const auto kept = p.value.detach().clone();
      p.value.copy_(p.average), p.average.copy_(kept);
    }
  }

  /// Goes on from the running averages.
  void adopt_average() {
    const at::NoGradGuard no_grad;
    for (auto& p : parameters_) p.value.copy_(p.average);
  }

  void reset_average() {
    const at::NoGradGuard no_grad;
    for (auto& p : parameters_) p.average.copy_(p.value);
  }

  TensorMap state(long step) const {
    TensorMap all{{"step", at::full({}, static_cast<std::int64_t>(step), at::TensorOptions().dtype(at::kLong))}};
    for (const auto& p : parameters_) {
      all[p.name] = p.value.detach(), all["exp_avg." + p.name] = p.exp_avg, all["exp_avg_sq." + p.name] = p.exp_avg_sq;
      all["count." + p.name] = p.count, all["average." + p.name] = p.average;
    }
    return all;
  }
  /// Returns the step at which `all` was taken.
  long load(const TensorMap& all) {
    const at::NoGradGuard no_grad;
    for (auto& p : parameters_) {
      p.value.copy_(all.at(p.name)), p.exp_avg.copy_(all.at("exp_avg." + p.name)),
          p.exp_avg_sq.copy_(all.at("exp_avg_sq." + p.name));
      p.count.copy_(all.at("count." + p.name)), p.average.copy_(all.at("average." + p.name));
    }
    return all.at("step").item<std::int64_t>();
  }

 private:
  std::vector<Parameter> parameters_;
};

/// Copies weights "prefix.name" out of a checkpoint; the running averages where `average`.
template <class Module>
void load_module(Module& module, const TensorMap& all, const std::string& prefix, bool average = true) {
  const at::NoGradGuard no_grad;
  persona::for_each_weight(module, [&](const std::string& name, persona::Weight& weight) {
    const auto found = all.find((average ? "average." : "") + prefix + "." + name);
    if (found == all.end() || found->second.sizes() != weight.base.sizes())
      throw std::runtime_error("the checkpoint has no fitting " + prefix + "." + name);
    weight.base = found->second.to(at::kFloat).clone();
  });
}

/// Copies those weights of a checkpoint's averages that have the shape of the module's.
template <class Module>
void load_what_fits(Module& module, const TensorMap& all, const std::string& prefix) {
  persona::for_each_weight(module, [&](const std::string& name, persona::Weight& weight) {
    const auto found = all.find("average." + prefix + "." + name);
    if (found != all.end() && found->second.sizes() == weight.base.sizes())
      weight.base = found->second.to(at::kFloat).clone();
  });
}

/// The same into weights that are being trained: the tensors stay.
template <class Module>
void load_into(Module& module, const TensorMap& all, const std::string& prefix) {
  const at::NoGradGuard no_grad;
  persona::for_each_weight(module, [&](const std::string& name, persona::Weight& weight) {
    weight.base.copy_(all.at("average." + prefix + "." + name));
  });
}

/// Runs `part(i)` for i = 0 .. n - 1, each on a thread of its own, and adds up the arrays that they return: the
/// gradients meet in the weights.
template <class Part>
auto on_threads(long n, Part&& part) {
  std::vector<std::future<decltype(part(0L))>> others;
  for (long i = 1; i < n; ++i) others.push_back(std::async(std::launch::async, part, i));
  auto sum = part(0L);
  for (auto& other : others) {
    const auto more = other.get();
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += more[k];
  }
  return sum;
}

/// Writes a module's weights in fp16 under their own names.
template <class Module>
void save_half(const std::string& path, const Module& module, const std::map<std::string, std::string>& metadata = {}) {
  TensorMap half;
  persona::for_each_weight(module, [&](const std::string& name, const persona::Weight& weight) {
    half[name] = weight.base.detach().to(at::kHalf).contiguous();
  });
  save_tensors(path, half, metadata);
}

/// How far a budget is spent: in steps, or in minutes of this run where minutes are given.
class Progress {
 public:
  Progress(long steps, double minutes, long start = 0) : steps_(steps), start_(start), minutes_(minutes) {}

  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }
  double fraction(long step) const {
    return minutes_ > 0 ? std::min(1.0, seconds() / (60 * minutes_))
                        : std::min(1.0, static_cast<double>(step) / static_cast<double>(steps_));
  }
  void print(long step, const char* what) const {
    const double rate = static_cast<double>(step - start_ + 1) / seconds(), done = fraction(step + 1);
    const double left = minutes_ > 0 ? 60 * minutes_ - seconds() : static_cast<double>(steps_ - step - 1) / rate;
    std::printf("step %ld  %3.0f %%  %s  %.2f it/s  ETA %.0f min\n", step, 100 * done, what, rate, left / 60),
        std::fflush(stdout);
  }

 private:
  long steps_, start_;
  double minutes_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Warm-up, a constant half and a cosine down to a twentieth.
inline double learning_rate(double peak, double fraction, long step, long warmup = 100) {
  const double warm = std::min(1.0, static_cast<double>(step + 1) / static_cast<double>(warmup));
  const double late = std::max(0.0, (fraction - 0.5) / 0.5);
  return peak * warm * (0.05 + 0.95 * 0.5 * (1 + std::cos(late * 3.14159265358979)));
}

}  // namespace toyland
