#include "support/catch.hpp"

#include <persona/stable_diffusion/clip_tokenizer.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fs = std::filesystem;
using persona::CLIPTokenizer;
using persona::Merge;
using Ids = std::vector<std::int64_t>;

static_assert(persona::Tokenizer<CLIPTokenizer>);

namespace {

const std::vector<Merge> merges{{"c", "a"}, {"ca", "t</w>"}, {"c", "at</w>"}, {"a", "t</w>"}, {"a", "a"}, {"aa", "aa"}};

// Bytes, marked bytes, what the merges make, and the special tokens.
std::vector<std::string> vocabulary() {
  std::vector<std::string> tokens;
  for (const char* mark : {"", "</w>"})
    for (const char32_t c : persona::detail::byte_alphabet()) {
      std::string token;
      persona::detail::put_utf8(token, c);
      tokens.push_back(token + mark);
    }
  for (const char* token : {"ca", "cat</w>", "at</w>", "aa", "aaaa", "<|startoftext|>", "<|endoftext|>"})
    tokens.emplace_back(token);
  return tokens;
}

CLIPTokenizer tiny(persona::CLIPTokenizerOptions options = {}) { return {vocabulary(), merges, std::move(options)}; }

std::vector<std::string> pieces(const CLIPTokenizer& tokenizer, std::string_view text) {
  std::vector<std::string> tokens;
  for (const auto id : tokenizer.encode(text)) tokens.push_back(tokenizer.token(id));
  return tokens;
}

// A tokenizer folder of the older form; a test overwrites the file that it is about.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("persona-tokenizer-" + std::to_string(std::rand()))) {
    fs::create_directories(path_);
    auto vocab = nlohmann::json::object();
    for (const auto& token : vocabulary()) vocab[token] = vocab.size();
    write("vocab.json", vocab.dump());
    std::string lines = "#version: 0.2\n";
    for (const Merge& merge : merges) lines += merge.left + " " + merge.right + "\n";
    write("merges.txt", lines);
  }
  ~Folder() { fs::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void remove(const std::string& name) const { fs::remove(path_ / name); }
  CLIPTokenizer load() const { return CLIPTokenizer::from_folder(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const persona::Error& error) {
    return error.what();
  }
  return "no error";
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("words become their pieces, lowest rank first") {
  const auto tokenizer = tiny();
  CHECK(pieces(tokenizer, "cat") == std::vector<std::string>{"cat</w>"});
  CHECK(pieces(tokenizer, "aat") == std::vector<std::string>{"a", "at</w>"});  // "a t</w>" comes before "a a"
  CHECK(pieces(tokenizer, "at") == std::vector<std::string>{"at</w>"});
  CHECK(pieces(tokenizer, "aaaaa") == std::vector<std::string>{"aaaa", "a</w>"});
  CHECK(pieces(tokenizer, "CAT\t \n Cat") == std::vector<std::string>{"cat</w>", "cat</w>"});
  CHECK(pieces(tokenizer, "it's 42!?") ==
        std::vector<std::string>{"i", "t</w>", "'", "s</w>", "4</w>", "2</w>", "!", "?</w>"});
  CHECK(tokenizer.encode("").empty());
  CHECK(tokenizer.encode(" \n\u3000").empty());
}

TEST_CASE("text is composed and lowered as a whole, code point by code point") {
  const auto tokenizer = tiny();
  CHECK(tokenizer.encode("E\u0301") == tokenizer.encode("\u00e9"));
  CHECK(tokenizer.decode(tokenizer.encode("\u0130")) == "i \u0307");  // two code points, and the mark is no letter
  CHECK(tokenizer.decode(tokenizer.encode("\u03a3\u0391\u03a3")) == "\u03c3\u03b1\u03c3");  // no final sigma
  CHECK(tokenizer.decode(tokenizer.encode("Don\u2019t")) == "don \u2019 t");
  CHECK(tokenizer.decode(tokenizer.encode("a\u0301\u0323")) == tokenizer.decode(tokenizer.encode("a\u0323\u0301")));
}

TEST_CASE("added tokens are found before words are") {
  persona::CLIPTokenizerOptions options;
  options.added_tokens = {{.content = "<Ada>", .normalized = true}, {.content = "<ada"}, {.content = "Big Cat"}};
  const auto tokenizer = tiny(options);
  const auto size = static_cast<std::int64_t>(vocabulary().size());
  CHECK(tokenizer.vocab_size() == size + 3);
  CHECK(pieces(tokenizer, "<Ada>") == std::vector<std::string>{"<Ada>"});
  CHECK(pieces(tokenizer, "<ADA>") == std::vector<std::string>{"<Ada>"});
  CHECK(pieces(tokenizer, "<ada>") == std::vector<std::string>{"<ada", "></w>"});  // as typed goes before normalized
  CHECK(pieces(tokenizer, "aBig Cata") == std::vector<std::string>{"a</w>", "Big Cat", "a</w>"});
  CHECK(pieces(tokenizer, "a<|endoftext|>a") == std::vector<std::string>{"a</w>", "<|endoftext|>", "a</w>"});
  CHECK(tokenizer.contains("<Ada>"));
  CHECK(tokenizer.contains("cat</w>"));
  CHECK_FALSE(tokenizer.contains("cat"));
  CHECK(tokenizer.id_of("Big Cat") == size + 2);
  CHECK_THROWS_AS(tokenizer.token(size + 3), persona::Error);
  CHECK_THROWS_AS(tokenizer.token(-1), persona::Error);
}

TEST_CASE("a byte that the vocabulary lacks becomes the unknown token") {
  auto tokens = vocabulary();
  std::erase(tokens, "z");
  std::erase(tokens, "z</w>");
  const CLIPTokenizer tokenizer(tokens, merges);
  CHECK(tokenizer.encode("zz") == Ids{tokenizer.unk_token_id(), tokenizer.unk_token_id()});
}

TEST_CASE("text that is not UTF-8 is refused with its place") {
  const auto tokenizer = tiny();
  const std::vector<std::pair<std::string, std::string>> cases{
      {"ab\xff", "byte 2: 0xff"},       {"\x80", "byte 0: 0x80"},         {"a\xc3", "byte 1: 0xc3"},
      {"\xc0\x80", "byte 0: 0xc0"},     {"\xed\xa0\x80", "byte 0: 0xed"}, {"\xf4\x90\x80\x80", "byte 0: 0xf4"},
      {"\xe0\x9f\xbf", "byte 0: 0xe0"}, {"x\xe2\x82", "byte 1: 0xe2"}};
  for (const auto& [text, place] : cases) CHECK_THAT(message([&] { tokenizer.encode(text); }), Contains(place));
  CHECK_NOTHROW(tokenizer.encode("\xf4\x8f\xbf\xbf\xed\x9f\xbf"));
  CHECK(tokenizer.encode(std::string_view("a\0b", 3)).size() == 3);
}

TEST_CASE("a megabyte is encoded in seconds, as words, as one word and as one run of marks") {
  const auto tokenizer = tiny();
  std::string words, marks = "a";
  while (words.size() < 1'000'000) words += "cat <3 don't ";
  while (marks.size() < 1'000'000) marks += "\u0301\u0323";
  const auto start = std::chrono::steady_clock::now();
  CHECK(tokenizer.encode(std::string(1'000'000, 'a')).size() == 250'002);
  CHECK(tokenizer.encode(words).size() > 500'000);
  CHECK(tokenizer.encode(marks).size() > 500'000);
  CHECK(tokenizer.encode(std::string(1'000'000, '<')).size() == 1'000'000);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}

TEST_CASE("encode may be called from many threads") {
  const auto tokenizer = tiny();
  const auto expected = tokenizer.encode("a cat don't 42");
  std::vector<Ids> found(4);
  std::vector<std::thread> threads;
  for (auto& ids : found)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) ids = tokenizer.encode("a cat don't 42");
    });
  for (auto& thread : threads) thread.join();
  for (const auto& ids : found) CHECK(ids == expected);
}

TEST_CASE("a folder of the older form loads, with CRLF and byte-order marks too") {
  const Folder folder;
  const auto expected = tiny().encode("a cat");
  CHECK(folder.load().encode("a cat") == expected);
  CHECK(folder.load().max_length() == 77);
  std::string crlf;
  for (const char c : folder.read("merges.txt")) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  folder.write("merges.txt", "\xEF\xBB\xBF" + crlf + "\r\n");
  folder.write("vocab.json", "\xEF\xBB\xBF" + folder.read("vocab.json"));
  CHECK(folder.load().encode("a cat") == expected);
}

TEST_CASE("the padding token comes from the special tokens map, as text or as an object") {
  const Folder folder;
  const auto eos = tiny().eos_token_id();
  folder.write("tokenizer_config.json",
               R"({"pad_token": "<|endoftext|>", "model_max_length": 40, "tokenizer_class": "CLIPTokenizer"})");
  CHECK(folder.load().pad_token_id() == eos);
  CHECK(folder.load().max_length() == 40);
  folder.write("special_tokens_map.json", R"({"pad_token": "!"})");
  CHECK(folder.load().pad_token_id() == folder.load().id_of("!"));
  folder.write("special_tokens_map.json", R"({"pad_token": {"content": "!", "lstrip": false, "normalized": true}})");
  CHECK(folder.load().token(folder.load().pad_token_id()) == "!");
  folder.write("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656})");
  CHECK(folder.load().max_length() == 77);
  // A config with added_tokens_decoder is newer than the map beside it, and overrules it.
  folder.write("tokenizer_config.json", R"({"pad_token": "<|endoftext|>", "added_tokens_decoder": {}})");
  CHECK(folder.load().pad_token_id() == eos);
}

TEST_CASE("added tokens of older folders keep the ids that the files state") {
  const Folder folder;
  const auto size = std::to_string(vocabulary().size());
  folder.write("added_tokens.json", "{\"<ada>\": " + size + "}");
  CHECK(std::to_string(*folder.load().id_of("<ada>")) == size);
  folder.write("added_tokens.json", "{\"<ada>\": 4000}");
  CHECK_THAT(message([&] { folder.load(); }), Contains("added_tokens.json") && Contains("4000") && Contains(size));
  folder.write("added_tokens.json", R"({"": 5})");
  CHECK_THAT(message([&] { folder.load(); }), Contains("the added token of id 5 has no text"));
  folder.remove("added_tokens.json");
  folder.write("tokenizer_config.json", R"({"added_tokens_decoder": {"5": {"content": ""}}})");
  CHECK_THAT(message([&] { folder.load(); }), Contains("[persona]") && Contains("5"));
  folder.write("tokenizer_config.json", R"({"added_tokens_decoder": {"5": {"content": "<x>", "special": "yes"}}})");
  CHECK_THAT(message([&] { folder.load(); }), Contains("[persona]") && Contains("special"));
  folder.write("tokenizer_config.json",
               "{\"added_tokens_decoder\": {\"" + size + "\": {\"content\": \"<bob>\", \"special\": true}}}");
  CHECK(std::to_string(*folder.load().id_of("<bob>")) == size);
  folder.write("tokenizer_config.json",
               R"({"added_tokens_decoder": {"1": {"content": "<bob>", "single_word": true}}})");
  CHECK_THAT(message([&] { folder.load(); }), Contains("tokenizer_config.json:1") && Contains("single_word"));
}

TEST_CASE("a broken vocabulary is refused with file and line") {
  const Folder folder;
  const auto fails = [&](const std::string& text, const std::string& place, const std::string& what) {
    folder.write("vocab.json", text);
    CHECK_THAT(message([&] { folder.load(); }), Contains(folder.file("vocab.json") + place) && Contains(what));
  };
  fails("{\n\"a\": 0,\n\"b\": 1,\n\"a\": 2}", ":4", "'a' stands there twice");
  fails("{\n\"a\": 0,\n\"b\": 0\n}", ":3", "also that of 'a'");
  fails("{\"a\": 0,\n\n\"b\": 2,\"c\": 1,\n\"d\": 7}", ":4", "no token has the id 3");
  fails("{\"a\": 0,\n\"b\": -1}", ":2", "whole number");
  fails("{\"a\": 0,\n\"b\": 1.5}", ":2", "whole number");
  fails("{\"a\": 0,\n\"b\": \"1\"}", ":2", "whole number");
  fails("{\"a\": 0,\n\"b\"", ":2", "not JSON");
  fails("{\"a\": 0,\n\"\xff\": 1}", ":2", "not JSON");
  fails("", ":1", "not JSON");
  fails("[]", "", "expected an object");
  fails("{}", "", "expected an object");
  folder.remove("vocab.json");
  CHECK_THAT(message([&] { folder.load(); }), Contains("no vocab.json"));
}

TEST_CASE("broken merges are refused with file and line") {
  const Folder folder;
  const auto fails = [&](const std::string& text, const std::string& place, const std::string& what) {
    folder.write("merges.txt", text);
    CHECK_THAT(message([&] { folder.load(); }), Contains(folder.file("merges.txt") + place) && Contains(what));
  };
  fails("#version: 0.2\nc a\na\n", ":3", "found 'a'");
  fails("c a\n\na t</w>\n", ":2", "found ''");
  fails("c a b\n", ":1", "found 'c a b'");
  fails("c  a\n", ":1", "one space");
  fails(" a\n", ":1", "one space");
  fails("a \n", ":1", "one space");
  fails("c a\nx y\n", ":2", "needs the token 'xy'");
  fails("c a\nfoo a\n", ":2", "needs the token 'foo'");
  fails("c a\na a\nc a\n", ":3", "twice");
  folder.remove("merges.txt");
  CHECK_THAT(message([&] { folder.load(); }), Contains("no merges.txt"));
  CHECK_THAT(message([] { CLIPTokenizer({"a", "b", "a"}, {}); }), Contains("'a' has the ids 0 and 2"));
  CHECK_THAT(message([] { CLIPTokenizer({"a", "b"}, {{"a", "b"}}); }), Contains("merge 1") && Contains("'ab'"));
}

TEST_CASE("a folder with only tokenizer.json loads; one of another model is refused") {
  const Folder folder;
  auto vocab = nlohmann::json::parse(folder.read("vocab.json"));
  nlohmann::json model{
      {"type", "BPE"}, {"end_of_word_suffix", "</w>"}, {"vocab", vocab}, {"merges", {{"c", "a"}, "ca t</w>"}}};
  nlohmann::json file{
      {"model", model},
      {"added_tokens", {{{"id", vocab.size()}, {"content", "<ada>"}, {"normalized", true}, {"special", false}}}}};
  const auto load = [&](const nlohmann::json& value) {
    folder.write("tokenizer.json", value.dump(1));
    return folder.load();
  };
  folder.remove("vocab.json");
  folder.remove("merges.txt");
  const auto tokenizer = load(file);
  CHECK(pieces(tokenizer, "cat <ADA>") == std::vector<std::string>{"cat</w>", "<ada>"});
  for (const auto& [key, value] :
       std::vector<std::pair<const char*, nlohmann::json>>{{"type", "Unigram"},
                                                           {"end_of_word_suffix", nullptr},
                                                           {"byte_fallback", true},
                                                           {"continuing_subword_prefix", "##"}}) {
    auto other = file;
    other["model"][key] = value;
    CHECK_THAT(message([&] { load(other); }), Contains(std::string("model.") + key) && Contains("tokenizer.json:"));
  }
  auto broken = file;
  broken["model"]["merges"] = {{"c", "a"}, {"c"}};
  CHECK_THAT(message([&] { load(broken); }), Contains("merge 2"));
  broken = file;
  broken["model"].erase("vocab");
  CHECK_THAT(message([&] { load(broken); }), Contains("token: id"));
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "T5Tokenizer"})");
  CHECK_THAT(message([&] { load(file); }), Contains("expected a CLIPTokenizer") && Contains("T5Tokenizer"));
}

TEST_CASE("a prompt that is too long says what it lost") {
  const auto tokenizer = tiny({.max_length = 6});
  const auto tokens = persona::tokenize_prompt(tokenizer, "at at at at Beach Hat");
  CHECK(tokens.truncated);
  CHECK(tokens.lost == "beach hat");
  CHECK(tokens.ids.size() == 6);
  CHECK(tokens.ids.back() == tokenizer.eos_token_id());
  CHECK_THROWS_AS(tiny({.max_length = 1}), persona::Error);
}

TEST_CASE("a learned token may not be one of the vocabulary's") {
  const auto tokenizer = tiny();
  const auto unfit = [&](const std::string& token) {
    const std::vector<persona::Placeholder> one{{.token = token}};
    return message([&] { persona::check_placeholders(tokenizer, one); });
  };
  CHECK_THAT(unfit("at"), Contains("already a token"));
  CHECK_THAT(unfit("ca"), Contains("already a token"));
  CHECK_THAT(unfit("*"), Contains("already a token"));
  CHECK_THAT(unfit("<|endoftext|>"), Contains("already a token"));
  CHECK(unfit("<ada>") == "no error");
}
