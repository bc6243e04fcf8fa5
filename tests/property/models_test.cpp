// Every parameterization on the other small models: Stable Diffusion's own modules, and one that answers no more
// than the concepts ask for.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/core/placement.hpp>
#include <persona/data/cut_mix.hpp>
#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/loss/sum_to_one.hpp>
#include <persona/loss/unmix.hpp>
#include <persona/param/celeb_basis.hpp>
#include <persona/param/celeb_mapper.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/layered_rows.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/neti_mapper.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/param/subspace_basis.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/init_weights.hpp>
#include <persona/stable_diffusion/unet.hpp>
#include <persona/stable_diffusion/vae.hpp>
#include <persona/testing.hpp>
#include <persona/train/personalize_each.hpp>

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using persona::operator+;
using persona::Tensor;
using persona::testing::check_invariants;
using persona::testing::RowsBegin;
using persona::testing::tiny_subjects;

const std::vector<std::string> names{"ada lovelace", "grace hopper", "mary hopper", "ada face", "dog cat"};

/// CLIP's text model, the UNet and the autoencoder with random weights, and the tiny tokenizer.
auto small_stable_diffusion(at::ScalarType dtype) {
  const persona::testing::TinyTokenizer tokenizer;
  persona::CLIPTextModel text({.vocab_size = tokenizer.vocab_size(),
                               .hidden_size = 16,
                               .intermediate_size = 32,
                               .num_hidden_layers = 2,
                               .num_attention_heads = 2,
                               .max_position_embeddings = tokenizer.max_length()});
  persona::UNet2DConditionModel unet({.sample_size = 8,
                                      .down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"},
                                      .up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"},
                                      .block_out_channels = {8, 16},
                                      .layers_per_block = {1, 1},
                                      .transformer_layers_per_block = {1, 1},
                                      .num_attention_heads = {2, 2},
                                      .cross_attention_dim = 16,
                                      .norm_num_groups = 4});
  persona::AutoencoderKL vae(
      {.sample_size = 16, .block_out_channels = {8, 8}, .layers_per_block = 1, .norm_num_groups = 4});
  const auto generator = persona::Random(1).at(persona::Stream::initialization);
  persona::initialize(text, generator), persona::initialize(unet, generator), persona::initialize(vae, generator);
  persona::to(unet, at::kCPU, dtype), persona::to(vae, at::kCPU, dtype);
  return persona::ModelParts(tokenizer, text, unet, persona::DDPMScheduler(persona::SchedulerConfig{}),
                             persona::LatentShape{4, 8, 8}, vae);
}

/// No final norm apart, no layers, no attention maps, no weights, no autoencoder.
struct PlainTextEncoder {
  persona::testing::TinyTextEncoder inner;
  Tensor embedding_table() const { return inner.embedding_table(); }
  Tensor encode(const Tensor& embeddings) const { return inner.encode(embeddings); }
};
struct PlainDenoiser {
  persona::testing::TinyDenoiser inner;
  Tensor predict(const Tensor& x_t, const Tensor& t, const Tensor& states) const {
    return inner.predict(x_t, t, {.states = states, .layers = {}, .pooled = {}});
  }
};
auto plain_model() {
  const auto tiny = persona::testing::tiny_model();
  return persona::ModelParts(tiny.tokenizer(), PlainTextEncoder{tiny.text_encoder()}, PlainDenoiser{tiny.denoiser()},
                             persona::testing::TinyScheduler{}, persona::LatentShape{3, 8, 8});
}
static_assert(!persona::SplitTextEncoder<PlainTextEncoder> && !persona::LayeredDenoiser<PlainDenoiser>);

