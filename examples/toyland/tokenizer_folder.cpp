#include "tokenizer_folder.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <fstream>
#include <map>
#include <stdexcept>

namespace toyland {
namespace {

/// The code point that CLIP writes for each byte, as UTF-8: printable bytes stand for themselves, the rest from U+0100
/// on. In CLIP's order: the printable ones first.
std::vector<std::string> byte_symbols() {
  const auto utf8 = [](unsigned c) {
    return c < 128 ? std::string(1, static_cast<char>(c))
                   : std::string{static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 63))};
  };
  std::vector<std::string> symbols;
  const auto printable = [](unsigned b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; };
  for (unsigned b = 0; b < 256; ++b)
    if (printable(b)) symbols.push_back(utf8(b));
  for (unsigned next = 256; symbols.size() < 256; ++next) symbols.push_back(utf8(next));
  return symbols;
}

}  // namespace

Vocabulary train_vocabulary(const std::vector<std::string>& words) {
  Vocabulary vocabulary;
  vocabulary.tokens = byte_symbols();
  for (std::size_t i = 0; i < 256; ++i) vocabulary.tokens.push_back(vocabulary.tokens[i] + "</w>");
  std::vector<std::vector<std::string>> pieces;
  for (const auto& word : words) {
    pieces.emplace_back();
    for (const char c : word) pieces.back().push_back(std::string(1, c));
    pieces.back().back() += "</w>";
  }
  for (;;) {
    std::map<std::pair<std::string, std::string>, int> counts;
    for (const auto& word : pieces)
      for (std::size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
    if (counts.empty()) break;
    auto best = counts.begin();
    for (auto at = counts.begin(); at != counts.end(); ++at)
      if (at->second > best->second) best = at;
    const auto [left, right] = best->first;
    vocabulary.merges.emplace_back(left, right);
    vocabulary.tokens.push_back(left + right);
    for (auto& word : pieces)
      for (std::size_t i = 0; i + 1 < word.size(); ++i)
        if (word[i] == left && word[i + 1] == right) {
          word[i] += word[i + 1];
          word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
  }
  vocabulary.tokens.push_back("<|startoftext|>"), vocabulary.tokens.push_back("<|endoftext|>");
  return vocabulary;
}

void write_tokenizer(const std::filesystem::path& folder, const Vocabulary& vocabulary, int max_length) {
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream file(folder / name, std::ios::binary);
    if (!(file << text).flush()) throw std::runtime_error("cannot write " + (folder / name).string());
  };
  nlohmann::ordered_json ids;
  for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) ids[vocabulary.tokens[i]] = i;
  write("vocab.json", ids.dump());
  std::string merges = "#version: 0.2\n";
  for (const auto& [left, right] : vocabulary.merges) merges += left + " " + right + "\n";
  write("merges.txt", merges);
  const nlohmann::ordered_json special{{"bos_token", "<|startoftext|>"},
                                       {"eos_token", "<|endoftext|>"},
                                       {"unk_token", "<|endoftext|>"},
                                       {"pad_token", "<|endoftext|>"}};
  write("special_tokens_map.json", special.dump(2) + "\n");
  nlohmann::ordered_json config{{"tokenizer_class", "CLIPTokenizer"},
                                {"model_max_length", max_length},
                                {"do_lower_case", true},
                                {"add_prefix_space", false},
                                {"errors", "replace"}};
  config.update(special);
  write("tokenizer_config.json", config.dump(2) + "\n");
}

}  // namespace toyland
