// Every concept takes its archetype and refuses each archetype that lacks one piece; every shipped component plays its
// role.

#include "support/catch.hpp"

#include <persona/archetype.hpp>
#include <persona/data/cut_mix.hpp>
#include <persona/data/flip.hpp>
#include <persona/data/random_scale.hpp>
#include <persona/init/cross.hpp>
#include <persona/init/cross_near.hpp>
#include <persona/init/rows.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/loss/min_snr.hpp>
#include <persona/loss/prior_preservation.hpp>
#include <persona/loss/sum_to_one.hpp>
#include <persona/loss/unmix.hpp>
#include <persona/metric.hpp>
#include <persona/metric/archetype.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/optim/learning_rate.hpp>
#include <persona/param/celeb_basis.hpp>
#include <persona/param/celeb_mapper.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/testing.hpp>

#include <string>
#include <vector>

namespace {

namespace archetype = persona::archetype;
using archetype::Without;
using Model = archetype::DiffusionModel;

using T = archetype::TokenizerPiece;
static_assert(persona::Tokenizer<archetype::Tokenizer>);
static_assert(!persona::Tokenizer<Without<archetype::Tokenizer, T::encode>>);
static_assert(!persona::Tokenizer<Without<archetype::Tokenizer, T::bos_token_id>>);
static_assert(!persona::Tokenizer<Without<archetype::Tokenizer, T::eos_token_id>>);
static_assert(!persona::Tokenizer<Without<archetype::Tokenizer, T::pad_token_id>>);
static_assert(!persona::Tokenizer<Without<archetype::Tokenizer, T::max_length>>);

using E = archetype::TextEncoderPiece;
template <E piece>
using EncoderWithout = Without<archetype::SplitTextEncoder, piece>;
static_assert(persona::TextEncoder<archetype::TextEncoder> && !persona::SplitTextEncoder<archetype::TextEncoder>);
static_assert(persona::SplitTextEncoder<archetype::SplitTextEncoder>);
static_assert(!persona::TextEncoder<EncoderWithout<E::embedding_table>>);
static_assert(!persona::TextEncoder<EncoderWithout<E::encode>>);
static_assert(persona::TextEncoder<EncoderWithout<E::hidden>> && !persona::SplitTextEncoder<EncoderWithout<E::hidden>>);
static_assert(!persona::SplitTextEncoder<EncoderWithout<E::final_norm>>);

using D = archetype::DenoiserPiece;
template <D piece>
using DenoiserWithout = Without<archetype::FullDenoiser, piece>;
static_assert(persona::Denoiser<archetype::Denoiser> && !persona::LayeredDenoiser<archetype::Denoiser>);
static_assert(persona::LayeredDenoiser<archetype::LayeredDenoiser> &&
              !persona::AttentionDenoiser<archetype::LayeredDenoiser>);
static_assert(persona::AttentionDenoiser<archetype::AttentionDenoiser> &&
              !persona::LayeredDenoiser<archetype::AttentionDenoiser>);
static_assert(!persona::Denoiser<DenoiserWithout<D::predict>>);
static_assert(!persona::LayeredDenoiser<DenoiserWithout<D::num_conditioned_layers>>);
static_assert(!persona::AttentionDenoiser<DenoiserWithout<D::attention>>);

using A = archetype::AutoencoderPiece;
static_assert(persona::Autoencoder<archetype::Autoencoder>);
static_assert(!persona::Autoencoder<Without<archetype::Autoencoder, A::encode>>);
static_assert(!persona::Autoencoder<Without<archetype::Autoencoder, A::decode>>);
static_assert(!persona::Autoencoder<Without<archetype::Autoencoder, A::scaling_factor>>);
static_assert(!persona::Autoencoder<Without<archetype::Autoencoder, A::vae_scale_factor>>);

static_assert(persona::WeightHost<archetype::WeightHost> && !persona::WeightHost<archetype::Denoiser>);

using S = archetype::SchedulerPiece;
static_assert(persona::Scheduler<archetype::Scheduler>);
static_assert(!persona::Scheduler<Without<archetype::Scheduler, S::num_train_timesteps>>);
static_assert(!persona::Scheduler<Without<archetype::Scheduler, S::add_noise>>);
static_assert(!persona::Scheduler<Without<archetype::Scheduler, S::target>>);
static_assert(!persona::Scheduler<Without<archetype::Scheduler, S::snr>>);

using N = archetype::SamplerPiece;
static_assert(persona::Sampler<archetype::Sampler>);
static_assert(!persona::Sampler<Without<archetype::Sampler, N::begin>>);
static_assert(!persona::Sampler<Without<archetype::Sampler, N::timesteps>>);
static_assert(!persona::Sampler<Without<archetype::Sampler, N::init_noise_sigma>>);
static_assert(!persona::Sampler<Without<archetype::Sampler, N::scale_model_input>>);
static_assert(!persona::Sampler<Without<archetype::Sampler, N::step>>);

using M = archetype::ModelPiece;
static_assert(persona::DiffusionModel<Model> && !persona::LatentDiffusionModel<Model>);
static_assert(persona::LatentDiffusionModel<archetype::FullDiffusionModel>);
static_assert(persona::HasDenoiserWeights<archetype::FullDiffusionModel> && !persona::HasDenoiserWeights<Model>);
static_assert(persona::HasTextEncoderWeights<archetype::FullDiffusionModel> && !persona::HasTextEncoderWeights<Model>);
static_assert(!persona::DiffusionModel<Without<Model, M::tokenizer>>);
static_assert(!persona::DiffusionModel<Without<Model, M::text_encoder>>);
static_assert(!persona::DiffusionModel<Without<Model, M::denoiser>>);
static_assert(!persona::DiffusionModel<Without<Model, M::scheduler>>);
static_assert(!persona::DiffusionModel<Without<Model, M::latent_shape>>);

using C = archetype::ComponentPiece;
static_assert(persona::Initializer<archetype::Initializer>);
static_assert(!persona::Initializer<Without<archetype::Initializer, C::work>>);
static_assert(!persona::Initializer<Without<archetype::Initializer, C::describe>>);
static_assert(persona::Regularizer<archetype::Regularizer> && persona::Regularizer<archetype::AttentionRegularizer>);
static_assert(!persona::Regularizer<Without<archetype::Regularizer, C::work>>);
static_assert(!persona::Regularizer<Without<archetype::Regularizer, C::describe>>);
static_assert(persona::ContributionFor<archetype::Contribution, Model>);
static_assert(!persona::ContributionFor<Without<archetype::Contribution, C::work>, Model>);
static_assert(persona::LearningRateSchedule<archetype::LearningRateSchedule>);
static_assert(!persona::LearningRateSchedule<Without<archetype::LearningRateSchedule, C::work>>);

using R = archetype::RowPiece;
static_assert(persona::RowParameterization<archetype::RowParameterization>);
static_assert(persona::RowParameterization<archetype::LayeredRowParameterization>);
static_assert(persona::RowState<archetype::RowState> && !persona::LayeredRowState<archetype::RowState>);
static_assert(!persona::RowParameterization<Without<archetype::RowParameterization, R::bind>>);
static_assert(!persona::RowParameterization<Without<archetype::RowParameterization, R::leaves>>);
static_assert(!persona::RowParameterization<Without<archetype::RowParameterization, R::rows>>);

using W = archetype::WeightPiece;
static_assert(persona::WeightParameterization<archetype::WeightParameterization>);
static_assert(!persona::WeightParameterization<Without<archetype::WeightParameterization, W::selects>>);
static_assert(!persona::WeightParameterization<Without<archetype::WeightParameterization, W::bind>>);
// One that also is a regularizer has one bind, of weights.
struct ShiftWithPenalty : archetype::WeightParameterization {
  using plays = persona::Plays<persona::Role::weight_parameterization, persona::Role::regularizer>;
  persona::Tensor loss(const persona::StepView&) const { return {}; }
};
static_assert(persona::explain_regularizer<ShiftWithPenalty>() &&
              persona::explain_weight_parameterization<ShiftWithPenalty>());

using G = archetype::AugmentationPiece;
static_assert(persona::Augmentation<archetype::Augmentation>);
static_assert(!persona::Augmentation<Without<archetype::Augmentation, G::variants>>);
static_assert(!persona::Augmentation<Without<archetype::Augmentation, G::draw>>);
static_assert(!persona::Augmentation<Without<archetype::Augmentation, G::apply>>);

using O = archetype::OptimizerPiece;
static_assert(persona::Optimizer<archetype::Optimizer>);
static_assert(!persona::Optimizer<Without<archetype::Optimizer, O::bind>>);
static_assert(!persona::Optimizer<Without<archetype::Optimizer, O::step>>);
static_assert(!persona::Optimizer<Without<archetype::Optimizer, O::state>>);

static_assert(persona::ImageEmbedder<archetype::ImageEmbedder> &&
              persona::explain_image_embedder<archetype::ImageEmbedder>());
static_assert(!persona::ImageEmbedder<archetype::TextEmbedder> &&
              !persona::ImageTextEmbedder<archetype::ImageEmbedder>);
static_assert(!persona::ImageTextEmbedder<archetype::TextEmbedder>);
static_assert(persona::explain_image_text_embedder<archetype::ImageTextEmbedder>());
static_assert(persona::explain_face_recognizer<archetype::FaceRecognizer>());
static_assert(persona::explain_feature_pyramid<archetype::FeaturePyramid>());
static_assert(persona::explain_attribute_probe<archetype::AttributeProbe>());
static_assert(!persona::FaceRecognizer<archetype::ImageEmbedder> && !persona::FeaturePyramid<archetype::ImageEmbedder>);
static_assert(!persona::AttributeProbe<archetype::ImageEmbedder>);

// What the library ships works with every model.
static_assert(persona::Initializer<persona::TokenInit> && persona::Initializer<persona::CrossInit>);
static_assert(persona::RowParameterization<persona::FreeRows>);
static_assert(persona::Regularizer<persona::L2Reg>);
static_assert(persona::Augmentation<persona::RandomFlip> && persona::Augmentation<persona::NoAugmentation>);
static_assert(persona::Optimizer<persona::AdamW>);
static_assert(persona::LearningRateSchedule<persona::ConstantRate> &&
              persona::LearningRateSchedule<persona::LinearRate> && persona::LearningRateSchedule<persona::CosineRate>);
static_assert(persona::LatentDiffusionModel<persona::testing::TinyModel>);
static_assert(persona::SplitTextEncoder<persona::testing::TinyTextEncoder>);
static_assert(persona::LayeredDenoiser<persona::testing::TinyDenoiser> &&
              persona::AttentionDenoiser<persona::testing::TinyDenoiser>);

// A type is a component by its own word alone.
struct HasLossButNeverOptedIn {
  persona::Tensor loss(const persona::StepView&) const;
  persona::Description describe() const;
};
static_assert(!persona::Component<HasLossButNeverOptedIn> && !persona::Regularizer<HasLossButNeverOptedIn>);

}  // namespace

