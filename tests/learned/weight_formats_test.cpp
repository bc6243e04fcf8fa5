// Changes of weights in other tools' forms: what is written is read again, and stands for the same weights.

#include "support/catch.hpp"
#include "support/changed.hpp"
#include "support/folder.hpp"

#include "stable_diffusion/small_folder.hpp"

#include <persona/learned/bake.hpp>
#include <persona/learned/weight_files.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/testing.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace persona;
using persona::test::learned_by;
using persona::test::predicted;
using persona::testing::tiny_model;
using persona::testing::tiny_subjects;

std::vector<std::string> names(const std::filesystem::path& file) { return SafeTensors::open(file).names(); }

void check_round_trip(const Learned& learned, WeightFormat format) {
  const test::Folder folder;
  const auto file = folder / "weights.safetensors";
  const auto model = tiny_model();
  export_weights(model, learned, file, format);
  const auto again = import_weights(model, file);
  const auto expected = predicted(personalized(model, learned));
  CHECK(!at::allclose(expected, predicted(model), 1e-3, 1e-3));
  CHECK(at::allclose(predicted(personalized(model, again)), expected, 1e-4, 1e-5));
}

}  // namespace

TEST_CASE("every form that holds a change gives it back") {
  const auto lora = learned_by(recipe(LowRank{.rank = 2, .alpha = 3, .weights = subsets::matrices()}));
  const auto kernels = learned_by(recipe(LowRank{.rank = 2, .alpha = 3, .weights = subsets::kernels()}));
  const auto dora = learned_by(recipe(DoRA{{.rank = 2, .alpha = 3}}));
  const auto dora_kernels = learned_by(recipe(DoRA{{.rank = 2, .alpha = 3, .weights = subsets::kernels()}}));
  for (const auto& learned : {lora, kernels}) check_round_trip(learned, WeightFormat::diffusers_lora);
  for (const auto format : {WeightFormat::kohya_lora, WeightFormat::kohya_diff})
    for (const auto& learned : {lora, kernels, dora, dora_kernels}) check_round_trip(learned, format);
  check_round_trip(learned_by(recipe(SpectralShift{.vectors = VectorForm::scale})), WeightFormat::svdiff_pytorch);
  check_round_trip(learned_by(recipe(SpectralShift{})), WeightFormat::kohya_diff);
  check_round_trip(learned_by(recipe(LowRank{.rank = 2, .init = LowRankInit::pissa})), WeightFormat::kohya_diff);
  check_round_trip(learned_by(recipe(FullWeights{subsets::host("unet") || subsets::host("text_encoder")})),
                   WeightFormat::kohya_diff);
  check_round_trip(learned_by(SpectralShift{.weights = subsets::matrices()} + LowRank{}), WeightFormat::kohya_diff);
}

TEST_CASE("peft's form has one part of the model, and its scales beside it") {
  const test::Folder folder;
  const auto file = folder / "adapter_model.safetensors";
  const auto model = tiny_model();
  const auto check = [&](const Learned& learned) {
    export_weights(model, learned, file, WeightFormat::peft_lora);
    const auto expected = predicted(personalized(model, learned));
    CHECK(!at::allclose(expected, predicted(model), 1e-3, 1e-3));
    CHECK(at::allclose(predicted(personalized(model, import_weights(model, file))), expected, 1e-4, 1e-5));
  };
  const auto unet = subsets::unet_matrices();
  check(learned_by(recipe(LowRank{.rank = 2, .alpha = 3, .weights = subsets::text_encoder() && subsets::matrices()})));
  check(learned_by(recipe(LowRank{.rank = 2, .alpha = 3, .weights = unet})));
  check(learned_by(recipe(LowRank{.rank = 2, .alpha = 3, .weights = subsets::unet_kernels()})));
  check(learned_by(recipe(DoRA{{.rank = 2, .alpha = 3, .weights = unet}})));
  check(learned_by(recipe(DoRA{{.rank = 2, .alpha = 3, .weights = subsets::unet_kernels()}})));
  check(learned_by(LowRank{.rank = 2, .weights = unet && subsets::named("to_q")} +
                   LowRank{.rank = 1, .alpha = 3, .weights = unet && subsets::named("to_v")}));
  CHECK(names(file)[0] == "base_model.model.attn2.0.to_q.lora_A.weight");
  const auto both = learned_by(recipe(LowRank{.rank = 2, .weights = subsets::matrices()}));
  CHECK_THROWS_WITH(export_weights(model, both, file, WeightFormat::peft_lora), Catch::Contains("of one part"));
  CHECK_THROWS_WITH(export_weights(model, both, folder / "mine.safetensors", WeightFormat::peft_lora),
                    Catch::Contains("peft reads adapter_model.safetensors"));
}

