#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/core/warning.hpp>
#include <persona/learned/formats.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/testing/tiny_model.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using persona::Format;
using persona::Learned;

Learned some(std::int64_t vectors = 2, std::int64_t width = 6) {
  auto generator = persona::Random(4).at(persona::Stream::initialization);
  return {.rows = {{.token = "<ada>", .rows = at::randn({vectors, width}, generator)}},
          .metadata = {{"persona.recipe", "TokenInit{word = cat}"}}};
}

}  // namespace

TEST_CASE("a learned thing comes back as it was saved, with its metadata") {
  const persona::test::Folder folder;
  auto learned = some();
  learned.rows.push_back({.token = "<rex>", .rows = at::ones({1, 6})});
  learned.save(folder / "both.safetensors");
  const auto back = Learned::load(folder / "both.safetensors");
  REQUIRE(back.rows.size() == 2);
  CHECK(at::equal(back.of("<ada>").rows, learned.rows[0].rows));
  CHECK(at::equal(back.of("<rex>").rows, learned.rows[1].rows));
  CHECK(back.metadata.at("persona.recipe") == "TokenInit{word = cat}");
  CHECK_THROWS_WITH(back.of("<bob>"), Catch::Contains("'<bob>'") && Catch::Contains("<ada>, <rex>"));
}

TEST_CASE("each form goes out and comes in again") {
  const persona::test::Folder folder;
  struct Form {
    Format format;
    std::int64_t vectors;
    const char *file, *key;
    std::vector<std::int64_t> shape;
  };
  const Form forms[] = {{Format::diffusers, 2, "learned_embeds.safetensors", "<ada>", {2, 6}},
                        {Format::diffusers_vector, 1, "learned_embeds.safetensors", "<ada>", {6}},
                        {Format::automatic1111, 2, "ada.safetensors", "emb_params", {2, 6}},
                        {Format::kohya, 1, "ada.safetensors", "emb_params", {1, 6}},
                        {Format::invokeai, 3, "ada.safetensors", "emb_params", {3, 6}},
                        {Format::stable_diffusion_cpp, 2, "ada.safetensors", "emb_params", {2, 6}}};
  for (const auto& [format, vectors, name, key, shape] : forms) {
    const auto learned = some(vectors);
    const auto files = persona::export_to(learned, folder.path(), format);
    REQUIRE(files.size() == 1);
    CHECK(files[0] == folder / name);
    const auto told = persona::describe_file(files[0]);
    REQUIRE(told.tensors.size() == 1);
    CHECK(told.tensors[0].name == key);
    CHECK(told.tensors[0].dtype == "F32");
    CHECK(told.tensors[0].shape == shape);
    CHECK(told.metadata.at("persona.recipe") == "TokenInit{word = cat}");
    const auto back = persona::import_embedding(files[0], std::string(key) == "<ada>" ? "" : "<ada>");
    CHECK(back.rows.at(0).token == "<ada>");
    CHECK(at::equal(back.rows[0].rows, learned.rows[0].rows));
  }
  CHECK(persona::import_embedding(folder / "ada.safetensors").rows[0].token ==
        "ada");  // the file's stem, as other tools name it
  CHECK_THROWS_WITH(persona::export_to(some(3), folder.path(), Format::diffusers_vector),
                    Catch::Contains("'<ada>' has 3 vectors, and this form holds one"));
}

TEST_CASE("rows of half precision and OneTrainer's spelling are read") {
  const persona::test::Folder folder;
  const auto rows = at::ones({2, 6}, at::kHalf) / 3;
  persona::write_safetensors(folder / "ada.safetensors", {{"emp_params", rows}});
  const auto read = persona::import_embedding(folder / "ada.safetensors").rows[0];
  CHECK(read.token == "ada");
  CHECK(at::equal(read.rows, rows.to(at::kFloat)));
}

TEST_CASE("of an embedding for two text encoders a model takes the rows of its width") {
  const persona::test::Folder folder;
  const auto file = folder / "ada.safetensors";
  const auto l = at::rand({2, 6}), g = at::rand({2, 10});
  persona::write_safetensors(file, {{"clip_l", l}, {"clip_g", g}});
  std::string warned;
  const auto before = persona::set_warning_handler([&](const std::string& text) { warned += text; });
  const auto read = persona::import_embedding(persona::testing::tiny_model(), file);
  const auto by_width = persona::import_embedding(file, "<ada>", 10);
  persona::set_warning_handler(before);
  CHECK(at::equal(read.rows.at(0).rows, l));
  CHECK(read.rows[0].token == "ada");
  CHECK(at::equal(by_width.of("<ada>").rows, g));
  CHECK_THAT(warned, Catch::Contains("'clip_l' of an embedding of Stable Diffusion XL is read"));
  CHECK_THROWS_WITH(
      persona::import_embedding(file),
      Catch::Contains("Stable Diffusion XL: rows for its two text encoders, clip_l 6 and clip_g 10 wide") &&
          Catch::Contains("import_embedding(model, FILE)"));
  CHECK_THROWS_WITH(persona::import_embedding(file, {}, 768),
                    Catch::Contains("and none is 768 wide, as Stable Diffusion 1.x"));
}

