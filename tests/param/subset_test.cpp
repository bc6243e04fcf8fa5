// SVDiff's Table 1: what its subsets are on Stable Diffusion 1.5, by shapes alone.

#include "support/catch.hpp"

#include <persona/param/spectral_shift.hpp>
#include <persona/stable_diffusion/clip_text.hpp>
#include <persona/stable_diffusion/unet.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace {

using persona::SpectralShift;
using persona::Subset;
using persona::WeightRef;
namespace subsets = persona::subsets;

std::vector<WeightRef> of(auto& module, const char* host) {
  std::vector<WeightRef> refs;
  for (WeightRef ref : module.weights()) {
    ref.host = host;
    refs.push_back(std::move(ref));
  }
  return refs;
}
struct Count {
  std::int64_t tensors = 0, floats = 0;
  friend bool operator==(const Count&, const Count&) = default;
};
std::ostream& operator<<(std::ostream& out, const Count& count) {
  return out << count.tensors << " tensors, " << count.floats << " floats";
}
Count count(const std::vector<WeightRef>& refs, const SpectralShift& shift) {
  Count sum;
  for (const WeightRef& ref : refs)
    if (shift.selects(ref)) ++sum.tensors, sum.floats += shift.shifts(ref);
  return sum;
}

}  // namespace

TEST_CASE("the twelve subsets of Table 1 have its sizes on Stable Diffusion 1.5") {
  persona::UNet2DConditionConfig config{.cross_attention_dim = 768};
  config.num_attention_heads = {8, 8, 8, 8};
  persona::UNet2DConditionModel unet(config);
  auto refs = of(unet, "unet");
  CHECK(refs.size() == 686);
  persona::CLIPTextModel text(persona::CLIPTextConfig{});  // none of it is in a row of the table
  for (WeightRef& ref : of(text, "text_encoder")) refs.push_back(std::move(ref));
  const auto counted = [&](const Subset& subset) { return count(refs, {.weights = subset}); };
  CHECK(counted(subsets::unet()) == Count{391, 322856});
  CHECK(counted(subsets::cross_attention()) == Count{64, 43776});
  CHECK(counted(subsets::cross_attention_kv()) == Count{32, 18816});
  CHECK(counted(subsets::unet_vectors()) == Count{109, 100160});
  CHECK(counted(subsets::unet_matrices()) == Count{184, 140416});
  CHECK(counted(subsets::unet_kernels()) == Count{98, 82280});
  CHECK(counted(subsets::up_blocks()) == Count{219, 181568});
  CHECK(counted(subsets::down_blocks()) == Count{141, 107072});
  CHECK(counted(subsets::mid_block()) == Count{26, 32256});
  CHECK(counted(subsets::up_cross_attention()) == Count{36, 23808});
  CHECK(counted(subsets::down_cross_attention()) == Count{24, 15872});
  CHECK(counted(subsets::mid_cross_attention()) == Count{4, 4096});
  CHECK(counted(subsets::attention()).tensors == 128);                           // LoRA's targets
  CHECK(count(refs, {.vectors = persona::VectorForm::scale}).floats == 222805);  // the port's UNet

  SECTION("subsets compose, with users' own") {
    const Subset wide{"wide", [](const WeightRef& ref) { return ref.base.size(0) == 1280; }};
    const auto both = subsets::cross_attention_kv() && wide;
    CHECK(both.name == "cross_attention_kv && wide");
    CHECK(counted(both).tensors == 12);
    CHECK(counted(subsets::cross_attention_kv() && !wide).tensors == 20);
    CHECK(counted(subsets::up_blocks() || subsets::mid_block()).floats == 181568 + 32256);
    CHECK((!wide).name == "!(wide)");
    CHECK(counted(subsets::text_encoder()).tensors == 12 * 6 + 12 * 2 + 1);
    CHECK(counted(subsets::matrices()).tensors == 184 + 12 * 6);
    CHECK_THROWS_WITH(counted(Subset{.name = "mine"}),
                      Catch::Contains("Subset 'mine'") && Catch::Contains("no predicate"));
  }
}

TEST_CASE("the sizes on Stable Diffusion 2.1, and of its text encoder") {
  persona::UNet2DConditionConfig config{.cross_attention_dim = 1024, .use_linear_projection = true};
  config.num_attention_heads = {5, 10, 20, 20};
  persona::UNet2DConditionModel unet(config);
  const auto refs = of(unet, "unet");
  const auto floats = [&](const Subset& subset) { return count(refs, {.weights = subset}).floats; };
  CHECK(floats(subsets::unet()) == 325928);
  CHECK(floats(subsets::cross_attention()) == 46848);
  CHECK(floats(subsets::cross_attention_kv()) == 21888);
  CHECK(floats(subsets::matrices()) == 168448);
  CHECK(floats(subsets::kernels()) == 57320);
  persona::CLIPTextModel text({.vocab_size = 49408,
                               .hidden_size = 1024,
                               .intermediate_size = 4096,
                               .num_hidden_layers = 23,
                               .num_attention_heads = 16,
                               .hidden_act = "gelu"});
  const auto text_refs = of(text, "text_encoder");
  // 138 linear layers and 47 norms, 1,024 each; both tables are left out.
  CHECK(count(text_refs, {.weights = subsets::text_encoder()}).floats == (138 + 47) * 1024);
  CHECK(count(text_refs, {.weights = subsets::text_attention()}).tensors == 92);
}
