#include "support/folder.hpp"
#include "support/catch.hpp"

#include "stable_diffusion/small_folder.hpp"

#include <persona/learned/personalized.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/sample.hpp>
#include <persona/stable_diffusion.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;
using Catch::Contains;
using persona::StableDiffusion;
using persona::test::Folder;

static_assert(persona::LatentDiffusionModel<StableDiffusion>);
static_assert(persona::SamplingModel<StableDiffusion>);
static_assert(persona::HasDenoiserWeights<StableDiffusion> && persona::HasTextEncoderWeights<StableDiffusion>);
static_assert(persona::SplitTextEncoder<persona::text_encoder_t<StableDiffusion>>);
static_assert(persona::AttentionDenoiser<persona::denoiser_t<StableDiffusion>>);

const std::string stem = "diffusion_pytorch_model.safetensors";

/// A folder of the small model, and what loading it says once it is spoiled.
class Spoiled {
 public:
  Spoiled() { small::write_folder(folder_.path()); }
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  const fs::path& path() const { return folder_.path(); }
  std::string said(const persona::LoadOptions& options = {}) const {
    try {
      StableDiffusion::load(folder_.path(), options);
    } catch (const persona::Error& error) {
      return error.what();
    }
    return "loaded";
  }

 private:
  Folder folder_;
};

}  // namespace

TEST_CASE("what save_folder writes, load reads: the same weights, configs and schedule") {
  const Folder folder;
  const auto saved = small::write_folder(folder.path());
  const auto loaded = StableDiffusion::load(folder.path());
  CHECK(loaded.hash() == saved.hash());
  CHECK(loaded.hash() != small::model(folder / "tokenizer", 2).hash());
  CHECK(loaded.latent_shape() == persona::LatentShape{4, 8, 8});
  CHECK(loaded.scheduler_config().steps_offset == 1);
  CHECK_FALSE(loaded.scheduler_config().set_alpha_to_one);
  CHECK(loaded.scheduler_config().beta_start == 0.00085);
  CHECK(at::equal(loaded.scheduler().alphas_cumprod(), saved.scheduler().alphas_cumprod()));
  CHECK(loaded.autoencoder().scaling_factor() == 0.18215);
  CHECK(loaded.tokenizer().encode("ab") == saved.tokenizer().encode("ab"));
  const auto x = at::randn({1, 4, 8, 8}), states = at::randn({1, 8, 8});
  const auto t = at::full({1}, 10, at::kLong);
  CHECK(at::equal(loaded.denoiser().predict(x, t, {.states = states}),
                  saved.denoiser().predict(x, t, {.states = states})));
}

TEST_CASE("every config field makes the round trip") {
  const Folder folder;
  small::write_tokenizer(folder / "tokenizer");
  auto text = small::text_config;
  text.hidden_act = "gelu", text.layer_norm_eps = 1e-4, text.hidden_size = 12, text.num_attention_heads = 3;
  auto unet = small::unet_config;
  unet.center_input_sample = true, unet.flip_sin_to_cos = false, unet.freq_shift = 1, unet.use_linear_projection = true;
  unet.cross_attention_dim = 12, unet.norm_eps = 1e-3, unet.layers_per_block = {1, 2},
  unet.num_attention_heads = {2, 3};
  unet.transformer_layers_per_block = {2, 1}, unet.sample_size = 6, unet.mid_block_type = "";
  auto vae = small::vae_config;
  vae.scaling_factor = 0.5, vae.mid_block_add_attention = false, vae.use_quant_conv = false,
  vae.use_post_quant_conv = false;
  const persona::SchedulerConfig schedule{.num_train_timesteps = 500,
                                          .beta_start = 1e-4,
                                          .beta_end = 0.02,
                                          .beta_schedule = "linear",
                                          .prediction_type = "v_prediction",
                                          .timestep_spacing = "trailing",
                                          .steps_offset = 2,
                                          .set_alpha_to_one = false,
                                          .clip_sample = true,
                                          .clip_sample_range = 2.5,
                                          .rescale_betas_zero_snr = true};
  const auto generator = persona::Random(3).at(persona::Stream::initialization);
  persona::CLIPTextModel text_model(text);
  persona::UNet2DConditionModel unet_model(unet);
  persona::AutoencoderKL vae_model(vae);
  persona::initialize(text_model, generator);
  persona::initialize(unet_model, generator);
  persona::initialize(vae_model, generator);
  const StableDiffusion sd(persona::CLIPTokenizer::from_folder(folder / "tokenizer"), text_model, unet_model, vae_model,
                           schedule);
  persona::save_folder(sd, folder.path(), {.dtype = "fp32"});
  const auto loaded = StableDiffusion::load(folder.path());
  CHECK(loaded.hash() == sd.hash());
  for (const char* part : {"text_encoder", "unet", "vae"}) {
    const Folder again;
    small::write_tokenizer(again / "tokenizer");
    persona::save_folder(loaded, again.path(), {.dtype = "fp32"});
    CHECK(small::read_json(again / (std::string(part) + "/config.json")) ==
          small::read_json(folder / (std::string(part) + "/config.json")));
  }
  const auto& found = loaded.scheduler_config();
  CHECK(persona::detail::to_json(found) == persona::detail::to_json(schedule));
  CHECK(loaded.denoiser().config().num_attention_heads == unet.num_attention_heads);
  CHECK(loaded.denoiser().config().mid_block_type.empty());
  CHECK(loaded.text_encoder().config().hidden_act == "gelu");
}