TEST_CASE("an embedding for another base model is refused, with both widths and whose they are") {
  const persona::test::Folder folder;
  const auto model = persona::testing::tiny_model();
  const auto second = persona::export_to(some(1, 1024), folder.path(), Format::diffusers)[0];
  CHECK_THROWS_WITH(persona::import_embedding(model, second),
                    Catch::Contains("its rows are 1024 wide, as Stable Diffusion 2.x; wanted are 6 wide"));
  CHECK_THROWS_WITH(
      persona::import_embedding(second, {}, 768),
      Catch::Contains("1024 wide, as Stable Diffusion 2.x; wanted are 768 wide, as Stable Diffusion 1.x"));
  CHECK_THROWS_WITH(personalized(model, persona::import_embedding(second)),
                    Catch::Contains("with: '<ada>': its rows are 1024 wide, as Stable Diffusion 2.x; this model's text "
                                    "encoder is 6 wide"));
}

TEST_CASE("embeddings that are pickles or pictures are refused with the way to convert them") {
  const persona::test::Folder folder;
  for (const char* name : {"a.pt", "a.bin", "a.png"}) std::ofstream(folder / name) << "PK\x03\x04 and so on";
  CHECK_THROWS_WITH(persona::import_embedding(folder / "a.pt"),
                    Catch::Contains("string_to_param") && Catch::Contains("can run code") &&
                        Catch::Contains("e['string_to_param']['*'].detach()"));
  CHECK_THROWS_WITH(persona::import_embedding(folder / "a.bin"), Catch::Contains("save_file(e, NEW_FILE)"));
  CHECK_THROWS_WITH(persona::import_embedding(folder / "a.png"), Catch::Contains("is a picture"));
  CHECK_THROWS_WITH(persona::import_embedding(folder / "b.pt"), Catch::Contains("cannot be opened"));
}

TEST_CASE("several tokens make several files; a token never becomes a path") {
  const persona::test::Folder folder;
  auto learned = some();
  learned.rows.push_back({.token = "../../<rex>", .rows = at::ones({1, 6})});
  const auto files = persona::export_to(learned, folder.path(), Format::emb_params);
  REQUIRE(files.size() == 2);
  for (const auto& file : files) CHECK(file.parent_path() == folder.path());
  learned.rows.back().token = "[ada]";
  CHECK_THROWS_WITH(persona::export_to(learned, folder.path(), Format::emb_params),
                    Catch::Contains("two tokens would both be written"));
  std::ofstream(folder / "taken") << "a file";
  CHECK_THROWS_WITH(persona::export_to(some(), folder / "taken", Format::emb_params),
                    Catch::Contains("cannot be made"));
  CHECK_THROWS_AS(persona::export_to(some(), folder / "taken" / "below", Format::emb_params), persona::Error);
}

TEST_CASE("what is not an embedding is refused with a sentence") {
  const persona::test::Folder folder;
  persona::write_safetensors(folder / "lora.safetensors",
                             {{"a.lora_A", at::ones({2, 3})}, {"a.lora_B", at::ones({3, 2})}});
  CHECK_THROWS_WITH(persona::import_embedding(folder / "lora.safetensors"),
                    Catch::Contains("and this file has 2: a.lora_A [2, 3], a.lora_B [3, 2]"));
  persona::write_safetensors(folder / "kohya.safetensors", {{"lora_unet_a.lora_down.weight", at::ones({2, 3})},
                                                            {"lora_unet_a.lora_up.weight", at::ones({3, 2})}});
  CHECK_THROWS_WITH(persona::import_embedding(folder / "kohya.safetensors"),
                    Catch::Contains("is no embedding but a LoRA in kohya's form") &&
                        Catch::Contains("read it with persona::import_weights"));
  CHECK_THROWS_WITH(Learned::load(folder / "kohya.safetensors"),
                    Catch::Contains("not a file that Learned::save wrote, but a LoRA in kohya's form (read it with "
                                    "persona::import_weights)"));
  CHECK_THROWS_WITH(Learned::load(folder / "lora.safetensors"), Catch::Contains("not a file that Learned::save wrote"));
  persona::write_safetensors(folder / "cube.safetensors", {{"<ada>", at::ones({2, 3, 4})}});
  CHECK_THROWS_WITH(persona::import_embedding(folder / "cube.safetensors"),
                    Catch::Contains("[vectors, D], and this file has 1: <ada> [2, 3, 4]"));
  CHECK_THROWS_WITH(persona::export_to(Learned{}, folder.path(), Format::diffusers),
                    Catch::Contains("no token was learned"));
}

TEST_CASE("a model takes learned rows of its own width, and each token once") {
  const auto model = persona::testing::tiny_model();
  const auto ada = personalized(model, some());
  CHECK(ada.placeholders().at(0).vectors == 2);
  CHECK_THROWS_WITH(ada.with(some()), Catch::Contains("'<ada>' is learned already"));
  CHECK_THROWS_WITH(personalized(model, some(2, 8)),
                    Catch::Contains("its rows are 8 wide; this model's text encoder is 6 wide"));
}

TEST_CASE("writes the forms for the peer test to read", "[export]") {
  const char* to = std::getenv("PERSONA_EXPORT_TO");
  if (!to) return;
  for (const std::int64_t vectors : {1, 3}) {
    const auto folder = std::filesystem::path(to) / std::to_string(vectors);
    const auto learned = some(vectors, 16);
    learned.save(folder.parent_path() / (std::to_string(vectors) + ".safetensors"));
    CHECK(persona::export_to(learned, folder, Format::diffusers).size() == 1);
    CHECK(persona::export_to(learned, folder, Format::emb_params).size() == 1);
    if (vectors == 1) CHECK(persona::export_to(learned, folder / "vector", Format::diffusers_vector).size() == 1);
  }
}
