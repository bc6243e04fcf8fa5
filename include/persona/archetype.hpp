#pragma once
// Archetypes of everything that a sum is made of (those of models are in model/archetype.hpp), and minus-one
// archetypes: Without<A, piece> has all that A has but one piece. Test generic code of your own with both: it must work
// with A, and fail without any piece that it needs.

#include <persona/concepts.hpp>
#include <persona/model/archetype.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace persona::archetype {

struct Initializer {
  using plays = Plays<Role::initializer>;
  template <persona::DiffusionModel M>
  Tensor rows(const M&, const BindContext&) const;
  Description describe() const;
};

struct RowState {
  std::vector<Leaf> leaves() const;
  Tensor rows() const;
};
struct RowParameterization {
  using plays = Plays<Role::row_parameterization>;
  template <persona::DiffusionModel M>
  RowState bind(const Tensor&, const M&, const BindContext&) const;
  Description describe() const;
};

struct LayeredRowState {
  std::vector<Leaf> leaves() const;
  RowSet rows(const RowQuery&) const;
  LayeredRowState snapshot() const;
};
struct LayeredRowParameterization {
  using plays = Plays<Role::row_parameterization>;
  template <persona::DiffusionModel M>
  LayeredRowState bind(const Tensor&, const M&, const BindContext&) const;
  Description describe() const;
};

struct WeightParameterization {
  using plays = Plays<Role::weight_parameterization>;
  bool selects(const WeightRef&) const;
  std::shared_ptr<Replacement> bind(const WeightRef&, const BindContext&) const;
  Description describe() const;
};

struct Regularizer {
  using plays = Plays<Role::regularizer>;
  Tensor loss(const StepView&) const;
  Description describe() const;
};

struct AttentionRegularizer : Regularizer {
  bool wants(const AttentionLayer&) const;
};

struct Contribution {
  using plays = Plays<Role::contribution>;
  void contribute(Batch&, at::Generator&);
  Description describe() const;
};

struct Augmentation {
  using plays = Plays<Role::augmentation>;
  Variants variants() const;
  std::int64_t draw(at::Generator&) const;
  Tensor apply(const Tensor&, std::int64_t) const;
  Description describe() const;
};

struct TrainingScheduler : Scheduler {
  using plays = Plays<Role::scheduler>;
  Description describe() const;
};

struct OptimizerState {
  void step(const OptimizerStep&);
  std::vector<NamedTensor> state() const;
};
struct Optimizer {
  using plays = Plays<Role::optimizer>;
  OptimizerState bind(std::vector<Leaf>, double) const;
  Description describe() const;
};

struct LearningRateSchedule {
  using plays = Plays<Role::learning_rate_schedule>;
  double factor(std::int64_t, std::int64_t) const;
  Description describe() const;
};

/// A without one piece; the enumerations name the pieces.
template <class A, auto Missing>
struct Without;

enum class TokenizerPiece { encode, bos_token_id, eos_token_id, pad_token_id, max_length };
template <TokenizerPiece M>
struct Without<Tokenizer, M> {
  using P = TokenizerPiece;
  std::vector<std::int64_t> encode(std::string_view) const
    requires(M != P::encode);
  std::int64_t bos_token_id() const
    requires(M != P::bos_token_id);
  std::int64_t eos_token_id() const
    requires(M != P::eos_token_id);
  std::int64_t pad_token_id() const
    requires(M != P::pad_token_id);
  std::int64_t max_length() const
    requires(M != P::max_length);
};

enum class TextEncoderPiece { embedding_table, encode, hidden, final_norm };
template <TextEncoderPiece M>
struct Without<SplitTextEncoder, M> {
  using P = TextEncoderPiece;
  Tensor embedding_table() const
    requires(M != P::embedding_table);
  Tensor encode(const Tensor&) const
    requires(M != P::encode);
  Tensor hidden(const Tensor&) const
    requires(M != P::hidden);
  Tensor final_norm(const Tensor&) const
    requires(M != P::final_norm);
};

enum class DenoiserPiece { predict, num_conditioned_layers, attention };
template <DenoiserPiece M>
struct Without<FullDenoiser, M> {
  using P = DenoiserPiece;
  Tensor predict(const Tensor&, const Tensor&, const Conditioning&) const
    requires(M != P::predict);
  Tensor predict(const Tensor&, const Tensor&, const Conditioning&, AttentionTap&) const
    requires(M != P::attention);
  std::int64_t num_conditioned_layers() const
    requires(M != P::num_conditioned_layers);
};

enum class AutoencoderPiece { encode, decode, scaling_factor, vae_scale_factor };
template <AutoencoderPiece M>
struct Without<Autoencoder, M> {
  using P = AutoencoderPiece;
  Moments encode(const Tensor&) const
    requires(M != P::encode);
  Tensor decode(const Tensor&) const
    requires(M != P::decode);
  double scaling_factor() const
    requires(M != P::scaling_factor);
  std::int64_t vae_scale_factor() const
    requires(M != P::vae_scale_factor);
};

