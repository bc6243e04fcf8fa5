#pragma once
// One sentence for each thing that a type lacks. The doors (personalize, recipe, generate, ...) begin with these; put
//   static_assert(persona::explain_regularizer<MyTerm, MyModel>());
// beside a component of your own, and its errors appear there instead of inside the library.

#include <persona/concepts.hpp>
#include <persona/model/archetype.hpp>

namespace persona {

template <class T>
consteval bool explain_tokenizer() {
  static_assert(
      detail::HasEncodeText<T>,
      "[persona] not a Tokenizer: needs 'std::vector<std::int64_t> encode(std::string_view) const' (docs/concepts/tokenizer.md)");
  static_assert(
      detail::HasSpecialIds<T>,
      "[persona] not a Tokenizer: needs 'bos_token_id() const', 'eos_token_id() const' and 'pad_token_id() const' (docs/concepts/tokenizer.md)");
  static_assert(detail::HasMaxLength<T>,
                "[persona] not a Tokenizer: needs 'std::int64_t max_length() const' (docs/concepts/tokenizer.md)");
  return Tokenizer<T>;
}

template <class E>
consteval bool explain_text_encoder() {
  static_assert(detail::HasEmbeddingTable<E>,
                "[persona] not a TextEncoder: needs 'Tensor embedding_table() const' (docs/concepts/text_encoder.md)");
  static_assert(
      detail::HasEncodeEmbeddings<E>,
      "[persona] not a TextEncoder: needs 'Tensor encode(const Tensor& embeddings) const' (docs/concepts/text_encoder.md)");
  return TextEncoder<E>;
}

template <class E>
consteval bool explain_split_text_encoder() {
  (void)explain_text_encoder<E>();
  static_assert(
      detail::HasHidden<E>,
      "[persona] not a SplitTextEncoder: needs 'Tensor hidden(const Tensor& embeddings) const' (docs/concepts/text_encoder.md)");
  static_assert(
      detail::HasFinalNorm<E>,
      "[persona] not a SplitTextEncoder: needs 'Tensor final_norm(const Tensor& hidden) const' (docs/concepts/text_encoder.md)");
  return SplitTextEncoder<E>;
}

template <class D>
consteval bool explain_denoiser() {
  static_assert(
      Denoiser<D>,
      "[persona] not a Denoiser: needs 'Tensor predict(x_t, t, const Conditioning&) const' or 'Tensor predict(x_t, t, states) const' (docs/concepts/denoiser.md)");
  return Denoiser<D>;
}

template <class D>
consteval bool explain_layered_denoiser() {
  static_assert(
      detail::PredictsFromConditioning<D>,
      "[persona] not a LayeredDenoiser: needs 'Tensor predict(x_t, t, const Conditioning&) const' (docs/concepts/denoiser.md)");
  static_assert(
      detail::HasConditionedLayers<D>,
      "[persona] not a LayeredDenoiser: needs 'std::int64_t num_conditioned_layers() const' (docs/concepts/denoiser.md)");
  return LayeredDenoiser<D>;
}

template <class D>
consteval bool explain_attention_denoiser() {
  static_assert(
      detail::PredictsFromConditioning<D>,
      "[persona] not an AttentionDenoiser: needs 'Tensor predict(x_t, t, const Conditioning&) const' (docs/concepts/denoiser.md)");
  static_assert(
      detail::HandsOutAttention<D>,
      "[persona] not an AttentionDenoiser: needs 'Tensor predict(x_t, t, const Conditioning&, AttentionTap&) const' (docs/concepts/denoiser.md)");
  return AttentionDenoiser<D>;
}

template <class A>
consteval bool explain_autoencoder() {
  static_assert(
      detail::HasEncodeImages<A>,
      "[persona] not an Autoencoder: needs 'Moments encode(const Tensor& images) const' (docs/concepts/autoencoder.md)");
  static_assert(
      detail::HasDecodeLatents<A>,
      "[persona] not an Autoencoder: needs 'Tensor decode(const Tensor& latents) const' (docs/concepts/autoencoder.md)");
  static_assert(
      detail::HasLatentScale<A>,
      "[persona] not an Autoencoder: needs 'double scaling_factor() const' and 'std::int64_t vae_scale_factor() const' (docs/concepts/autoencoder.md)");
  return Autoencoder<A>;
}

template <class H>
consteval bool explain_weight_host() {
  static_assert(
      WeightHost<H>,
      "[persona] not a WeightHost: needs 'std::vector<persona::WeightRef> weights()' (docs/concepts/weight_host.md)");
  return WeightHost<H>;
}

template <class S>
consteval bool explain_scheduler() {
  static_assert(
      detail::HasNumTrainTimesteps<S>,
      "[persona] not a Scheduler: needs 'std::int64_t num_train_timesteps() const' (docs/concepts/scheduler.md)");
  static_assert(detail::HasAddNoise<S>,
                "[persona] not a Scheduler: needs 'Tensor add_noise(x0, noise, t) const' (docs/concepts/scheduler.md)");
  static_assert(detail::HasTarget<S>,
                "[persona] not a Scheduler: needs 'Tensor target(x0, noise, t) const' (docs/concepts/scheduler.md)");
  static_assert(detail::HasSnr<S>,
                "[persona] not a Scheduler: needs 'Tensor snr(t) const' (docs/concepts/scheduler.md)");
  return Scheduler<S>;
}

template <class S>
consteval bool explain_sampler() {
  static_assert(detail::HasBegin<S>,
                "[persona] not a Sampler: needs 'begin(std::int64_t steps) const' (docs/concepts/scheduler.md)");
  static_assert(
      Sampler<S>,
      "[persona] not a Sampler: what begin() returns needs 'timesteps()', 'init_noise_sigma()', 'scale_model_input(x, i)' and 'step(model_output, i, x_t)' (docs/concepts/scheduler.md)");
  return Sampler<S>;
}

template <class M>
consteval bool explain_diffusion_model() {
  if constexpr (requires(const M& model) { model.tokenizer(); }) {
    (void)explain_tokenizer<std::remove_cvref_t<decltype(std::declval<const M&>().tokenizer())>>();
  }
  if constexpr (requires(const M& model) { model.text_encoder(); }) {
    (void)explain_text_encoder<std::remove_cvref_t<decltype(std::declval<const M&>().text_encoder())>>();
  }
  if constexpr (requires(const M& model) { model.denoiser(); }) {
    (void)explain_denoiser<std::remove_cvref_t<decltype(std::declval<const M&>().denoiser())>>();
  }
  if constexpr (requires(const M& model) { model.scheduler(); }) {
    (void)explain_scheduler<std::remove_cvref_t<decltype(std::declval<const M&>().scheduler())>>();
  }
  static_assert(
      requires(const M& model) { model.tokenizer(); },
      "[persona] not a DiffusionModel: needs 'tokenizer() const' (docs/concepts/diffusion_model.md)");
  static_assert(
      requires(const M& model) { model.text_encoder(); },
      "[persona] not a DiffusionModel: needs 'text_encoder() const' (docs/concepts/diffusion_model.md)");
  static_assert(
      requires(const M& model) { model.denoiser(); },
      "[persona] not a DiffusionModel: needs 'denoiser() const' (docs/concepts/diffusion_model.md)");
  static_assert(
      requires(const M& model) { model.scheduler(); },
      "[persona] not a DiffusionModel: needs 'scheduler() const' (docs/concepts/diffusion_model.md)");
  static_assert(
      detail::HasLatentShape<M>,
      "[persona] not a DiffusionModel: needs 'std::array<std::int64_t, 3> latent_shape() const' (docs/concepts/diffusion_model.md)");
  if constexpr (requires(const M& model) { model.autoencoder(); }) {
    (void)explain_autoencoder<std::remove_cvref_t<decltype(std::declval<const M&>().autoencoder())>>();
  }
  return DiffusionModel<M>;
}

template <class C>
consteval bool explain_component() {
  static_assert(
      detail::OptsIn<C>,
      "[persona] not a Component: needs 'using plays = persona::Plays<persona::Role::...>;' (docs/how-to/write_a_component.md)");
  static_assert(std::copyable<C>,
                "[persona] not a Component: must be copyable, as a value of a sum (docs/how-to/write_a_component.md)");
  static_assert(
      Described<C>,
      "[persona] not a Component: needs 'persona::Description describe() const' that names its fields (docs/how-to/write_a_component.md)");
  return Component<C>;
}

template <class I, class Model = archetype::DiffusionModel>
consteval bool explain_initializer() {
  (void)explain_component<I>();
  static_assert(
      InitializerFor<I, Model> || !requires(I& i, const Model& m, const BindContext& c) { i.rows(m, c); } ||
          requires(const I& i, const Model& m, const BindContext& c) { i.rows(m, c); },
      "[persona] not an Initializer: make 'rows' const (docs/concepts/initializer.md)");
  static_assert(
      InitializerFor<I, Model>,
      "[persona] not an Initializer for this model: needs 'Tensor rows(const Model&, const BindContext&) const' (docs/concepts/initializer.md)");
  return InitializerFor<I, Model>;
}

template <class P, class Model = archetype::DiffusionModel>
consteval bool explain_row_parameterization() {
  (void)explain_component<P>();
  static_assert(
      detail::HasRowBind<P, Model>,
      "[persona] not a RowParameterization for this model: needs 'bind(const Tensor& rows, const Model&, const BindContext&) const' (docs/concepts/row_parameterization.md)");
  if constexpr (detail::HasRowBind<P, Model>) {
    using S = detail::row_state_t<P, Model>;
    static_assert(
        detail::HasLeaves<S>,
        "[persona] not a RowParameterization: what bind() returns needs 'std::vector<persona::Leaf> leaves() const' (docs/concepts/row_parameterization.md)");
    static_assert(
        detail::HasUniformRows<S> || detail::HasLayeredRows<S>,
        "[persona] not a RowParameterization: what bind() returns needs 'Tensor rows() const' or 'RowSet rows(const RowQuery&) const' (docs/concepts/row_parameterization.md)");
    static_assert(
        !detail::HasLayeredRows<S> || detail::HasSnapshot<S>,
        "[persona] not a RowParameterization: layered rows also need 'snapshot() const', a copy whose leaves no longer follow the run (docs/concepts/row_parameterization.md)");
  }
  return RowParameterizationFor<P, Model>;
}

template <class P>
consteval bool explain_weight_parameterization() {
  (void)explain_component<P>();
  static_assert(
      detail::HasSelects<P>,
      "[persona] not a WeightParameterization: needs 'bool selects(const WeightRef&) const' (docs/concepts/weight_parameterization.md)");
  static_assert(
      detail::HasWeightBind<P>,
      "[persona] not a WeightParameterization: needs 'bind(const WeightRef&, const BindContext&) const' (docs/concepts/weight_parameterization.md)");
  if constexpr (detail::HasWeightBind<P>) {
    static_assert(
        detail::AdapterPointer<detail::adapter_t<P>>,
        "[persona] not a WeightParameterization: bind() must return a std::shared_ptr to a persona::Replacement or a persona::Delta (docs/concepts/weight_parameterization.md)");
  }
  return WeightParameterization<P>;
}

template <class R, class Model = archetype::DiffusionModel>
consteval bool explain_regularizer() {
  (void)explain_component<R>();
  static_assert(
      Bindable<R, Model>,
      "[persona] not a Regularizer for this model: 'bind' must take (const Model&, const BindContext&) (docs/concepts/regularizer.md)");
  if constexpr (Bindable<R, Model>) {
    using S = bound_t<R, Model>;
    static_assert(
        !requires(S& s, const StepView& v) { s.loss(v); } || requires(const S& s, const StepView& v) { s.loss(v); },
        "[persona] not a Regularizer: make 'loss' const (docs/concepts/regularizer.md)");
    if constexpr (requires(const S& s, const StepView& v) { s.loss(v); }) {
      static_assert(
          detail::HasLoss<S>,
          "[persona] not a Regularizer: 'loss' must return a Tensor, else no gradient flows (docs/concepts/regularizer.md)");
    }
    static_assert(
        detail::HasLoss<S>,
        "[persona] not a Regularizer: needs 'Tensor loss(const StepView&) const' (docs/concepts/regularizer.md)");
  }
  return RegularizerFor<R, Model>;
}

template <class C, class Model = archetype::DiffusionModel>
consteval bool explain_contribution() {
  (void)explain_component<C>();
  static_assert(
      Bindable<C, Model>,
      "[persona] not a Contribution for this model: 'bind' must take (const Model&, const BindContext&) (docs/concepts/contribution.md)");
  if constexpr (Bindable<C, Model>) {
    static_assert(
        detail::HasContribute<bound_t<C, Model>> || detail::HasReweigh<bound_t<C, Model>>,
        "[persona] not a Contribution: needs 'void contribute(Batch&, at::Generator&)' or 'void reweigh(Batch&, const Tensor& snr)' (docs/concepts/contribution.md)");
  }
  return ContributionFor<C, Model>;
}

template <class A>
consteval bool explain_augmentation() {
  (void)explain_component<A>();
  static_assert(detail::HasVariants<A>,
                "[persona] not an Augmentation: needs 'Variants variants() const' (docs/concepts/augmentation.md)");
  static_assert(
      detail::HasDrawVariant<A>,
      "[persona] not an Augmentation: needs 'std::int64_t draw(at::Generator&) const' (docs/concepts/augmentation.md)");
  static_assert(
      detail::HasApplyVariant<A>,
      "[persona] not an Augmentation: needs 'Tensor apply(const Tensor& image, std::int64_t variant) const' (docs/concepts/augmentation.md)");
  return Augmentation<A>;
}

template <class S>
consteval bool explain_learning_rate_schedule() {
  (void)explain_component<S>();
  static_assert(
      detail::HasFactor<S>,
      "[persona] not a LearningRateSchedule: needs 'double factor(std::int64_t step, std::int64_t steps) const' (docs/concepts/learning_rate_schedule.md)");
  return LearningRateSchedule<S>;
}

template <class O>
consteval bool explain_optimizer() {
  (void)explain_component<O>();
  static_assert(
      detail::HasOptimizerBind<O>,
      "[persona] not an Optimizer: needs 'bind(std::vector<Leaf>, double default_lr) const' (docs/concepts/optimizer.md)");
  if constexpr (detail::HasOptimizerBind<O>) {
    using S = detail::optimizer_state_t<O>;
    static_assert(
        detail::HasOptimizerStep<S>,
        "[persona] not an Optimizer: what bind() returns needs 'void step(const OptimizerStep&)' (docs/concepts/optimizer.md)");
    static_assert(
        detail::HasOptimizerState<S>,
        "[persona] not an Optimizer: what bind() returns needs 'std::vector<NamedTensor> state() const' (docs/concepts/optimizer.md)");
  }
  return Optimizer<O>;
}

}  // namespace persona