TEST_CASE("what a low-rank file would say wrongly is refused") {
  const test::Folder folder;
  const auto file = folder / "lora.safetensors";
  const auto model = tiny_model();
  const auto dora = learned_by(recipe(DoRA{{.rank = 2}}));
  CHECK_THROWS_WITH(export_weights(model, dora, file, WeightFormat::diffusers_lora),
                    Catch::Contains("it drops the magnitudes") && Catch::Contains("peft_lora"));
  auto two = learned_by(recipe(LowRank{.rank = 2}));
  for (const auto& weight : learned_by(recipe(LowRank{.rank = 2}), 2).weights) two.weights.push_back(weight);
  for (const auto format : {WeightFormat::diffusers_lora, WeightFormat::kohya_lora})
    CHECK_THROWS_WITH(export_weights(model, two, file, format), Catch::Contains("has two low-rank changes"));
  check_round_trip(two, WeightFormat::kohya_diff);
}

TEST_CASE("the keys are the tools' own") {
  const test::Folder folder;
  const auto model = tiny_model();
  const auto lora = learned_by(
      recipe(LowRank{.rank = 2, .alpha = 3, .weights = subsets::named("attn2.0.to_q") || subsets::named("mix")}));
  export_weights(model, lora, folder / "d.safetensors", WeightFormat::diffusers_lora);
  CHECK(names(folder / "d.safetensors") == std::vector<std::string>{"text_encoder.mix.lora_linear_layer.down.weight",
                                                                    "text_encoder.mix.lora_linear_layer.up.weight",
                                                                    "unet.attn2.0.to_q.lora.down.weight",
                                                                    "unet.attn2.0.to_q.lora.up.weight"});
  export_weights(model, lora, folder / "k.safetensors", WeightFormat::kohya_lora);
  CHECK(names(folder / "k.safetensors") ==
        std::vector<std::string>{"lora_te_mix.alpha", "lora_te_mix.lora_down.weight", "lora_te_mix.lora_up.weight",
                                 "lora_unet_attn2_0_to_q.alpha", "lora_unet_attn2_0_to_q.lora_down.weight",
                                 "lora_unet_attn2_0_to_q.lora_up.weight"});
  CHECK(SafeTensors::open(folder / "k.safetensors").load("lora_te_mix.alpha").item<double>() == 3);
  const auto custom = fit(model, tiny_subjects().front(), TokenInit{} + CrossAttentionKV{}, {.steps = 1});
  // The tiny model's layers lie in "attn2" itself; Stable Diffusion's are "....attn2.to_k".
  Learned one = custom;
  one.weights.resize(1), one.weights[0].name = "unet.mid_block.attn2.to_k.weight";
  export_weights(model, one, folder / "c.safetensors", WeightFormat::custom_diffusion);
  CHECK(names(folder / "c.safetensors") ==
        std::vector<std::string>{"mid_block.attn2.processor.to_k_custom_diffusion.weight"});
  one.weights[0].name = "unet.mid_block.attn2.to_out.0.bias";
  export_weights(model, one, folder / "b.safetensors", WeightFormat::custom_diffusion);
  CHECK(names(folder / "b.safetensors") ==
        std::vector<std::string>{"mid_block.attn2.processor.to_out_custom_diffusion.0.bias"});
  const auto whole = learned_by(recipe(FullWeights{subsets::named("conv_in")}));
  export_weights(model, whole, folder / "f.safetensors", WeightFormat::kohya_diff);
  CHECK(names(folder / "f.safetensors") == std::vector<std::string>{"lora_unet_conv_in.diff"});
}