TEST_CASE("files in fp16, bf16 and fp32 are read into either dtype") {
  const Folder folder;
  const auto model = small::write_folder(folder.path());
  for (const char* stored : {"fp16", "bf16", "fp32"}) {
    persona::save_folder(model, folder.path(), {.dtype = stored});
    for (const char* wanted : {"fp32", "bf16"}) {
      INFO(stored << " into " << wanted);
      const auto loaded = StableDiffusion::load(folder.path(), {.dtype = wanted});
      const auto type = persona::parse_dtype(wanted);
      persona::for_each_weight(loaded.denoiser(), [&](const std::string&, const persona::Weight& weight) {
        CHECK(weight.base.scalar_type() == type);
      });
      persona::for_each_weight(loaded.autoencoder(), [&](const std::string&, const persona::Weight& weight) {
        CHECK(weight.base.scalar_type() == type);
      });
      CHECK(loaded.text_encoder().embedding_table().scalar_type() == at::kFloat);
      CHECK(at::allclose(loaded.text_encoder().embedding_table(), model.text_encoder().embedding_table(), 1e-2, 1e-3));
    }
  }
  CHECK(StableDiffusion::load(folder.path(), {.text_dtype = "bf16"}).text_encoder().embedding_table().scalar_type() ==
        at::kBFloat16);
}

TEST_CASE("an option that cannot be met says what there is") {
  const Spoiled folder;
  CHECK_THAT(folder.said({.device = "tpu"}),
             Contains("device 'tpu': expected cpu, cuda, cuda:NUMBER or auto (here: cpu"));
  CHECK_THAT(folder.said({.dtype = "fp16"}), Contains("dtype 'fp16': is not computed in") && Contains("bf16"));
  CHECK_THAT(folder.said({.text_dtype = "int8"}), Contains("dtype 'int8': expected fp32 or bf16"));
  CHECK_THAT(folder.said({.variant = "fp16"}),
             Contains("text_encoder: expected model.fp16.safetensors, found config.json, model.safetensors"));
  if (at::getNumGPUs() == 0)
    CHECK_THAT(folder.said({.device = "cuda"}), Contains("device 'cuda': is not there (here: cpu"));
  CHECK(folder.said({.device = "auto"}) == "loaded");
}

TEST_CASE("a folder as published in 2022 loads, and gives the same pictures") {
  for (const bool convolutions : {false, true}) {
    const Folder folder;
    const auto model = small::write_folder(folder.path());
    small::make_old(folder.path(), convolutions);
    const auto old = StableDiffusion::load(folder.path());
    CHECK(old.hash() == model.hash());
    CHECK(old.scheduler_config().prediction_type == "epsilon");
    CHECK(old.scheduler_config().timestep_spacing == "leading");
    CHECK_FALSE(old.scheduler_config().set_alpha_to_one);
    const auto latents = at::randn({1, 4, 8, 8});
    CHECK(at::equal(old.autoencoder().decode(latents), model.autoencoder().decode(latents)));
  }
}

