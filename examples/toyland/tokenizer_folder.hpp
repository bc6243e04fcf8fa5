#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace toyland {

/// A byte-level vocabulary in CLIP's order: bytes, bytes that end a word, merges, start and end of text.
struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<std::pair<std::string, std::string>> merges;
};

/// Byte-pair encoding trained until every word of `words` is a single token; ties go to the pair that comes first in
/// the alphabet.
Vocabulary train_vocabulary(const std::vector<std::string>& words);

/// vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json, as transformers' CLIPTokenizer reads
/// them.
void write_tokenizer(const std::filesystem::path& folder, const Vocabulary& vocabulary, int max_length);

}  // namespace toyland
