#pragma once

#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/optim/optimizer.hpp>

#include <cstdint>
#include <map>
#include <optional>
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
  double max_grad_norm = 0;    ///< of all gradients together, which are shortened to it; 0: as they are

  static constexpr double most_lr = 1e6;  // beyond, fp32 rows are soon infinite

  class State;
  State bind(std::vector<Leaf> leaves, double default_lr) const;
  Description describe() const {
    return {"AdamW",
            {{"lr", lr},
             {"beta1", beta1},
             {"beta2", beta2},
             {"eps", eps},
             {"weight_decay", weight_decay},
             {"max_grad_norm", max_grad_norm}}};
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
    clip();
    std::map<std::pair<double, double>, Group> groups;  // by rate and decay
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
      Group& group = groups[{lr, leaf.decay_toward.defined() ? 0.0 : decay}];
      group.params.push_back(value), group.grads.push_back(value.grad());
      group.m.push_back(exp_avg_[i]), group.v.push_back(exp_avg_sq_[i]), group.counts.push_back(steps_[i]);
    }
    const std::optional<Tensor> found_inf = now.found_inf.defined() ? std::optional(now.found_inf) : std::nullopt;
    for (auto& [rate, group] : groups) {
      at::_foreach_add_(group.counts, found_inf ? 1 - *found_inf : at::ones_like(group.counts.front()));
      at::_fused_adamw_(group.params, group.grads, group.m, group.v, {}, group.counts, rate.first, settings_.beta1,
                        settings_.beta2, rate.second, settings_.eps, /*amsgrad=*/false, /*maximize=*/false,
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
  struct Group {
    std::vector<Tensor> params{}, grads{}, m{}, v{}, counts{};
  };

  // As torch.nn.utils.clip_grad_norm_ does, without looking at the norm on the host.
  void clip() {
    if (settings_.max_grad_norm <= 0) return;
    std::vector<Tensor> grads;
    for (const Leaf& leaf : leaves_)
      if (leaf.value.grad().defined()) grads.push_back(leaf.value.grad());
    if (grads.empty()) return;
    const auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(grads)));
    at::_foreach_mul_(grads, (settings_.max_grad_norm / (norm + 1e-6)).clamp_max(1.0));
  }

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
  expect("max_grad_norm", max_grad_norm, max_grad_norm >= 0, "0 and more; 0 leaves gradients as they are");
  expect("weight_decay", weight_decay, weight_decay >= 0 && weight_decay <= most_lr, "between 0 and 1e6");
  return {*this, std::move(leaves), default_lr};
}

}  // namespace persona
