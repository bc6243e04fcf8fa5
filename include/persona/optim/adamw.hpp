#pragma once

#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/optim/optimizer.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// AdamW (Loshchilov & Hutter 2019) on the leaves alone: one fused pass a group of leaves with the same rate and decay.
struct AdamW {
  using plays = Plays<Role::optimizer>;
  double lr = 0.0;  ///< 0: the parameterization's default
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 1e-2;  ///< decoupled; a Leaf may set its own

  static constexpr double most_lr = 1e6;  // beyond, fp32 rows are soon infinite

  class State;
  State bind(std::vector<Leaf> leaves, double default_lr) const;
  Description describe() const {
    return {"AdamW", {{"lr", lr}, {"beta1", beta1}, {"beta2", beta2}, {"eps", eps}, {"weight_decay", weight_decay}}};
  }
};

/// The moments of AdamW for one run.
class AdamW::State {
 public:
  State(const AdamW& settings, std::vector<Leaf> leaves, double default_lr)
      : settings_(settings), lr_(settings.lr > 0 ? settings.lr : default_lr), leaves_(std::move(leaves)) {
    for (const Leaf& leaf : leaves_) {
      exp_avg_.push_back(at::zeros_like(leaf.value));
      exp_avg_sq_.push_back(at::zeros_like(leaf.value));
      steps_.push_back(at::zeros({}, leaf.value.options().requires_grad(false)));
    }
  }

  void step(const OptimizerStep& now) {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      const Leaf& leaf = leaves_[i];
      if (!leaf.value.grad().defined()) continue;
      const double lr = lr_ * now.lr_factor * leaf.lr_scale;
      const double decay = leaf.weight_decay >= 0 ? leaf.weight_decay : settings_.weight_decay;
      auto value = leaf.value;
      // _fused_adamw_ decays toward zero only: a leaf with a goal of its own is pulled there first.
      if (leaf.decay_toward.defined()) {
        auto pull = (lr * decay) * (leaf.decay_toward - value);
        if (now.found_inf.defined()) pull = at::where(now.found_inf > 0, at::zeros_like(pull), pull);
        value.add_(pull);
      }
      auto count = steps_[i];
      count.add_(now.found_inf.defined() ? 1 - now.found_inf : at::ones_like(count));
      const std::vector<Tensor> params{value}, grads{value.grad()}, m{exp_avg_[i]}, v{exp_avg_sq_[i]}, counts{count};
      const std::optional<Tensor> found_inf = now.found_inf.defined() ? std::optional(now.found_inf) : std::nullopt;
      at::_fused_adamw_(params, grads, m, v, {}, counts, lr, settings_.beta1, settings_.beta2,
                        leaf.decay_toward.defined() ? 0.0 : decay, settings_.eps, /*amsgrad=*/false, /*maximize=*/false,
                        /*grad_scale=*/std::nullopt, found_inf);
    }
  }

  /// "NAME.exp_avg", "NAME.exp_avg_sq", "NAME.step" for every leaf.
  std::vector<NamedTensor> state() const {
    std::vector<NamedTensor> named;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      named.emplace_back(leaves_[i].name + ".exp_avg", exp_avg_[i]);
      named.emplace_back(leaves_[i].name + ".exp_avg_sq", exp_avg_sq_[i]);
      named.emplace_back(leaves_[i].name + ".step", steps_[i]);
    }
    return named;
  }

  double learning_rate() const { return lr_; }

 private:
  AdamW settings_;
  double lr_;
  std::vector<Leaf> leaves_;
  std::vector<Tensor> exp_avg_, exp_avg_sq_, steps_;
};

inline AdamW::State AdamW::bind(std::vector<Leaf> leaves, double default_lr) const {
  const auto expect = [](const char* field, double value, bool fits, const char* range) {
    if (!fits) throw Error("AdamW", "." + std::string(field) + " is " + Field(field, value).value, range);
  };
  expect("lr", lr, lr >= 0 && lr <= most_lr, "between 0 and 1e6; 0 takes the parameterization's own");
  expect("beta1", beta1, beta1 >= 0 && beta1 < 1, "0 and more, below 1");
  expect("beta2", beta2, beta2 >= 0 && beta2 < 1, "0 and more, below 1");
  expect("eps", eps, eps > 0 && eps < 1, "above 0, below 1");
  expect("weight_decay", weight_decay, weight_decay >= 0 && weight_decay <= most_lr, "0 and more");
  return {*this, std::move(leaves), default_lr};
}

}  // namespace persona