TEST_CASE("peft's and older keys are read") {
  const test::Folder folder;
  const auto file = folder / "lora.safetensors";
  const auto model = tiny_model();
  const auto a = at::rand({2, 6}), b = at::rand({8, 2});
  const auto read = [&](const std::map<std::string, Tensor>& tensors) {
    write_safetensors(file, tensors);
    return predicted(personalized(model, import_weights(model, file)));
  };
  const auto expected = read({{"unet.attn2.0.to_v.lora.down.weight", a}, {"unet.attn2.0.to_v.lora.up.weight", b}});
  CHECK(!at::allclose(expected, predicted(model)));
  CHECK(at::equal(expected, read({{"base_model.model.attn2.0.to_v.lora_A.weight", a},
                                  {"base_model.model.attn2.0.to_v.lora_B.weight", b}})));
  CHECK(at::equal(expected, read({{"unet.attn2.0.to_v.lora_A.weight", a}, {"unet.attn2.0.to_v.lora_B.weight", b}})));
  for (const std::string front : {"unet.", ""})  // diffusers of 2023, the attention processors alone
    CHECK(at::equal(expected, read({{front + "attn2.0.processor.to_v_lora.down.weight", a},
                                    {front + "attn2.0.processor.to_v_lora.up.weight", b}})));
  CHECK(at::allclose(expected,
                     read({{"lora_unet_attn2_0_to_v.lora_down.weight", a},
                           {"lora_unet_attn2_0_to_v.lora_up.weight", 2 * b},
                           {"lora_unet_attn2_0_to_v.alpha", at::ones({})}}),
                     1e-5, 1e-6));
}

TEST_CASE("a LoRA's scale that stands beside the tensors is read: peft's configuration, diffusers' metadata") {
  const test::Folder folder;
  const auto model = tiny_model();
  const auto a = at::rand({2, 6}), b = at::rand({8, 2});
  const std::map<std::string, Tensor> peft{{"base_model.model.attn2.0.to_v.lora_A.weight", a},
                                           {"base_model.model.attn2.0.to_v.lora_B.weight", b}};
  const auto file = folder / "adapter_model.safetensors";
  const auto read = [&](const std::map<std::string, Tensor>& tensors, const std::string& metadata,
                        const std::string& config) {
    write_safetensors(file, tensors,
                      metadata.empty() ? std::map<std::string, std::string>{}
                                       : std::map<std::string, std::string>{{"lora_adapter_metadata", metadata}});
    std::ofstream(folder / "adapter_config.json") << config;
    return predicted(personalized(model, import_weights(model, file)));
  };
  const auto scaled = [&](double scale) {
    const test::Folder other;
    write_safetensors(other / "lora.safetensors", {{"unet.attn2.0.to_v.lora.down.weight", a},
                                                   {"unet.attn2.0.to_v.lora.up.weight", (scale * b).contiguous()}});
    return predicted(personalized(model, import_weights(model, other / "lora.safetensors")));
  };
  const auto near = [](const Tensor& x, const Tensor& y) { return at::allclose(x, y, 1e-5, 1e-6); };
  CHECK(near(read(peft, "", R"({"r": 2, "lora_alpha": 8, "target_modules": ["to_v"]})"), scaled(4)));
  CHECK(near(read(peft, "", R"({"lora_alpha": 8.0, "use_rslora": true})"), scaled(8 / std::sqrt(2.0))));
  CHECK(near(read(peft, "", R"({"lora_alpha": 8, "alpha_pattern": {"0.to_v": 6, "to_q": 1}})"), scaled(3)));
  CHECK_THROWS_WITH(read(peft, "", R"({"alpha_pattern": {".*to_v": 6}})"), Catch::Contains("regular expression"));
  CHECK_THROWS_WITH(read(peft, "", R"({"lora_alpha": "8"})"), Catch::Contains("lora_alpha must be a number"));
  CHECK_THROWS_WITH(read(peft, "", R"({"lora_alpha": 1e999})"), Catch::Contains("lora_alpha is out of range"));
  const std::map<std::string, Tensor> diffusers{{"unet.attn2.0.to_v.lora.down.weight", a},
                                                {"unet.attn2.0.to_v.lora.up.weight", b}};
  CHECK(near(read(diffusers, R"({"unet.r": 2, "unet.lora_alpha": 8, "text_encoder.lora_alpha": 2})", "{}"), scaled(4)));
  auto told = diffusers;
  told.emplace("unet.attn2.0.to_v.alpha", at::full({}, 2.0));
  CHECK(near(read(told, R"({"unet.lora_alpha": 8})", "{}"), scaled(1)));  // what the tensors say counts
  write_safetensors(file, diffusers, {{"lora_adapter_metadata", R"({"unet.lora_alpha": 8})"}});
  const auto learned = import_weights(model, file);  // written out again the scale is in the factors, and said once
  export_weights(model, learned, folder / "again.safetensors", WeightFormat::diffusers_lora);
  CHECK(near(predicted(personalized(model, import_weights(model, folder / "again.safetensors"))), scaled(4)));
}

