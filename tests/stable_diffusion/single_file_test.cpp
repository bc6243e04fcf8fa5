#include "stable_diffusion/ldm_file.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/core/warning.hpp>
#include <persona/stable_diffusion.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using Catch::Contains;
using persona::LoadOptions;
using persona::StableDiffusion;
using persona::test::Folder;

void write_pad(const std::filesystem::path& tokenizer, const std::string& token) {
  small::edit(tokenizer / "tokenizer_config.json", [&](small::Json& json) { json["pad_token"] = token; });
}

/// A file of its own, to be spoiled, and what loading it says.
struct File {
  explicit File(bool second) : second(second) {
    small::write_tokenizer(folder / "tokenizer");
    if (second) write_pad(folder / "tokenizer", "a");  // the id 0
    tensors = small::ldm_tensors(model(), second);
  }
  StableDiffusion model() const { return small::ldm_model(folder / "tokenizer", second); }
  LoadOptions options() const {
    return {.tokenizer = folder / "tokenizer", .prediction_type = second ? "v_prediction" : ""};
  }
  std::filesystem::path write() const {
    persona::write_safetensors(folder / "model.safetensors", tensors);
    return folder / "model.safetensors";
  }
  std::string said(const LoadOptions& options) const {
    try {
      (void)StableDiffusion::load(write(), options);
    } catch (const persona::Error& error) {
      return error.what();
    }
    return "loaded";
  }
  std::string said() const { return said(options()); }

  Folder folder;
  bool second;
  small::Tensors tensors;
};

void check_equal(const StableDiffusion& a, const StableDiffusion& b) {
  const auto collect = [](const auto& module) {
    small::Tensors all;
    persona::for_each_weight(
        module, [&](const std::string& name, const persona::Weight& weight) { all.emplace(name, weight.base); });
    return all;
  };
  const auto same = [&](const auto& one, const auto& other) {
    const auto left = collect(one), right = collect(other);
    REQUIRE(left.size() == right.size());
    for (const auto& [name, tensor] : left) {
      INFO(name);
      REQUIRE(right.contains(name));
      CHECK(at::equal(tensor, right.at(name)));
    }
  };
  same(a.text_encoder(), b.text_encoder());
  same(a.denoiser(), b.denoiser());
  same(a.autoencoder(), b.autoencoder());
}

}  // namespace

TEST_CASE("a single file of Stable Diffusion 1 is the model that was written") {
  File file(false);
  for (const char* left : {"betas", "sqrt_alphas_cumprod", "model_ema.decay", "model_ema.diffusion_modelout2bias"})
    file.tensors[left] = at::ones({4});
  const auto written = file.model(), read = StableDiffusion::load(file.write(), file.options());
  check_equal(read, written);
  CHECK(read.hash() == written.hash());
  const auto &a = read.denoiser().config(), &b = written.denoiser().config();
  CHECK(a.block_out_channels == b.block_out_channels);
  CHECK(a.layers_per_block == b.layers_per_block);
  CHECK(a.down_block_types == b.down_block_types);
  CHECK(a.up_block_types == b.up_block_types);
  CHECK(a.num_attention_heads == b.num_attention_heads);
  CHECK(a.cross_attention_dim == 64);
  CHECK_FALSE(a.use_linear_projection);
  CHECK(read.latent_shape()[1] == 64);
  CHECK(read.text_encoder().config().hidden_act == "quick_gelu");
  CHECK(read.text_encoder().config().num_hidden_layers == 3);
  CHECK(read.autoencoder().config().block_out_channels == written.autoencoder().config().block_out_channels);
  CHECK(read.autoencoder().scaling_factor() == 0.18215);
  CHECK(read.scheduler_config().prediction_type == "epsilon");
  CHECK(read.scheduler_config().steps_offset == 1);
}