TEST_CASE("a text encoder without the prefix of its names is read") {
  const Folder folder;
  const auto model = small::write_folder(folder.path());
  small::edit_tensors(folder / "text_encoder/model.safetensors", [](small::Tensors& tensors) {
    small::Tensors bare;
    for (const auto& [name, tensor] : tensors) bare.emplace(name.substr(std::string("text_model.").size()), tensor);
    bare["embeddings.position_ids"] = at::arange(8).unsqueeze(0);
    tensors = bare;
  });
  CHECK(StableDiffusion::load(folder.path()).hash() == model.hash());
}

TEST_CASE("fp16 files are taken where there are no others, or where they are asked for") {
  const Folder folder;
  const auto model = small::write_folder(folder.path());
  const auto unet = folder / "unet";
  // The fp16 file of another seed shows which one was read.
  small::edit_tensors(unet / stem, [](small::Tensors&) {});
  fs::copy_file(unet / stem, unet / "diffusion_pytorch_model.fp16.safetensors");
  small::edit_tensors(unet / "diffusion_pytorch_model.fp16.safetensors", [](small::Tensors& tensors) {
    for (auto& [name, tensor] : tensors) tensor = at::zeros_like(tensor, at::kHalf);
  });
  const auto sum = [&](const persona::LoadOptions& options) {
    double total = 0;
    persona::for_each_weight(
        StableDiffusion::load(folder.path(), options).denoiser(),
        [&](const std::string&, const persona::Weight& weight) { total += weight.base.abs().sum().item<double>(); });
    return total;
  };
  CHECK(sum({}) > 0);
  for (const char* part : {"vae/diffusion_pytorch_model", "text_encoder/model"})
    fs::copy_file(folder / (std::string(part) + ".safetensors"), folder / (std::string(part) + ".fp16.safetensors"));
  CHECK(sum({.variant = "fp16"}) == 0);
  fs::remove(unet / stem);
  CHECK(sum({}) == 0);
}

TEST_CASE("channels_last is a layout: the weights are the same, and so is what they predict") {
  const Folder folder;
  small::write_folder(folder.path());
  const auto plain = StableDiffusion::load(folder.path()),
             last = StableDiffusion::load(folder.path(), {.channels_last = true});
  bool any = false;
  persona::for_each_weight(
      last.denoiser(), [&](const std::string&, const persona::Weight& weight) { any |= !weight.base.is_contiguous(); });
  CHECK(any);
  CHECK(last.hash() == plain.hash());
  const auto x = at::randn({2, 4, 8, 8}), states = at::randn({2, 8, 8});
  const auto t = at::full({2}, std::int64_t{500}, at::kLong);
  const auto predict = [&](const StableDiffusion& sd) {
    return sd.denoiser().predict(x, t, {.states = states, .layers = {}, .pooled = {}});
  };
  CHECK(at::allclose(predict(plain), predict(last), 1e-5, 1e-6));
  const Folder again;
  small::write_tokenizer(again / "tokenizer");
  persona::save_folder(last, again.path(), {.dtype = "fp32"});
  CHECK(StableDiffusion::load(again.path()).hash() == plain.hash());
}

TEST_CASE("shards and their index are read") {
  const Folder folder;
  const auto model = small::write_folder(folder.path());
  small::shard(folder / ("unet/" + stem));
  small::shard(folder / "text_encoder/model.safetensors", "fp16");
  CHECK(StableDiffusion::load(folder.path()).hash() == model.hash());
}

TEST_CASE("files that are links into a cache are read, as a hub's cache lays them out") {
  const Folder folder;
  const auto model = small::write_folder(folder / "snapshot");
  fs::create_directory(folder / "blobs");
  int number = 0;
  for (const char* file : {"unet/config.json", "unet/diffusion_pytorch_model.safetensors",
                           "text_encoder/model.safetensors", "tokenizer/vocab.json"}) {
    const auto blob = folder / ("blobs/" + std::to_string(number++)), link = folder / "snapshot" / file;
    fs::rename(link, blob);
    fs::create_symlink(fs::relative(blob, link.parent_path()), link);
  }
  CHECK(StableDiffusion::load(folder / "snapshot").hash() == model.hash());
}