TEST_CASE("a peft adapter whose factors began as parts of the weights is refused, since loading it changes them") {
  const test::Folder folder;
  const auto model = tiny_model();
  const auto file = folder / "adapter_model.safetensors";
  write_safetensors(file, {{"base_model.model.attn2.0.to_v.lora_A.weight", at::rand({2, 6})},
                           {"base_model.model.attn2.0.to_v.lora_B.weight", at::rand({8, 2})}});
  const auto read = [&](const char* init) {
    std::ofstream(folder / "adapter_config.json") << R"({"lora_alpha": 2, "init_lora_weights": )" << init << "}";
    return import_weights(model, file);
  };
  for (const char* init :
       {R"("pissa")", R"("pissa_niter_16")", R"("olora")", R"("corda")", R"("loftq")", R"("OLoRA")", R"("lora_ga")"})
    CHECK_THROWS_WITH(read(init), Catch::Contains("adapter_config.json") && Catch::Contains("init_lora_weights") &&
                                      Catch::Contains("path_initial_model_for_weight_conversion"));
  for (const char* init : {"true", "false", "null", R"("gaussian")", R"("eva")"}) CHECK(read(init).weights.size() == 1);
}

TEST_CASE("magnitudes of a weight's inputs are not taken for those of its outputs") {
  const test::Folder folder;
  const auto model = tiny_model();
  const auto file = folder / "dora.safetensors";
  const auto write = [&](at::IntArrayRef shape) {
    write_safetensors(file, {{"lora_unet_attn2_0_to_v.lora_down.weight", at::rand({2, 6})},
                             {"lora_unet_attn2_0_to_v.lora_up.weight", at::rand({8, 2})},
                             {"lora_unet_attn2_0_to_v.dora_scale", at::rand(shape)}});
  };
  write({1, 6});
  CHECK_THROWS_WITH(import_weights(model, file),
                    Catch::Contains("dora_scale") && Catch::Contains("magnitudes of the weight's inputs"));
  for (const auto& shape : {std::vector<std::int64_t>{8, 1}, {8}}) {
    write(shape);
    CHECK(personalized(model, import_weights(model, file)).learned_rows().empty());
  }
}