/// Sums over rows that are the same for every layer.
void check_uniform_rows(const auto& model, const persona::test::Folder& folder) {
  const auto one = tiny_subjects(1, 2), two = tiny_subjects(2, 2);
  check_invariants(model, persona::recipe(persona::TokenInit{}), one, folder / "ti");
  check_invariants(model, persona::CrossInit{names} + persona::L2Reg{1e-3}, two, folder / "ci");
  check_invariants(model, persona::TokenInit{} + persona::SubspaceBasis{.size = 4} + persona::SumToOne{0.1}, two,
                   folder / "batex");
  check_invariants(
      model, persona::CrossInit{names} + persona::CelebBasis{.names = names, .columns = persona::NameColumns::words},
      one, folder / "celeb", RowsBegin::elsewhere);
  check_invariants(model,
                   persona::TokenInit{} + persona::CelebMapper{.names = names,
                                                               .feature = at::arange(1, 6, at::kFloat),
                                                               .columns = persona::NameColumns::words},
                   one, folder / "celeb_mapper", RowsBegin::elsewhere);
}

}  // namespace

TEST_CASE("invariants on Stable Diffusion's modules") {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const persona::test::Folder folder;
    INFO(dtype);
    const auto model = small_stable_diffusion(dtype);
    check_uniform_rows(model, folder);
    check_invariants(model, persona::TokenInit{} + persona::LayeredRows{}, tiny_subjects(2), folder / "xti");
    check_invariants(model, persona::TokenInit{} + persona::NeTIMapper{.hidden = 8, .frequencies = 16},
                     tiny_subjects(2), folder / "neti", RowsBegin::elsewhere);
    check_invariants(
        model,
        persona::TokenInit{} + persona::NeTIMapper{.norm = persona::NeTINorm::both, .hidden = 8, .frequencies = 16},
        tiny_subjects(), folder / "neti_both", RowsBegin::elsewhere);
    check_invariants(model, persona::TokenInit{} + persona::NeTIMapper{.bypass = false, .hidden = 8, .frequencies = 16},
                     tiny_subjects(), folder / "neti_without_bypass", RowsBegin::elsewhere);
    check_invariants(model, persona::TokenInit{} + persona::SubspaceBasis{.size = persona::automatic}, tiny_subjects(),
                     folder / "batex_automatic");
    using namespace persona;
    check_invariants(model, recipe(SpectralShift{.residual = true}), tiny_subjects(), folder / "svdiff");
    check_invariants(
        model, TokenInit{} + SpectralShift{.weights = subsets::cross_attention()} + CutMix{} + Unmix{.largest = 1},
        tiny_subjects(2), folder / "unmix");
    check_invariants(model, recipe(FullWeights{subsets::host("unet") || subsets::text_encoder()}), tiny_subjects(),
                     folder / "dreambooth");
    check_invariants(model, recipe(FullWeights{subsets::host("unet") || subsets::host("text_encoder")}),
                     tiny_subjects(), folder / "dreambooth_both");
    check_invariants(model, TokenInit{} + CrossAttentionKV{}, tiny_subjects(2), folder / "custom");
    check_invariants(model, recipe(LowRank{.weights = subsets::attention() || subsets::text_attention()}),
                     tiny_subjects(), folder / "lora");
    check_invariants(model, recipe(DoRA{{.rank = 2, .weights = subsets::unet() && !subsets::vectors()}}),
                     tiny_subjects(), folder / "dora");
  }
}

TEST_CASE("many subjects in one batch learn on Stable Diffusion's modules what each would alone") {
  const auto model = small_stable_diffusion(at::kFloat);
  auto subjects = tiny_subjects(4, 2);
  for (auto& subject : subjects) subject.token = "<one>";
  const persona::TrainOptions options{.steps = 8, .batch = 2, .seed = 5};
  const auto check = [&](const auto& sum) {
    const auto together = persona::personalize_each(model, std::span(std::as_const(subjects)), sum, options);
    together.drain();
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      const auto alone = persona::fit(model, subjects[i], sum, options);
      const Tensor a = together[i].learned().rows[0].rows, b = alone.rows[0].rows;
      CHECK((a - b).norm().template item<double>() < 1e-4 * b.norm().template item<double>());
    }
  };
  check(persona::CrossInit{names} + persona::L2Reg{1e-3});
  check(persona::TokenInit{} + persona::SubspaceBasis{.size = 4});
  check(persona::TokenInit{} + persona::LayeredRows{});
}

TEST_CASE("invariants on a model that answers the concepts alone") {
  const persona::test::Folder folder;
  check_uniform_rows(plain_model(), folder);
}