TEST_CASE("a single file of Stable Diffusion 2 is read up to its last layer but one") {
  File file(true);
  const auto written = file.model(), read = StableDiffusion::load(file.write(), file.options());
  check_equal(read, written);
  CHECK(read.text_encoder().config().num_hidden_layers == 23);
  CHECK(read.text_encoder().config().hidden_act == "gelu");
  CHECK(read.denoiser().config().use_linear_projection);
  CHECK(read.denoiser().config().num_attention_heads == std::vector<std::int64_t>{1, 1});
  CHECK(read.scheduler_config().prediction_type == "v_prediction");
  CHECK(read.latent_shape()[1] == 96);
  auto options = file.options();
  options.prediction_type = "epsilon";
  options.sample_size = 32;
  const auto base = StableDiffusion::load(file.write(), options);
  CHECK(base.scheduler_config().prediction_type == "epsilon");
  CHECK(base.latent_shape()[1] == 32);
}

TEST_CASE("what a single file does not say is asked for") {
  File first(false);
  CHECK_THAT(first.said({}), Contains("a single file holds no tokenizer") && Contains("LoadOptions::tokenizer"));
  auto options = first.options();
  options.prediction_type = "v";
  CHECK_THAT(first.said(options), Contains("prediction_type: is 'v'") && Contains("epsilon or v_prediction"));
  File second(true);
  CHECK_THAT(second.said({.tokenizer = second.folder / "tokenizer"}),
             Contains("does not say what its UNet predicts") && Contains("v_prediction for models of 768 pixels"));
  write_pad(second.folder / "tokenizer", "<|endoftext|>");
  CHECK_THAT(second.said(), Contains("pads prompts with the id 53") && Contains("trained with 0 ('!')"));
  const auto folder = first.folder / "folder";
  small::write_folder(folder);
  CHECK_THROWS_WITH(StableDiffusion::load(folder, first.options()),
                    Contains("says itself what LoadOptions::tokenizer is"));
}

TEST_CASE("a single file's tensors that are missing, unknown or of another shape are listed") {
  File file(false);
  SECTION("unknown beside the parts") {
    file.tensors["lora_unet_x.lora_down.weight"] = at::ones({1});
    file.tensors["text_encoder_3.weight"] = at::ones({1});
    CHECK_THAT(file.said(), Contains("2 unknown: lora_unet_x.lora_down.weight, text_encoder_3.weight"));
  }
  SECTION("unknown in a part") {
    file.tensors["model.diffusion_model.label_emb.0.0.weight"] = at::ones({2, 2});
    CHECK_THAT(file.said(), Contains("1 extra: model.diffusion_model.label_emb.0.0.weight [2, 2]"));
  }
  SECTION("missing") {
    file.tensors.erase("model.diffusion_model.output_blocks.2.1.transformer_blocks.0.attn2.to_k.weight");
    CHECK_THAT(file.said(),
               Contains("1 missing: up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight [32, 64]") &&
                   Contains("is the file whole?"));
  }
  SECTION("of another shape") {
    file.tensors["first_stage_model.decoder.norm_out.bias"] = at::ones({5});
    CHECK_THAT(file.said(), Contains("first_stage_model.decoder.norm_out.bias expected [32], found [5]"));
  }
  SECTION("without a text encoder") {
    std::erase_if(file.tensors, [](const auto& one) { return one.first.starts_with("cond_stage_model."); });
    CHECK_THAT(file.said(), Contains("has no tensor 'cond_stage_model.transformer.embeddings.token_embedding.weight'"));
  }
  SECTION("rows that do not part in three") {
    File second(true);
    second.tensors["cond_stage_model.model.transformer.resblocks.4.attn.in_proj_bias"] = at::ones({100});
    CHECK_THAT(second.said(), Contains("expected [64], 3 in turn, found [100]"));
  }
  SECTION("with a text encoder of another depth") {
    File second(true);
    std::erase_if(second.tensors, [](const auto& one) { return one.first.find("resblocks.2") != one.first.npos; });
    CHECK_THAT(second.said(), Contains("its text encoder has 2 layers"));
  }
}