TEST_CASE("a .diff file adds to whatever weight it is put on, and to other changes of it") {
  const test::Folder folder;
  const auto model = tiny_model(), other = tiny_model(at::kFloat, 2);
  const auto file = folder / "d.safetensors";
  export_weights(model, learned_by(recipe(FullWeights{subsets::named("attn2.0.to_q")})), file,
                 WeightFormat::kohya_diff);
  const auto difference = import_weights(model, file);
  const auto weight_of = [](const auto& of) {
    auto copy = of;
    for (const auto& ref : copy.denoiser().weights())
      if (ref.name == "attn2.0.to_q.weight") return std::get<Weight*>(ref.slot)->value().clone();
    return Tensor();
  };
  const auto change = weight_of(bake(model, difference)) - weight_of(model);
  CHECK(change.abs().max().item<double>() > 1e-4);
  CHECK(at::allclose(weight_of(bake(other, difference)) - weight_of(other), change, 1e-3, 1e-5));
  const auto shift = learned_by(recipe(SpectralShift{.weights = subsets::named("attn2.0.to_q")}));
  const auto with_difference = [&](Learned learned) {
    learned.weights.insert(learned.weights.end(), difference.weights.begin(), difference.weights.end());
    return learned;
  };
  CHECK(
      at::allclose(weight_of(bake(model, with_difference(shift))), weight_of(bake(model, shift)) + change, 1e-4, 1e-5));
  CHECK(at::allclose(weight_of(bake(model, with_difference(difference))), weight_of(model) + 2 * change, 1e-4, 1e-5));
  CHECK(at::allclose(predicted(personalized(model, with_difference(shift))),
                     predicted(bake(model, with_difference(shift))), 1e-4, 1e-5));
  export_weights(model, difference, folder / "c.safetensors", WeightFormat::custom_diffusion);  // whole weights
  const auto whole = SafeTensors::open(folder / "c.safetensors");
  REQUIRE(whole.names().size() == 1);
  CHECK(at::allclose(whole.load(whole.names().front()), weight_of(model) + change, 1e-4, 1e-5));
  difference.save(folder / "own.safetensors");
  const auto again = Learned::load(folder / "own.safetensors");
  CHECK(at::equal(weight_of(bake(model, again)), weight_of(bake(model, difference))));
}

TEST_CASE("svdiff-pytorch's file knows its base model, and is refused on another") {
  const test::Folder folder;
  const auto model = tiny_model(), other = tiny_model(at::kFloat, 2);
  const auto learned = learned_by(recipe(SpectralShift{.weights = subsets::unet() && !subsets::vectors()}));
  const auto file = folder / "spectral_shifts.safetensors";
  export_weights(model, learned, file, WeightFormat::svdiff_pytorch);
  for (const auto& name : SafeTensors::open(file).names()) CHECK(name.ends_with(".delta"));
  const auto again = import_weights(model, file);
  CHECK(at::allclose(predicted(personalized(model, again)), predicted(personalized(model, learned)), 1e-4, 1e-5));
  CHECK_THROWS_WITH(personalized(other, import_weights(other, file)), Catch::Contains("another base model"));
  const auto source = SafeTensors::open(file);  // of another tool: nothing is told, nothing asked
  std::map<std::string, Tensor> tensors;
  for (const auto& name : source.names()) tensors.emplace(name, source.load(name));
  write_safetensors(file, tensors);
  (void)personalized(other, import_weights(other, file));
}

TEST_CASE("the difference of a shift that moved nothing is nothing, in bf16 too") {
  const test::Folder folder;
  auto model = tiny_model();
  to(model.denoiser(), at::kCPU, at::kBFloat16);
  auto run = personalize(model, tiny_subjects().front(), recipe(SpectralShift{}), {.steps = 1, .batch = 1});
  export_weights(model, run.learned(), folder / "d.safetensors", WeightFormat::kohya_diff);
  const auto source = SafeTensors::open(folder / "d.safetensors");
  for (const auto& name : source.names()) CHECK(source.load(name).abs().max().item<double>() == 0);
}

TEST_CASE("changes of weights for another base model are refused, with both widths") {
  const test::Folder folder;
  const auto file = folder / "lora.safetensors";
  auto generator = Random(1).at(Stream::initialization);
  const auto tiny = tiny_model();
  const testing::TinyModel model{tiny.tokenizer(),
                                 testing::TinyTextEncoder(tiny.tokenizer().vocab_size(), 768, at::kFloat, generator),
                                 testing::TinyDenoiser(3, 8, 768, at::kFloat, generator),
                                 tiny.scheduler(),
                                 tiny.latent_shape(),
                                 tiny.autoencoder()};
  const auto write = [&](std::int64_t width) {
    write_safetensors(file, {{"unet.attn2.0.to_k.lora.down.weight", at::ones({1024, width})},
                             {"unet.attn2.0.to_k.lora.up.weight", at::ones({8, 1024})}});
  };
  write(1024);
  CHECK_THROWS_WITH(import_weights(model, file),
                    Catch::Contains("is a LoRA in diffusers' form for text states 1024 wide, as Stable Diffusion 2.x; "
                                    "this model's are 768 wide, as Stable Diffusion 1.x"));
  write(768);
  CHECK(import_weights(model, file).weights.size() == 1);
  write_safetensors(file, {{"unet.conv_in.diff", at::ones({3})}});
  CHECK_THROWS_WITH(import_weights(model, file), Catch::Contains("has shape [3], this model's weight [8, 3, 3, 3]"));
  write_safetensors(
      file, {{"unet.conv_in.diff", at::ones({8, 3, 3, 3})}, {"lora_unet_conv_in.diff", at::ones({8, 3, 3, 3})}});
  CHECK_THROWS_WITH(import_weights(model, file), Catch::Contains("is there a second time for 'unet.conv_in.weight'"));
}