TEST_CASE("shards that do not belong together are refused") {
  const Spoiled folder;
  const auto index = small::shard(folder / ("unet/" + stem));
  const auto shard = [&](int i) {
    return folder / ("unet/diffusion_pytorch_model-0000" + std::to_string(i) + "-of-00002.safetensors");
  };
  const auto says = [&](const std::string& text) {
    const auto said = folder.said();
    CHECK_THAT(said, Contains("unet/diffusion_pytorch_model.safetensors.index.json: "));
    CHECK_THAT(said, Contains(text));
  };
  SECTION("names that leave the folder") {
    for (const char* name : {"../../etc/passwd", "/etc/passwd", "sub/a.safetensors", "..\\a.safetensors", "..", "",
                             "model.bin", ".a.safetensors"}) {
      INFO(name);
      small::edit(index, [&](small::Json& json) { json["weight_map"]["conv_in.bias"] = name; });
      says("weight_map: 'conv_in.bias' names the file '" + std::string(name) + "'");
    }
    small::edit(index, [&](small::Json& json) { json["weight_map"]["conv_in.bias"] = 3; });
    says("'conv_in.bias' must be a file's name, got 3");
  }
  SECTION("a shard is missing") {
    fs::remove(shard(2));
    says("the shard 'diffusion_pytorch_model-00002-of-00002.safetensors' is not there (incomplete download?)");
  }
  SECTION("a shard that points to itself") {
    fs::remove(shard(2));
    fs::create_symlink(shard(2), shard(2));
    CHECK_THAT(folder.said(), Contains("diffusion_pytorch_model-00002-of-00002.safetensors") && !Contains("loaded"));
  }
  SECTION("a tensor is not where the index says") {
    small::edit_tensors(shard(1), [](small::Tensors& tensors) { tensors.erase("conv_in.bias"); });
    says("says that 'conv_in.bias' is in ");
    says("which has no such tensor");
  }
  SECTION("a tensor that the index does not name") {
    small::edit_tensors(shard(1), [](small::Tensors& tensors) { tensors["more"] = at::ones({1}); });
    CHECK_THAT(folder.said(), Contains("00001-of-00002.safetensors: holds 'more', which the index does not name"));
  }
  SECTION("a tensor in two shards") {
    small::edit_tensors(shard(2), [](small::Tensors& tensors) { tensors["conv_in.bias"] = at::ones({8}); });
    CHECK_THAT(folder.said(),
               Contains("00002-of-00002.safetensors: holds 'conv_in.bias', which the index places in another shard"));
  }
  SECTION("another total size") {
    small::edit(index, [](small::Json& json) { json["metadata"]["total_size"] = 7; });
    says("'metadata.total_size' is 7, the shards hold ");
  }
  SECTION("no map") {
    small::write_text(index, "{}");
    says("'weight_map' must be an object");
  }
}

TEST_CASE("tensors that are missing, too many or misshapen are listed in one error") {
  const Spoiled folder;
  const auto file = folder / ("unet/" + stem);
  SECTION("one of each") {
    small::edit_tensors(file, [](small::Tensors& tensors) {
      tensors.erase("conv_in.bias");
      tensors["conv_inn.bias"] = at::ones({8});
      tensors["conv_out.weight"] = at::ones({4, 8, 5, 5});
      tensors["conv_out.bias"] = at::ones({4}, at::kLong);
    });
    const auto said = folder.said();
    CHECK_THAT(
        said, Contains("unet/diffusion_pytorch_model.safetensors: its tensors are not those of config.json beside it"));
    CHECK_THAT(said, Contains("1 missing: conv_in.bias [8]"));
    CHECK_THAT(said, Contains("1 extra: conv_inn.bias [8]"));
    CHECK_THAT(said, Contains("2 of another shape or dtype: ") &&
                         Contains("conv_out.bias expected F32, F16 or BF16, found I64") &&
                         Contains("conv_out.weight expected [4, 8, 3, 3], found [4, 8, 5, 5]"));
  }
  SECTION("ten of many") {
    small::edit_tensors(file, [](small::Tensors& tensors) { tensors = {{"nothing", at::ones({1})}}; });
    const auto said = folder.said();
    CHECK_THAT(said, Contains(" missing: conv_in.weight [8, 4, 3, 3], conv_in.bias [8], ") && Contains(", ..."));
    CHECK_THAT(said, Contains("1 extra: nothing [1]"));
    CHECK(said.size() < 2000);
  }
  SECTION("a tensor under its old and its new name") {
    small::edit_tensors(folder / ("vae/" + stem), [](small::Tensors& tensors) {
      tensors["encoder.mid_block.attentions.0.query.bias"] = at::ones({12});
    });
    CHECK_THAT(folder.said(), Contains("1 under two names: encoder.mid_block.attentions.0.to_q.bias beside "
                                       "encoder.mid_block.attentions.0.query.bias"));
  }
  SECTION("in shards, with the shard's name") {
    small::edit_tensors(file, [](small::Tensors& tensors) { tensors["conv_out.bias"] = at::ones({5}); });
    small::shard(file);
    CHECK_THAT(folder.said(),
               Contains("conv_out.bias in diffusion_pytorch_model-0000") && Contains("expected [4], found [5]"));
  }
  SECTION("cut short") {
    fs::resize_file(file, fs::file_size(file) - 1);
    CHECK_THAT(folder.said(),
               Contains("unet/diffusion_pytorch_model.safetensors: ") && Contains("incomplete download?"));
  }
}

