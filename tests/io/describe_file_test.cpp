#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/io/describe_file.hpp>
#include <persona/io/safetensors.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using persona::FileKind;
using Tensors = std::map<std::string, persona::Tensor>;

persona::FileDescription told(const Tensors& tensors, const std::map<std::string, std::string>& metadata = {}) {
  const persona::test::Folder folder;
  persona::write_safetensors(folder / "some.safetensors", tensors, metadata);
  return persona::describe_file(folder / "some.safetensors");
}
persona::Tensor z(at::IntArrayRef shape, at::ScalarType dtype = at::kFloat) { return at::zeros(shape, dtype); }
bool reads(const persona::FileDescription& file, const std::string& tool) {
  return std::ranges::find(file.readers, tool) != file.readers.end();
}
const std::string attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k";
const std::string kohya = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";

}  // namespace

TEST_CASE("a file's tensors, bytes and metadata are told as its header has them") {
  const auto file = told({{"b", z({3, 4, 5}, at::kHalf)}, {"a", z({2})}}, {{"who", "me"}});
  CHECK(file.kind == FileKind::unknown);
  CHECK(persona::name_of(file.kind) == "unknown");
  REQUIRE(file.tensors.size() == 2);
  CHECK(file.tensors[0].name == "a");
  CHECK(file.tensors[1].dtype == "F16");
  CHECK(file.tensors[1].shape == std::vector<std::int64_t>{3, 4, 5});
  CHECK(file.bytes == 128);
  CHECK(file.metadata.at("who") == "me");
  CHECK(file.readers.empty());
  CHECK(file.call.empty());
}

TEST_CASE("embeddings are told apart, with the tools that read them") {
  auto file = told({{"<ada>", z({2, 768})}});
  CHECK(file.kind == FileKind::embedding_diffusers);
  CHECK(file.rows.at(0).token == "<ada>");
  CHECK(file.rows[0].vectors == 2);
  CHECK(file.width == 768);
  CHECK(file.base == "Stable Diffusion 1.x");
  CHECK(file.call == "persona::import_embedding");
  CHECK(reads(file, "AUTOMATIC1111"));
  CHECK_FALSE(reads(file, "InvokeAI"));
  file = told({{"<ada>", z({1024})}});
  CHECK(file.base == "Stable Diffusion 2.x");
  CHECK(file.rows.at(0).vectors == 1);
  CHECK(reads(file, "InvokeAI"));
  CHECK_FALSE(reads(file, "kohya"));
  file = told({{"emb_params", z({2, 768}, at::kHalf)}});
  CHECK(file.kind == FileKind::embedding_emb_params);
  CHECK(file.rows.at(0).token.empty());
  CHECK(reads(file, "kohya"));
  CHECK_FALSE(reads(file, "stable-diffusion.cpp"));
  CHECK_THAT(file.note, Catch::Contains("F32 alone"));
  file = told({{"emb_params", z({2, 128})}});
  CHECK(file.base == "Toyland");
  CHECK(file.readers == std::vector<std::string>{"diffusers", "persona"});
  CHECK_THAT(file.note, Catch::Contains("none of a Stable Diffusion"));
  file = told({{"clip_l", z({2, 768})}, {"clip_g", z({2, 1280})}});
  CHECK(file.kind == FileKind::embedding_sdxl);
  CHECK(file.base == "Stable Diffusion XL");
  REQUIRE(file.rows.size() == 2);
  CHECK(file.rows[0].tensor == "clip_l");
  CHECK(file.rows[1].width == 1280);
  Tensors layers;
  for (const char* name : persona::xti_layer_names) layers.emplace(name, z({1, 768}));
  file = told(layers);
  CHECK(file.kind == FileKind::embedding_layers);
  CHECK(file.width == 768);
  CHECK(told({{"layer.weight", z({2, 768})}}).kind == FileKind::unknown);
  CHECK_THAT(told({{"emp_params", z({1, 768})}, {"emp_params_out", z({1, 768})}}).what, Catch::Contains("OneTrainer"));
}

TEST_CASE("a LoRA's dialect, ranks, alphas and targets are told") {
  auto file = told({{kohya + ".lora_down.weight", z({4, 768})},
                    {kohya + ".lora_up.weight", z({320, 4})},
                    {kohya + ".alpha", at::full({}, 2.0, at::kFloat)},
                    {"lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight", z({8, 768})},
                    {"lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight", z({768, 8})}});
  CHECK(file.kind == FileKind::lora);
  CHECK(file.what == "a LoRA in kohya's form");
  REQUIRE(file.lora);
  CHECK(file.lora->dialect == "kohya");
  CHECK(file.lora->ranks == std::vector<std::int64_t>{4, 8});
  CHECK(file.lora->alphas == std::vector<double>{2});
  CHECK(file.lora->unet == 1);
  CHECK(file.lora->text_encoder == 1);
  CHECK(file.lora->targets == std::map<std::string, std::int64_t>{{"to_k", 1}, {"q_proj", 1}});
  CHECK_FALSE(file.lora->dora);
  CHECK(file.base == "Stable Diffusion 1.x");
  CHECK(reads(file, "AUTOMATIC1111"));
  file = told({{"unet." + attention + ".lora.down.weight", z({4, 1024})},
               {"unet." + attention + ".lora.up.weight", z({320, 4})}});
  CHECK(file.lora->dialect == "diffusers");
  CHECK(file.what == "a LoRA in diffusers' form");
  CHECK(file.base == "Stable Diffusion 2.x");
  CHECK_THAT(file.note, Catch::Contains("counts as the rank"));
  file = told({{"base_model.model." + attention + ".lora_A.weight", z({4, 2048})},
               {"base_model.model." + attention + ".lora_B.weight", z({320, 4})},
               {"base_model.model." + attention + ".lora_magnitude_vector", z({320})}});
  CHECK(file.lora->dialect == "peft");
  CHECK(file.lora->dora);
  CHECK(file.base == "Stable Diffusion XL");
  file = told({{"unet.mid_block.attn1.processor.to_out_lora.down.weight", z({4, 320})},
               {"unet.mid_block.attn1.processor.to_out_lora.up.weight", z({320, 4})}});
  CHECK(file.lora->dialect == "old diffusers");
  CHECK(file.lora->targets.at("to_out.0") == 1);
  CHECK_THAT(told({{kohya + ".hada_w1_a", z({4, 4})}, {kohya + ".hada_w1_b", z({4, 4})}}).what,
             Catch::Contains("LyCORIS"));
}

