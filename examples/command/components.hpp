#pragma once
// Components of a sum that is known at run time alone.

#include <persona/persona.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace command {

/// A contribution that is there or not.
template <class C>
struct If {
  using plays = persona::Plays<persona::Role::contribution>;
  std::optional<C> part{};

  template <class State>
  struct Bound {
    std::optional<State> state{};
    void contribute(persona::Batch& batch, at::Generator& generator) const
      requires requires(const State& s) { s.contribute(batch, generator); }
    {
      if (state) state->contribute(batch, generator);
    }
    void reweigh(persona::Batch& batch, const persona::Tensor& snr) const
      requires requires(const State& s) { s.reweigh(batch, snr); }
    {
      if (state) state->reweigh(batch, snr);
    }
  };
  template <class Model>
  auto bind(const Model& model, const persona::BindContext& context) const {
    Bound<decltype(part->bind(model, context))> bound;
    if (part) bound.state = part->bind(model, context);
    return bound;
  }
  persona::Description describe() const { return part ? part->describe() : persona::Description{"NoContribution", {}}; }
};

/// A learning-rate schedule by name: constant, linear or cosine.
struct NamedRate {
  using plays = persona::Plays<persona::Role::learning_rate_schedule>;
  std::string name = "constant";
  std::int64_t warmup = 0;
  double factor(std::int64_t step, std::int64_t steps) const {
    if (name == "linear") return persona::LinearRate{warmup}.factor(step, steps);
    if (name == "cosine") return persona::CosineRate{warmup}.factor(step, steps);
    return persona::ConstantRate{warmup}.factor(step, steps);
  }
  persona::Description describe() const { return {"NamedRate", {{"name", name}, {"warmup", warmup}}}; }
};

/// RandomScale, or photos as they are.
struct IfScaled {
  using plays = persona::Plays<persona::Role::augmentation>;
  std::optional<persona::RandomScale> part{};
  persona::Variants variants() const { return part ? part->variants() : persona::Variants::finite(1); }
  std::int64_t draw(at::Generator& generator) const { return part ? part->draw(generator) : 0; }
  persona::Tensor apply(const persona::Tensor& image, std::int64_t variant) const {
    return part ? part->apply(image, variant) : image;
  }
  persona::Tensor mask(const persona::Tensor& mask, std::int64_t factor, std::int64_t variant) const {
    return part ? part->mask(mask, factor, variant) : mask;
  }
  std::string caption(std::string text, std::int64_t variant) const {
    return part ? part->caption(std::move(text), variant) : text;
  }
  persona::Description describe() const { return part ? part->describe() : persona::Description{"NoAugmentation", {}}; }
};

}  // namespace command