enum class SchedulerPiece { num_train_timesteps, add_noise, target, snr };
template <SchedulerPiece M>
struct Without<Scheduler, M> {
  using P = SchedulerPiece;
  std::int64_t num_train_timesteps() const
    requires(M != P::num_train_timesteps);
  Tensor add_noise(const Tensor&, const Tensor&, const Tensor&) const
    requires(M != P::add_noise);
  Tensor target(const Tensor&, const Tensor&, const Tensor&) const
    requires(M != P::target);
  Tensor snr(const Tensor&) const
    requires(M != P::snr);
};

enum class SamplerPiece { begin, timesteps, init_noise_sigma, scale_model_input, step };
template <SamplerPiece M>
struct Without<Sampler, M> {
  using P = SamplerPiece;
  struct Run {
    std::vector<std::int64_t> timesteps() const
      requires(M != P::timesteps);
    double init_noise_sigma() const
      requires(M != P::init_noise_sigma);
    Tensor scale_model_input(const Tensor&, std::int64_t) const
      requires(M != P::scale_model_input);
    Tensor step(const Tensor&, std::int64_t, const Tensor&)
      requires(M != P::step);
  };
  Run begin(std::int64_t) const
    requires(M != P::begin);
};

enum class ModelPiece { tokenizer, text_encoder, denoiser, scheduler, latent_shape };
template <ModelPiece M>
struct Without<DiffusionModel, M> {
  using P = ModelPiece;
  const Tokenizer& tokenizer() const
    requires(M != P::tokenizer);
  const TextEncoder& text_encoder() const
    requires(M != P::text_encoder);
  const Denoiser& denoiser() const
    requires(M != P::denoiser);
  const Scheduler& scheduler() const
    requires(M != P::scheduler);
  LatentShape latent_shape() const
    requires(M != P::latent_shape);
};

enum class ComponentPiece { describe, work };
template <ComponentPiece M>
struct Without<Initializer, M> {
  using plays = Plays<Role::initializer>;
  template <persona::DiffusionModel Model>
  Tensor rows(const Model&, const BindContext&) const
    requires(M != ComponentPiece::work);
  Description describe() const
    requires(M != ComponentPiece::describe);
};
template <ComponentPiece M>
struct Without<Regularizer, M> {
  using plays = Plays<Role::regularizer>;
  Tensor loss(const StepView&) const
    requires(M != ComponentPiece::work);
  Description describe() const
    requires(M != ComponentPiece::describe);
};
template <ComponentPiece M>
struct Without<Contribution, M> {
  using plays = Plays<Role::contribution>;
  void contribute(Batch&, at::Generator&)
    requires(M != ComponentPiece::work);
  Description describe() const
    requires(M != ComponentPiece::describe);
};
template <ComponentPiece M>
struct Without<LearningRateSchedule, M> {
  using plays = Plays<Role::learning_rate_schedule>;
  double factor(std::int64_t, std::int64_t) const
    requires(M != ComponentPiece::work);
  Description describe() const
    requires(M != ComponentPiece::describe);
};

enum class RowPiece { bind, leaves, rows };
template <RowPiece M>
struct Without<RowParameterization, M> {
  using plays = Plays<Role::row_parameterization>;
  struct State {
    std::vector<Leaf> leaves() const
      requires(M != RowPiece::leaves);
    Tensor rows() const
      requires(M != RowPiece::rows);
  };
  template <persona::DiffusionModel Model>
  State bind(const Tensor&, const Model&, const BindContext&) const
    requires(M != RowPiece::bind);
  Description describe() const;
};

enum class WeightPiece { selects, bind };
template <WeightPiece M>
struct Without<WeightParameterization, M> {
  using plays = Plays<Role::weight_parameterization>;
  bool selects(const WeightRef&) const
    requires(M != WeightPiece::selects);
  std::shared_ptr<Replacement> bind(const WeightRef&, const BindContext&) const
    requires(M != WeightPiece::bind);
  Description describe() const;
};

enum class AugmentationPiece { variants, draw, apply };
template <AugmentationPiece M>
struct Without<Augmentation, M> {
  using plays = Plays<Role::augmentation>;
  Variants variants() const
    requires(M != AugmentationPiece::variants);
  std::int64_t draw(at::Generator&) const
    requires(M != AugmentationPiece::draw);
  Tensor apply(const Tensor&, std::int64_t) const
    requires(M != AugmentationPiece::apply);
  Description describe() const;
};

enum class OptimizerPiece { bind, step, state };
template <OptimizerPiece M>
struct Without<Optimizer, M> {
  using plays = Plays<Role::optimizer>;
  struct State {
    void step(const OptimizerStep&)
      requires(M != OptimizerPiece::step);
    std::vector<NamedTensor> state() const
      requires(M != OptimizerPiece::state);
  };
  State bind(std::vector<Leaf>, double) const
    requires(M != OptimizerPiece::bind);
  Description describe() const;
};

}  // namespace persona::archetype