TEST_CASE("other changes of weights are told apart") {
  auto file = told({{attention + ".delta", z({768})}, {"conv_in.delta", z({36})}});
  CHECK(file.kind == FileKind::spectral_shifts);
  CHECK(file.base == "Stable Diffusion 1.x");
  file = told({{"down_blocks.0.attn2.processor.to_k_custom_diffusion.weight", z({320, 1024})}});
  CHECK(file.kind == FileKind::custom_diffusion);
  CHECK(file.base == "Stable Diffusion 2.x");
  file = told({{kohya + ".diff", z({320, 768})}, {kohya + ".diff_b", z({320})}});
  CHECK(file.kind == FileKind::differences);
  CHECK(file.base == "Stable Diffusion 1.x");
  file = told({{"rows.<ada>", z({2, 768})}, {"weights.unet." + attention + ".weight.spectral.delta", z({320})}},
              {{"persona.kind", "learned"}});
  CHECK(file.kind == FileKind::learned);
  CHECK(file.rows.at(0).token == "<ada>");
  CHECK(told({{"leaf", z({2})}}, {{"persona.kind", "checkpoint"}}).kind == FileKind::run);
  CHECK(told({{"leaf.S", z({2})}}, {{"persona.kind", "svd"}}).kind == FileKind::decompositions);
}

TEST_CASE("whole models and parts of them are told apart") {
  const std::string unet = "model.diffusion_model.";
  Tensors first{{unet + "input_blocks.0.0.weight", z({320, 4, 3, 3})},
                {unet + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", z({320, 768})},
                {"model_ema.diffusion_modelattn2to_kweight", z({320, 4096})},
                {"cond_stage_model.transformer.text_model.final_layer_norm.bias", z({768})}};
  auto file = told(first);
  CHECK(file.kind == FileKind::single_file_sd1);
  CHECK(file.base == "Stable Diffusion 1.x");
  CHECK_THAT(file.call, Catch::Contains("StableDiffusion::load") && Catch::Contains("tokenizer"));
  auto second = first;
  second["cond_stage_model.model.transformer.resblocks.0.ln_1.bias"] = z({1024});
  CHECK(told(second).kind == FileKind::single_file_sd2);
  auto xl = first;
  xl["conditioner.embedders.0.transformer.text_model.final_layer_norm.bias"] = z({768});
  CHECK(told(xl).kind == FileKind::single_file_sdxl);
  first[unet + "input_blocks.0.0.weight"] = z({320, 9, 3, 3});
  file = told(first);
  CHECK(file.kind == FileKind::single_file_other);
  CHECK_THAT(file.what, Catch::Contains("inpainting"));
  CHECK_THAT(told({{"control_model.input_hint_block.0.weight", z({4})}}).what, Catch::Contains("ControlNet"));
  CHECK(told({{"conv_in.weight", z({320, 4, 3, 3})}, {attention + ".weight", z({320, 768})}}).kind ==
        FileKind::part_unet);
  CHECK(told({{"decoder.conv_in.weight", z({4})}, {"encoder.down_blocks.0.resnets.0.norm1.bias", z({4})}}).kind ==
        FileKind::part_vae);
  file = told({{"text_model.embeddings.token_embedding.weight", z({5, 1024})},
               {"text_model.final_layer_norm.weight", z({1024})}});
  CHECK(file.kind == FileKind::part_text_encoder);
  CHECK(told({{"pair.text_model.embeddings.token_embedding.weight", z({5, 1024})},
              {"pair.text_model.final_layer_norm.weight", z({1024})}})
            .kind == FileKind::unknown);
  CHECK(file.base == "Stable Diffusion 2.x");
}

TEST_CASE("pickles and broken files are refused, and nothing is told of them") {
  const persona::test::Folder folder;
  std::ofstream(folder / "a.pt") << "PK\x03\x04 and so on";
  CHECK_THROWS_WITH(persona::describe_file(folder / "a.pt"), Catch::Contains("a pickle in it can run code"));
  std::ofstream(folder / "a.safetensors") << "nonsense, and more of it";
  CHECK_THROWS_AS(persona::describe_file(folder / "a.safetensors"), persona::Error);
  CHECK_THROWS_WITH(persona::describe_file(folder / "none"), Catch::Contains("cannot be opened"));
}
