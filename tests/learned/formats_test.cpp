#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/learned/formats.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/testing/tiny_model.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

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
  const auto learned = some();
  for (const auto format : {Format::diffusers, Format::emb_params}) {
    const auto files = persona::export_to(learned, folder.path(), format);
    REQUIRE(files.size() == 1);
    CHECK(files[0].filename() == (format == Format::diffusers ? "learned_embeds.safetensors" : "ada.safetensors"));
    const auto back = persona::import_embedding(files[0], format == Format::diffusers ? "" : "<ada>");
    CHECK(back.rows.at(0).token == "<ada>");
    CHECK(at::equal(back.rows[0].rows, learned.rows[0].rows));
  }
  CHECK(persona::import_embedding(folder / "ada.safetensors").rows[0].token ==
        "ada");  // the file's stem, as other tools name it
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
}

TEST_CASE("what is not an embedding is refused with a sentence") {
  const persona::test::Folder folder;
  persona::write_safetensors(folder / "lora.safetensors",
                             {{"a.lora_A", at::ones({2, 3})}, {"a.lora_B", at::ones({3, 2})}});
  CHECK_THROWS_WITH(persona::import_embedding(folder / "lora.safetensors"),
                    Catch::Contains("this has 2: a.lora_A, a.lora_B"));
  CHECK_THROWS_WITH(Learned::load(folder / "lora.safetensors"), Catch::Contains("not a file that Learned::save wrote"));
  persona::write_safetensors(folder / "cube.safetensors", {{"<ada>", at::ones({2, 3, 4})}});
  CHECK_THROWS_WITH(persona::import_embedding(folder / "cube.safetensors"),
                    Catch::Contains("expected a tensor of shape [vectors, D], got [2, 3, 4]"));
  CHECK_THROWS_WITH(persona::export_to(Learned{}, folder.path(), Format::diffusers),
                    Catch::Contains("no token was learned"));
}

TEST_CASE("a model takes learned rows of its own width, and each token once") {
  const auto model = persona::testing::tiny_model();
  const auto ada = personalized(model, some());
  CHECK(ada.placeholders().at(0).vectors == 2);
  CHECK_THROWS_WITH(ada.with(some()), Catch::Contains("'<ada>' is learned already"));
  CHECK_THROWS_WITH(personalized(model, some(2, 8)),
                    Catch::Contains("expected a tensor of shape [vectors, D = 6], got [2, 8]"));
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
  }
}