TEST_CASE("a single file without one of its tensors, or with it of another size, is refused") {
  for (const bool second : {false, true}) {
    File file(second);
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file.tensors)
      if (!name.ends_with("position_ids") && !name.ends_with("text_projection") && !name.ends_with("logit_scale") &&
          name.find("resblocks.23.") == name.npos)
        names.push_back(name);
    for (std::size_t i = 0; i < names.size(); i += 13) {
      INFO(names[i]);
      auto node = file.tensors.extract(names[i]);
      CHECK_THAT(file.said(), Contains("[persona]") && Contains("model.safetensors"));
      const auto whole = node.mapped();
      node.mapped() = at::ones({7});
      file.tensors.insert(std::move(node));
      CHECK(file.said() != "loaded");
      file.tensors[names[i]] = whole;
    }
    CHECK(file.said() == "loaded");
  }
}

TEST_CASE("a file that is no Stable Diffusion 1 or 2 is named") {
  File file(false);
  SECTION("inpainting") {
    file.tensors["model.diffusion_model.input_blocks.0.0.weight"] = at::ones({32, 9, 3, 3});
    CHECK_THAT(file.said(), Contains("is an inpainting checkpoint: its UNet takes 9 channels"));
  }
  SECTION("Stable Diffusion XL") {
    file.tensors["conditioner.embedders.1.model.ln_final.bias"] = at::ones({4});
    CHECK_THAT(file.said(), Contains("checkpoint of Stable Diffusion XL") && Contains("bring_your_model.md"));
  }
  SECTION("ControlNet") {
    file.tensors = {{"control_model.time_embed.0.weight", at::ones({4, 4})}};
    CHECK_THAT(file.said(), Contains("is a ControlNet"));
  }
  SECTION("a LoRA") {
    file.tensors = {{"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", at::ones({4, 4})},
                    {"lora_unet_mid_block_attentions_0_proj_in.lora_up.weight", at::ones({4, 4})}};
    CHECK_THAT(file.said(), Contains("is a LoRA") && Contains("import_weights"));
  }
  SECTION("a part of a folder") {
    small::write_folder(file.folder / "folder");
    CHECK_THROWS_WITH(StableDiffusion::load(file.folder / "folder/unet/diffusion_pytorch_model.safetensors"),
                      Contains("is the UNet of a diffusers folder") && Contains("give the folder"));
  }
  SECTION("something else") {
    file.tensors = {{"some.weight", at::ones({4, 4, 4})}};
    CHECK_THAT(file.said(), Contains("is no model in one file") && Contains("its first is 'some.weight'"));
  }
}

TEST_CASE("another noise schedule is warned of") {
  File file(false);
  std::string warned;
  const auto before = persona::set_warning_handler([&](const std::string& text) { warned += text; });
  file.tensors["alphas_cumprod"] = persona::SchedulerConfig{}.alphas_cumprod();
  CHECK(file.said() == "loaded");
  CHECK(warned.empty());
  file.tensors["alphas_cumprod"] = at::linspace(1, 0, 1000);
  CHECK(file.said() == "loaded");
  persona::set_warning_handler(before);
  CHECK_THAT(warned, Contains("alphas_cumprod"));
}

TEST_CASE("saves a single file as a folder for the peer test to read", "[.peer_single_file]") {
  const char* file = std::getenv("PERSONA_SINGLE_FILE");
  const char* folder = std::getenv("PERSONA_FOLDER");
  const char* tokenizer = std::getenv("PERSONA_TOKENIZER");
  const char* prediction = std::getenv("PERSONA_PREDICTION");
  REQUIRE((file && folder && tokenizer && prediction));
  const auto model = StableDiffusion::load(file, {.tokenizer = tokenizer, .prediction_type = prediction});
  persona::save_folder(model, folder, {.dtype = "fp32"});
}
