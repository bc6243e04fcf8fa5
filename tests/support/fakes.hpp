#pragma once
// Small stand-ins for methods that are not in the library yet, with the shape that the real ones will have: they try
// the concepts against the hardest methods. Each trains for real; none picks its basis, subset or schedule with care.

#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/weight.hpp>
#include <persona/data/batch.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/loss/step_view.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/text/row_set.hpp>

#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/relu.h>

#include <memory>
#include <string>
#include <vector>

namespace fakes {

using persona::Batch;
using persona::BindContext;
using persona::Description;
using persona::Leaf;
using persona::make_leaf;
using persona::Plays;
using persona::Role;
using persona::RowQuery;
using persona::RowSet;
using persona::StepView;
using persona::Tensor;
using persona::WeightKind;
using persona::WeightRef;

/// SVDiff: W' = U diag(relu(s + d)) V^T, in its materialized form.
struct SpectralShift {
  using plays = Plays<Role::weight_parameterization>;
  std::string subset{};
  struct Shift : persona::Replacement {
    Leaf delta;
    Tensor u, s, vt;
    std::vector<Leaf> leaves() const override { return {delta}; }
    std::shared_ptr<const persona::Adapter> snapshot() const override {
      auto copy = std::make_shared<Shift>(*this);
      copy->delta = persona::frozen(delta);
      return copy;
    }
    Tensor value(const Tensor& base) const override {
      return (u * at::relu(s + delta.value)).matmul(vt).reshape(base.sizes());
    }
  };
  bool selects(const WeightRef& ref) const {
    return (ref.kind == WeightKind::linear || ref.kind == WeightKind::conv2d) &&
           ref.name.find(subset) != std::string::npos;
  }
  std::shared_ptr<Shift> bind(const WeightRef& ref, const BindContext&) const {
    auto shift = std::make_shared<Shift>();
    std::tie(shift->u, shift->s, shift->vt) = at::linalg_svd(ref.base.flatten(1).to(at::kFloat), false);
    shift->delta = make_leaf("delta", at::zeros_like(shift->s));
    return shift;
  }
  double default_learning_rate() const { return 1e-3; }
  Description describe() const { return {"SpectralShift", {{"subset", subset}}}; }
};

/// LoRA on linear layers: W' = W + (alpha / r) B A.
struct LowRank {
  using plays = Plays<Role::weight_parameterization>;
  std::int64_t rank = 2;
  struct Factors : persona::Delta {
    Leaf a, b;
    std::vector<Leaf> leaves() const override { return {a, b}; }
    std::shared_ptr<const persona::Adapter> snapshot() const override {
      auto copy = std::make_shared<Factors>(*this);
      copy->a = persona::frozen(a);
      copy->b = persona::frozen(b);
      return copy;
    }
    Tensor value(const Tensor& base) const override { return b.value.matmul(a.value).reshape(base.sizes()); }
    Tensor linear(const Tensor& x, const Tensor&) const override {
      return at::linear(at::linear(x, persona::as_compute(a.value, x)), persona::as_compute(b.value, x));
    }
  };
  bool selects(const WeightRef& ref) const { return ref.kind == WeightKind::linear; }
  std::shared_ptr<Factors> bind(const WeightRef& ref, const BindContext& context) const {
    auto generator = context.random.at(persona::Stream::initialization);
    auto factors = std::make_shared<Factors>();
    factors->a = make_leaf("lora_A", at::randn({rank, ref.base.size(1)}, generator) / static_cast<double>(rank));
    factors->b = make_leaf("lora_B", at::zeros({ref.base.size(0), rank}));
    return factors;
  }
  double default_learning_rate() const { return 1e-4; }
  Description describe() const { return {"LowRank", {{"rank", rank}}}; }
};

/// Custom Diffusion: the K and V projections of cross attention themselves.
struct CrossAttentionKV {
  using plays = Plays<Role::weight_parameterization>;
  struct Full : persona::Replacement {
    Leaf weight;
    std::vector<Leaf> leaves() const override { return {weight}; }
    std::shared_ptr<const persona::Adapter> snapshot() const override {
      auto copy = std::make_shared<Full>(*this);
      copy->weight = persona::frozen(weight);
      return copy;
    }
    Tensor value(const Tensor&) const override { return weight.value; }
  };
  bool selects(const WeightRef& ref) const {
    return ref.host == "unet" && ref.name.find("attn2") != std::string::npos &&
           ref.name.find("to_q") == std::string::npos;
  }
  std::shared_ptr<Full> bind(const WeightRef& ref, const BindContext&) const {
    auto full = std::make_shared<Full>();
    full->weight = make_leaf("weight", ref.base);
    return full;
  }
  double default_learning_rate() const { return 1e-5; }
  Description describe() const { return {"CrossAttentionKV", {}}; }
};

/// Adds as many class images as there are instance images, drawn once from the base model.
struct PriorPreservation {
  using plays = Plays<Role::contribution>;
  std::string prompt{};
  double weight = 1.0;
  struct State {
    std::string prompt;
    double weight;
    Tensor latents;
    void contribute(Batch& batch, at::Generator& generator) {
      const auto n = batch.size();
      const auto chosen = at::randint(0, latents.size(0), {n}, generator, at::kLong);
      batch.latents = at::cat({batch.latents, latents.index_select(0, chosen)});
      batch.captions.insert(batch.captions.end(), static_cast<std::size_t>(n), prompt);
      batch.subjects.insert(batch.subjects.end(), static_cast<std::size_t>(n), -1);
      const auto ones = batch.weights.defined() ? batch.weights : at::ones({n});
      batch.weights = 2 * at::cat({ones, weight * at::ones({n})});  // mean over instances + weight * mean over class
    }
  };
  template <class Model>
  State bind(const Model&, const BindContext& context) const {
    return {prompt, weight, context.sample(prompt, 4)};
  }
  Description describe() const { return {"PriorPreservation", {{"prompt", prompt}, {"weight", weight}}}; }
};

/// SVDiff's Cut-Mix-Unmix for two subjects: halves of two latents in one, and each token kept off the other's half.
struct CutMixUnmix {
  using plays = Plays<Role::contribution, Role::regularizer>;
  double weight = 1e-2;
  struct State {
    double weight;
    std::string left, right;
    void contribute(Batch& batch, at::Generator&) {
      const auto half = batch.latents.size(3) / 2;
      batch.latents = at::cat({batch.latents.slice(3, 0, half), batch.latents.flip({0}).slice(3, half)}, 3);
      for (std::string& caption : batch.captions) caption = "photo of a " + left + " on the " + right;
    }
    bool wants(const persona::AttentionLayer& layer) const { return layer.index == 1; }
    Tensor loss(const StepView& view) const {
      Tensor sum = at::zeros({}, view.prediction.options());
      for (const auto& map : view.attention) {
        const auto image = map.probabilities.mean(1).view({view.batch.size(), map.layer.height, map.layer.width, -1});
        const auto right_half = image.slice(2, map.layer.width / 2);
        for (std::size_t i = 0; i < view.batch.prompts.size(); ++i)
          sum = sum + right_half[static_cast<std::int64_t>(i)]
                          .select(-1, view.batch.prompts[i].slots.front().position)
                          .square()
                          .mean();
      }
      return weight * sum;
    }
  };
  template <class Model>
  State bind(const Model&, const BindContext& context) const {
    if (context.subjects.size() < 2) throw persona::Error("CutMixUnmix", "needs two subjects", "pass a span of two");
    return {weight, context.subjects[0].token, context.subjects[1].token};
  }
  Description describe() const { return {"CutMixUnmix", {{"weight", weight}}}; }
};

}  // namespace fakes