TEST_CASE("every field of every shipped component shows in its description") {
  using persona::to_string;
  const auto changes = [](const auto& base, const auto& changed) {
    return to_string(base.describe()) != to_string(changed.describe());
  };
  CHECK(changes(persona::TokenInit{}, persona::TokenInit{.word = "cat"}));
  CHECK(changes(persona::CrossInit{}, persona::CrossInit{.names = {"ada lovelace"}}));
  CHECK(changes(persona::CrossInit{}, persona::CrossInit{.columns = persona::NameColumns::pieces}));
  CHECK(changes(persona::CrossInit{}, persona::CrossInit{.use_encoder = false}));
  CHECK(changes(persona::L2Reg{}, persona::L2Reg{.weight = 2}));
  CHECK(changes(persona::L2Reg{}, persona::L2Reg{.form = persona::L2Form::mean_of_norms}));
  CHECK(changes(persona::AdamW{}, persona::AdamW{.lr = 1}));
  CHECK(changes(persona::AdamW{}, persona::AdamW{.beta1 = 0.5}));
  CHECK(changes(persona::AdamW{}, persona::AdamW{.beta2 = 0.5}));
  CHECK(changes(persona::AdamW{}, persona::AdamW{.eps = 1}));
  CHECK(changes(persona::AdamW{}, persona::AdamW{.weight_decay = 1}));
  CHECK(changes(persona::AdamW{}, persona::AdamW{.max_grad_norm = 1}));
  CHECK(changes(persona::RandomFlip{}, persona::RandomFlip{.p = 0.25}));
  CHECK(changes(persona::ConstantRate{}, persona::ConstantRate{.warmup = 3}));
  CHECK(changes(persona::LinearRate{}, persona::LinearRate{.warmup = 3}));
  CHECK(changes(persona::CosineRate{}, persona::CosineRate{.warmup = 3}));

  using namespace persona;
  CHECK(changes(RowsInit{}, RowsInit{at::ones({1, 6})}));
  CHECK(changes(CrossInitNear{}, CrossInitNear{.word = "cat"}));
  CHECK(changes(CrossInitNear{}, CrossInitNear{.neighbours = 3}));
  CHECK(changes(CrossInitNear{}, CrossInitNear{.use_encoder = false}));

  const std::vector<std::string> names{"ada lovelace"};
  CHECK(changes(LayeredRows{}, LayeredRows{at::ones({2, 1, 6})}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.size = 4}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.size = ratio(0.5)}));
  CHECK(changes(SubspaceBasis{.size = 4}, SubspaceBasis{.size = ratio(4)}));
  CHECK(changes(SubspaceBasis{.size = automatic}, SubspaceBasis{.size = captures(0.5)}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.distance = BasisDistance::l2}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.rank = 1}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.word = "cat"}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.special_tokens = true}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.start = BasisStart::first}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.decay_toward_start = true}));
  CHECK(changes(SubspaceBasis{}, SubspaceBasis{.full = true}));
  CHECK(changes(SubspaceBasis{.size = automatic}, SubspaceBasis{.size = automatic, .batches = 3}));
  CHECK(changes(CelebBasis{}, CelebBasis{.names = names}));
  CHECK(changes(CelebBasis{}, CelebBasis{.components = 3}));
  CHECK(changes(CelebBasis{}, CelebBasis{.columns = NameColumns::words}));
  CHECK(changes(CelebBasis{}, CelebBasis{.unit_norm = true}));
  CHECK(changes(CelebMapper{}, CelebMapper{.names = names}));
  CHECK(changes(CelebMapper{}, CelebMapper{.feature = at::ones({5})}));
  CHECK(changes(CelebMapper{}, CelebMapper{.components = 3}));
  CHECK(changes(CelebMapper{}, CelebMapper{.columns = NameColumns::words}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.bypass = false}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.bypass_scale = 0.1}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.norm = NeTINorm::both}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.nested_dropout = 0}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.truncate = 4}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.hidden = 8}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.frequencies = 16}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.anchors = 5}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.sigma_t = 1}));
  CHECK(changes(NeTIMapper{}, NeTIMapper{.sigma_l = 1}));

  CHECK(changes(SpectralShift{}, SpectralShift{.weights = subsets::kernels()}));
  CHECK(changes(SpectralShift{}, SpectralShift{.vectors = VectorForm::scale}));
  CHECK(changes(SpectralShift{}, SpectralShift{.vector_lr_scale = 1}));
  CHECK(changes(SpectralShift{}, SpectralShift{.residual = true}));
  CHECK(changes(SpectralShift{}, SpectralShift{.plan = SpectralPlan::factored}));
  CHECK(changes(LowRank{}, LowRank{.rank = 2}));
  CHECK(changes(LowRank{}, LowRank{.alpha = 2}));
  CHECK(changes(LowRank{}, LowRank{.rank_stabilized = true}));
  CHECK(changes(LowRank{}, LowRank{.init = LowRankInit::pissa}));
  CHECK(changes(LowRank{}, LowRank{.weights = subsets::kernels()}));
  CHECK(changes(LowRank{}, LowRank{.lr_scale = 0.1}));
  CHECK(changes(DoRA{}, DoRA{{.rank = 2}}));
  CHECK(changes(FullWeights{}, FullWeights{subsets::kernels()}));
  CHECK(changes(CrossAttentionKV{}, CrossAttentionKV{.weights = subsets::kernels()}));
  CHECK(changes(CrossAttentionKV{}, CrossAttentionKV{.detach_start = false}));

  CHECK(changes(SumToOne{}, SumToOne{.weight = 2}));
  CHECK(changes(Unmix{}, Unmix{.weight = 2}));
  CHECK(changes(Unmix{}, Unmix{.largest = 1}));
  CHECK(changes(Unmix{}, Unmix{.smallest = 0.1}));
  CHECK(changes(MinSNR{}, MinSNR{.gamma = 2}));
  CHECK(changes(MinSNR{}, MinSNR{.class_samples = true}));
  CHECK(changes(CutMix{}, CutMix{.probability = 1}));
  CHECK(changes(CutMix{}, CutMix{.sides = 1}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.prompt = "a dog"}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.weight = 2}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.images = 7}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.sampling = {.steps = 3}}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.sampling = {.guidance = 3}}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.sampling = {.seed = 3}}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.sampling = {.negative = "ugly"}}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.sampling = {.sampler = "euler"}}));
  CHECK(changes(PriorPreservation{}, PriorPreservation{.sampling = {.eta = 1}}));
  CHECK(changes(RandomScale{}, RandomScale{.smaller = 0.5}));
  CHECK(changes(RandomScale{}, RandomScale{.least = 0.5}));
  CHECK(changes(RandomScale{}, RandomScale{.larger_from = 1.3}));
  CHECK(changes(RandomScale{}, RandomScale{.larger_to = 1.5}));
  CHECK(changes(RandomScale{}, RandomScale{.far_below = 0.5}));
  CHECK(changes(RandomScale{}, RandomScale{.pool = 3}));
}