TEST_CASE("a folder with pickles alone is refused with the way to convert it") {
  const Spoiled folder;
  fs::remove(folder / ("unet/" + stem));
  small::write_text(folder / "unet/diffusion_pytorch_model.bin", "PK\3\4");
  CHECK_THAT(folder.said(), Contains("unet: expected diffusion_pytorch_model.safetensors, found "
                                     "diffusion_pytorch_model.bin: a Python pickle, which can run code") &&
                                Contains("save_pretrained"));
  fs::remove(folder / "unet/diffusion_pytorch_model.bin");
  CHECK_THAT(folder.said(), Contains("unet: expected diffusion_pytorch_model.safetensors, found config.json"));
  small::write_text(folder / ("unet/" + stem), std::string("PK\3\4\0\0\0\0", 8));
  CHECK_THAT(folder.said(),
             Contains("unet/diffusion_pytorch_model.safetensors: is a zip archive, as Python's torch.save writes"));
}

TEST_CASE("what is no model folder says what it is") {
  const Folder folder;
  CHECK_THROWS_WITH(StableDiffusion::load(folder / "none"), Contains("none: is not there"));
  CHECK_THROWS_WITH(StableDiffusion::load(folder.path()), Contains("has no folder 'unet'"));
  small::write_text(folder / "model.ckpt", "PK\3\4");
  CHECK_THROWS_WITH(StableDiffusion::load(folder / "model.ckpt"),
                    Contains("model.ckpt: is a zip archive") && Contains("weights_only=True"));
  persona::write_safetensors(folder / "model.safetensors", {{"model.diffusion_model.out.2.bias", at::ones({4})}});
  CHECK_THROWS_WITH(StableDiffusion::load(folder / "model.safetensors"),
                    Contains("is a single-file checkpoint of a model that is not Stable Diffusion 1 or 2"));
  const Spoiled spoiled;
  small::edit(spoiled / "model_index.json",
              [](small::Json& json) { json["_class_name"] = "StableDiffusionXLPipeline"; });
  CHECK_THAT(
      spoiled.said(),
      Contains(
          "model_index.json: '_class_name' is \"StableDiffusionXLPipeline\" (supported: \"StableDiffusionPipeline\""));
  fs::remove(spoiled / "model_index.json");
  CHECK(spoiled.said() == "loaded");
}

TEST_CASE("parts of two models are told apart") {
  const Spoiled folder;
  const Folder other;
  small::write_tokenizer(other / "tokenizer");
  SECTION("a narrower text encoder") {
    small::edit(folder / "text_encoder/config.json", [](small::Json& json) { json["hidden_size"] = 6; });
    CHECK_THAT(folder.said(), Contains("the UNet's cross_attention_dim is 8, the text encoder's hidden_size is 6 (are "
                                       "the parts of the same model?)"));
  }
  SECTION("an inpainting UNet") {
    small::edit(folder / "unet/config.json", [](small::Json& json) { json["in_channels"] = 9; });
    CHECK_THAT(folder.said(), Contains("the UNet's in_channels is 9, the VAE's latent_channels is 4"));
  }
  SECTION("a larger vocabulary") {
    small::edit(folder / "tokenizer/vocab.json", [](small::Json& json) { json["zz</w>"] = json.size(); });
    CHECK_THAT(folder.said(), Contains("the number of the tokenizer's ids is 55, the text encoder's vocab_size is 54"));
  }
  SECTION("longer prompts") {
    small::edit(folder / "tokenizer/tokenizer_config.json", [](small::Json& json) { json["model_max_length"] = 77; });
    CHECK_THAT(folder.said(),
               Contains("the tokenizer's max_length is 77, the text encoder's max_position_embeddings is 8"));
  }
}