TEST_CASE("svdiff-pytorch's shifts of the text encoder are read as those of the UNet are") {
  const test::Folder folder;
  write_safetensors(folder / "spectral_shifts_te.safetensors", {{"mix.delta", at::ones({6})}});
  const auto model = tiny_model();
  const auto learned = import_weights(model, folder / "spectral_shifts_te.safetensors");
  REQUIRE(learned.weights.size() == 1);
  CHECK(learned.weights[0].name == "text_encoder.mix.weight");
  CHECK(!at::allclose(predicted(personalized(model, learned)), predicted(model)));
}

TEST_CASE("what a form has no place for, and what a model has no weight for, is refused with a sentence") {
  const test::Folder folder;
  const auto file = folder / "weights.safetensors";
  const auto model = tiny_model();
  const auto shifts = learned_by(recipe(SpectralShift{}));
  for (const auto format : {WeightFormat::diffusers_lora, WeightFormat::kohya_lora, WeightFormat::custom_diffusion})
    CHECK_THROWS_WITH(export_weights(model, shifts, file, format), Catch::Contains("kohya_diff"));
  CHECK_THROWS_WITH(
      export_weights(model, learned_by(recipe(LowRank{.init = LowRankInit::pissa})), file, WeightFormat::kohya_lora),
      Catch::Contains("PiSSA"));
  CHECK_THROWS_WITH(export_weights(model, {}, file, WeightFormat::kohya_lora),
                    Catch::Contains("no weights were learned"));
  int said = 0;
  const auto before = set_warning_handler([&](const std::string&) { ++said; });
  export_weights(model, shifts, file, WeightFormat::svdiff_pytorch);
  set_warning_handler(before);
  CHECK(said == 1);  // the one norm
  const auto refused = [&](const std::map<std::string, Tensor>& tensors, const auto& words) {
    write_safetensors(file, tensors);
    CHECK_THROWS_WITH(import_weights(model, file), words);
  };
  refused({{"unet.nothing.lora.down.weight", at::zeros({2, 6})}}, Catch::Contains("no weight 'unet.nothing'"));
  refused({{"something", at::zeros({2})}}, Catch::Contains("something") && Catch::Contains("no change of a weight"));
  refused({{"unet.attn2.0.to_k.lora.down.weight", at::zeros({2, 6})}}, Catch::Contains("no 'up' factor"));
  const auto factors = [&](const Tensor& down, const Tensor& up, const Tensor& alpha) {
    return std::map<std::string, Tensor>{{"lora_unet_attn2_0_to_k.lora_down.weight", down},
                                         {"lora_unet_attn2_0_to_k.lora_up.weight", up},
                                         {"lora_unet_attn2_0_to_k.alpha", alpha}};
  };
  const auto one = at::ones({});
  refused(factors(one, at::zeros({6, 2}), one), Catch::Contains("its factors are"));
  refused(factors(at::zeros({2, 6}), at::zeros({6}), one), Catch::Contains("its factors are"));
  refused(factors(at::zeros({0, 6}), at::zeros({6, 0}), one), Catch::Contains("its factors are"));
  refused(factors(at::zeros({2, 6}), at::zeros({6, 2}), at::zeros({2})), Catch::Contains("alpha has 2 numbers"));
  auto twice = factors(at::zeros({2, 6}), at::zeros({6, 2}), one);
  twice.emplace("unet.attn2.0.to_k.lora.down.weight", at::zeros({2, 6}));
  refused(twice, Catch::Contains("a second time"));
}

