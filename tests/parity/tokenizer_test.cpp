// Ids of transformers' CLIPTokenizer, stored by make_tokenizer_reference.py; PERSONA_PARITY_DATA points to other data.

#include "support/catch.hpp"

#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/text/placeholder.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using persona::CLIPTokenizer;

namespace {

fs::path data() {
  const char* elsewhere = std::getenv("PERSONA_PARITY_DATA");
  return (elsewhere ? fs::path(elsewhere) : fs::path(PERSONA_TEST_DATA).parent_path() / "parity" / "data") /
         "tokenizer";
}

const nlohmann::json& reference() {
  static const auto value = [] {
    std::ifstream file(data() / "cases.json");
    INFO("no reference in " << data());
    REQUIRE(file);
    return nlohmann::json::parse(file);
  }();
  return value;
}

std::vector<std::int64_t> ids(const nlohmann::json& list) { return list.get<std::vector<std::int64_t>>(); }

// Compares every case that has `key`, or, where it is missing, with `otherwise`; returns how many differ and names the
// first ones.
void compare_all(const CLIPTokenizer& tokenizer, const char* key, const char* otherwise, std::size_t at_least) {
  std::size_t compared = 0, wrong = 0;
  for (const auto& one : reference()["cases"]) {
    if (!one.contains(key) && !otherwise) continue;
    const auto& expected = one.contains(key) ? one[key] : one[otherwise];
    const auto found = tokenizer.encode(one["text"].get<std::string>());
    ++compared;
    if (found == ids(expected)) continue;
    if (++wrong > 10) continue;
    UNSCOPED_INFO(one["text"].dump(-1, ' ', true) << ": expected " << expected << ", got " << nlohmann::json(found));
  }
  CHECK(wrong == 0);
  CHECK(compared >= at_least);
}

// A Stable Diffusion 2 folder: its own config files, the vocabulary of old/.
struct SD2Folder {
  fs::path path;
  SD2Folder() : path(fs::temp_directory_path() / ("persona-sd2-tokenizer-" + std::to_string(std::rand()))) {
    constexpr auto over = fs::copy_options::recursive | fs::copy_options::overwrite_existing;
    fs::copy(data() / "old", path, over);
    fs::copy(data() / "sd2", path, over);
  }
  ~SD2Folder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("the ids of a Stable Diffusion 1 folder are transformers'", "[parity][tokenizer]") {
  const auto tokenizer = CLIPTokenizer::from_folder(data() / "old");
  CHECK(tokenizer.vocab_size() == reference()["vocab_size"]);
  CHECK(tokenizer.bos_token_id() == reference()["bos"]);
  CHECK(tokenizer.eos_token_id() == reference()["eos"]);
  CHECK(tokenizer.unk_token_id() == reference()["eos"]);
  CHECK(tokenizer.pad_token_id() == reference()["eos"]);
  CHECK(tokenizer.max_length() == 77);
  compare_all(tokenizer, "ids", nullptr, 1000);
}

TEST_CASE("the ids of a Stable Diffusion 2 folder, which pads with '!', are transformers'", "[parity][tokenizer]") {
  const SD2Folder folder;
  const auto tokenizer = CLIPTokenizer::from_folder(folder.path);
  CHECK(tokenizer.pad_token_id() == 0);
  compare_all(tokenizer, "sd2", nullptr, 25);
  compare_all(tokenizer, "sd2", "ids", 1000);
}

TEST_CASE("the ids of a folder that transformers 5 wrote, with added tokens, are transformers'",
          "[parity][tokenizer]") {
  const auto tokenizer = CLIPTokenizer::from_folder(data() / "new");
  CHECK(tokenizer.vocab_size() == reference()["new_size"]);
  compare_all(tokenizer, "new", nullptr, 25);
  compare_all(tokenizer, "new", "ids", 1000);
}

TEST_CASE("merges whose order no training gives are applied as transformers does", "[parity][tokenizer]") {
  const auto files = persona::detail::read_tokenizer_folder(data() / "old");
  auto merges = files.merges;
  std::ranges::reverse(merges);
  compare_all(CLIPTokenizer(files.tokens, merges), "backwards", nullptr, 200);
}

TEST_CASE("decoded ids read as transformers'", "[parity][tokenizer]") {
  const auto tokenizer = CLIPTokenizer::from_folder(data() / "old");
  std::size_t compared = 0;
  for (const auto& one : reference()["cases"]) {
    if (!one.contains("decoded")) continue;
    ++compared;
    CHECK(tokenizer.decode(ids(one["ids"])) == one["decoded"].get<std::string>());
  }
  CHECK(compared >= 200);
}

TEST_CASE("prompts are truncated and padded as transformers does", "[parity][tokenizer]") {
  const SD2Folder folder;
  const auto sd1 = CLIPTokenizer::from_folder(data() / "old"), sd2 = CLIPTokenizer::from_folder(folder.path);
  REQUIRE(reference()["padded"].size() >= 10);
  for (const auto& one : reference()["padded"]) {
    const auto text = one["text"].get<std::string>();
    const auto tokens = persona::tokenize_prompt(sd1, text);
    CHECK(tokens.ids == ids(one["old"]));
    CHECK(tokens.truncated == (sd1.encode(text).size() > 75));
    CHECK(persona::tokenize_prompt(sd2, text).ids == ids(one["sd2"]));
  }
}