TEST_CASE("what was learned into a weight is written with it; values that the dtype does not hold are not") {
  const Folder folder;
  auto model = small::write_folder(folder.path());
  struct Doubled : persona::Replacement {
    std::vector<persona::Leaf> leaves() const override { return {}; }
    std::shared_ptr<const persona::Adapter> snapshot() const override { return std::make_shared<Doubled>(*this); }
    persona::Tensor value(const persona::Tensor& base) const override { return base * 2; }
  };
  persona::for_each_weight(model.denoiser(), [&](const std::string& name, persona::Weight& weight) {
    if (name == "conv_in.weight") weight.replacement = std::make_shared<Doubled>();
  });
  const auto before = small::read_tensors(folder / ("unet/" + stem)).at("conv_in.weight");
  persona::save_folder(model, folder.path(), {.dtype = "fp32"});
  CHECK(at::equal(small::read_tensors(folder / ("unet/" + stem)).at("conv_in.weight"), before * 2));

  persona::for_each_weight(model.denoiser(), [&](const std::string& name, persona::Weight& weight) {
    if (name == "conv_out.bias") weight.base = weight.base.clone().fill_(1e5);
  });
  CHECK_THROWS_WITH(persona::save_folder(model, folder.path()),
                    Contains("unet/diffusion_pytorch_model.safetensors: conv_out.bias: is not finite in Half") &&
                        Contains("bf16 or fp32"));
  CHECK_NOTHROW(persona::save_folder(model, folder.path(), {.dtype = "bf16"}));
  CHECK_THROWS_WITH(persona::save_folder(model, folder.path(), {.dtype = "int8"}),
                    Contains("expected fp16, bf16 or fp32"));
  model.denoiser() = persona::UNet2DConditionModel(small::unet_config);
  CHECK_THROWS_WITH(persona::save_folder(model, folder.path()), Contains("has no values yet"));
}

TEST_CASE("a sampler by an unknown name, and a model with what was learned") {
  const Folder folder;
  const auto model = small::write_folder(folder.path());
  CHECK_THROWS_WITH(model.sampler("heun"), Contains("'heun' is not known (ddim, dpm or euler)"));
  persona::Learned learned;
  learned.rows.push_back({.token = "<ada>", .rows = at::zeros({1, 8})});
  const auto personalized = model.with(learned);
  CHECK(personalized.placeholders().front().token == "<ada>");
  CHECK(personalized.denoiser().config().sample_size == 8);
}

// For folder_peer.py: a folder, and what the library computes with it.
TEST_CASE("write a folder and its outputs to PERSONA_FOLDER", "[.peer]") {
  const char* folder = std::getenv("PERSONA_FOLDER");
  REQUIRE(folder);
  const at::NoGradGuard no_grad;
  const auto model = small::write_folder(folder);
  std::vector<std::int64_t> ids{model.tokenizer().bos_token_id()};
  for (const auto id : model.tokenizer().encode("a cat")) ids.push_back(id);
  ids.resize(8, model.tokenizer().eos_token_id());
  const auto input_ids = at::tensor(ids, at::kLong).unsqueeze(0);
  const auto states =
      model.text_encoder().encode(model.text_encoder().embedding_table().index_select(0, input_ids[0]).unsqueeze(0));
  const auto x = at::randn({1, 4, 8, 8}), t = at::full({1}, 321, at::kLong), images = at::rand({1, 3, 16, 16}) * 2 - 1;
  persona::write_safetensors(fs::path(folder) / "outputs.safetensors",
                             {{"input_ids", input_ids},
                              {"states", states},
                              {"x", x},
                              {"t", t},
                              {"prediction", model.denoiser().predict(x, t, {.states = states})},
                              {"decoded", model.autoencoder().decode(x)},
                              {"images", images},
                              {"mean", model.autoencoder().encode(images).mean},
                              {"alphas_cumprod", model.scheduler().alphas_cumprod()}});
}