TEST_CASE("write weight files and what they predict to PERSONA_FOLDER", "[.peer]") {
  const char* variable = std::getenv("PERSONA_FOLDER");
  REQUIRE(variable);
  const std::filesystem::path folder(variable);
  const auto sd = small::write_folder(folder);
  const at::NoGradGuard no_grad;
  const auto embeddings = at::randn({1, 8, 8}), x = at::randn({1, 4, 8, 8}), t = at::full({1}, 321, at::kLong);
  std::map<std::string, Tensor> out{{"embeddings", embeddings}, {"x", x}, {"t", t}};
  const auto moved = [](const auto& sum, const StableDiffusion& model) {  // far enough to see, without training
    StableDiffusion copy = model;
    auto subject = testing::tiny_subjects().front();
    subject.captions = Captions::prompt("{}");
    auto run = personalize(copy, subject, sum, {.steps = 1});
    for (const Leaf& leaf : run.session().bound().leaves) Tensor(leaf.value).add_(0.3 * at::randn(leaf.value.sizes()));
    return run.learned();
  };
  const auto write = [&](const std::string& name, const Learned& learned, std::optional<WeightFormat> format) {
    if (format) export_weights(sd, learned, folder / (name + ".safetensors"), *format);
    const auto changed = personalized(sd, learned);
    const auto states = changed.text_encoder().encode(embeddings);
    out.emplace(name + ".states", states);
    out.emplace(name + ".prediction", changed.denoiser().predict(x, t, {.states = states}));
  };
  write("base", {}, {});
  const auto both = subsets::attention() || subsets::text_attention();
  const auto lora = moved(recipe(LowRank{.rank = 2, .alpha = 3, .weights = both}), sd);
  write("diffusers_lora", lora, WeightFormat::diffusers_lora);
  write("kohya_lora", lora, WeightFormat::kohya_lora);
  const auto in_peft = [&](const std::string& name, const auto& sum) {
    const auto learned = moved(sum, sd);
    std::filesystem::create_directories(folder / name);
    export_weights(sd, learned, folder / name / "adapter_model.safetensors", WeightFormat::peft_lora);
    write(name, learned, {});
  };
  in_peft("peft_lora", recipe(LowRank{.rank = 2, .alpha = 3}));
  in_peft("peft_ranks",
          LowRank{.rank = 2, .alpha = 3, .weights = subsets::cross_attention_kv()} +
              LowRank{.rank = 3, .alpha = 1, .weights = subsets::unet_kernels() && subsets::named(".conv1.")});
  const auto with_kernels = subsets::attention() || (subsets::unet_kernels() && subsets::named(".conv1."));
  in_peft("peft_dora", recipe(DoRA{{.rank = 2, .alpha = 3, .weights = with_kernels}}));
  write("kohya_dora", moved(recipe(DoRA{{.rank = 2, .alpha = 3, .weights = with_kernels}}), sd),
        WeightFormat::kohya_lora);
  write("kohya_diff", moved(recipe(SpectralShift{.weights = subsets::matrices() || subsets::kernels()}), sd),
        WeightFormat::kohya_diff);
  write("svdiff_pytorch", moved(recipe(SpectralShift{.vectors = VectorForm::scale}), sd), WeightFormat::svdiff_pytorch);
  write("kernels",
        moved(recipe(LowRank{.rank = 2,
                             .alpha = 3,
                             .weights = subsets::attention() || (subsets::kernels() && subsets::named(".conv1."))}),
              sd),
        WeightFormat::diffusers_lora);
  write("custom_diffusion", moved(TokenInit{"a"} + CrossAttentionKV{}, sd), WeightFormat::custom_diffusion);
  write("custom_diffusion_crossattn",
        moved(TokenInit{"a"} + CrossAttentionKV{subsets::cross_attention_with_bias()}, sd),
        WeightFormat::custom_diffusion);
  write_safetensors(folder / "outputs.safetensors", out);
}
