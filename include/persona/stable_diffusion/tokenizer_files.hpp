#pragma once

#include <persona/core/error.hpp>
#include <persona/stable_diffusion/added_tokens.hpp>
#include <persona/stable_diffusion/byte_pair_encoding.hpp>
#include <persona/stable_diffusion/tokenizer_json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// What a CLIPTokenizer needs beside its vocabulary and merges.
struct CLIPTokenizerOptions {
  AddedToken bos_token{.content = "<|startoftext|>", .special = true};
  AddedToken eos_token{.content = "<|endoftext|>", .special = true};
  AddedToken unk_token{.content = "<|endoftext|>", .special = true};
  AddedToken pad_token{.content = "<|endoftext|>", .special = true};  ///< SD 1 pads with EOS, SD 2 with "!"
  std::int64_t max_length = 77;
  std::vector<AddedToken> added_tokens{};
};

/// What a tokenizer folder holds.
struct CLIPTokenizerFiles {
  std::vector<std::string> tokens{};
  std::vector<Merge> merges{};
  std::string merges_source = "merges";
  CLIPTokenizerOptions options{};
  std::vector<std::pair<std::string, std::int64_t>> stated_ids{};  ///< what the files say of added tokens
  std::string stated_in{};
};

namespace detail {

inline std::vector<std::string> read_vocabulary(const JsonFile& file, const nlohmann::json& vocabulary,
                                                const std::string& parent) {
  if (!vocabulary.is_object() || vocabulary.empty())
    throw Error(file.name, "expected an object of token: id, found " + std::string(vocabulary.type_name()));
  const auto size = vocabulary.size();
  std::vector<std::string> tokens(size);
  std::vector<bool> taken(size, false);
  const std::string* beyond = nullptr;
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0)
      throw Error(file.where(parent, token), "the id of '" + token + "' is " + id.dump(),
                  "expected a whole number from 0 on");
    const auto place = id.get<std::uint64_t>();
    if (place >= size) {
      beyond = &token;
      continue;
    }
    if (taken[place])
      throw Error(file.where(parent, token),
                  "the id " + id.dump() + " of '" + token + "' is also that of '" + tokens[place] + "'",
                  "each token needs an id of its own");
    taken[place] = true;
    tokens[place] = token;
  }
  if (beyond) {
    const auto gap = std::ranges::find(taken, false) - taken.begin();
    throw Error(file.where(parent, *beyond),
                "'" + *beyond + "' has the id " + vocabulary.at(*beyond).dump() + " in a vocabulary of " +
                    std::to_string(size) + "; no token has the id " + std::to_string(gap),
                "ids go from 0 without a gap, as the rows of the embedding table");
  }
  return tokens;
}

inline Merge split_merge(std::string_view text, const std::string& where) {
  const auto space = text.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == text.size() ||
      text.find(' ', space + 1) != std::string_view::npos)
    throw Error(where, "expected two tokens with one space between, found '" + std::string(text) + "'");
  return {.left = std::string(text.substr(0, space)), .right = std::string(text.substr(space + 1))};
}

inline std::vector<Merge> read_merges(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  std::vector<Merge> merges;
  std::int64_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = std::string_view(text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = end + 1;
    ++number;
    const bool trailing =
        line.empty() && text.find_first_not_of("\r\n", std::min(at, text.size())) == std::string::npos;
    if (line.starts_with("#version") || trailing) continue;
    merges.push_back(split_merge(line, path.string() + ":" + std::to_string(number)));
    merges.back().line = number;
  }
  return merges;
}

inline std::vector<Merge> read_merges(const nlohmann::json& list, const std::string& name) {
  if (!list.is_array()) throw Error(name, "model.merges: expected a list, found " + std::string(list.type_name()));
  std::vector<Merge> merges;
  for (const auto& merge : list) {
    const auto where = name + ", merge " + std::to_string(merges.size() + 1);
    if (merge.is_string())
      merges.push_back(split_merge(merge.get<std::string>(), where));
    else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
      merges.push_back({.left = merge[0].get<std::string>(), .right = merge[1].get<std::string>()});
    else
      throw Error(where, "expected two tokens, found " + merge.dump());
  }
  return merges;
}

// A token in a config file: its text, or an object with its flags.
inline AddedToken read_added_token(const nlohmann::json& token, bool special, bool normalized,
                                   const std::string& where) {
  if (token.is_string()) return {.content = token.get<std::string>(), .special = special};
  if (!token.is_object() || !token.contains("content") || !token["content"].is_string())
    throw Error(where, "expected a token (text, or an object with 'content'), found " + token.dump());
  const auto flag = [&](const char* name, bool otherwise) {
    const auto found = token.find(name);
    if (found == token.end() || found->is_null()) return otherwise;
    if (!found->is_boolean())
      throw Error(where, std::string("'") + name + "' is neither true nor false: " + found->dump());
    return found->get<bool>();
  };
  if (flag("single_word", false))
    throw Error(where, "added tokens that match whole words only are not supported: " + token.dump(),
                "set single_word to false");
  return {.content = token["content"].get<std::string>(),
          .special = flag("special", special),
          .normalized = flag("normalized", normalized)};
}

// Special tokens, length and kind from tokenizer_config.json, or special tokens from special_tokens_map.json.
inline void read_options(const JsonFile& file, CLIPTokenizerOptions& options, bool map) {
  const auto& config = file.value;
  if (!config.is_object()) throw Error(file.name, "expected an object, found " + std::string(config.type_name()));
  const auto kind = config.find("tokenizer_class");
  if (kind != config.end() && *kind != "CLIPTokenizer" && *kind != "CLIPTokenizerFast" && !kind->is_null())
    throw Error(file.where("", "tokenizer_class"), "expected a CLIPTokenizer, found " + kind->dump());
  for (const auto& [name, token] : {std::pair<const char*, AddedToken*>{"bos_token", &options.bos_token},
                                    {"eos_token", &options.eos_token},
                                    {"unk_token", &options.unk_token},
                                    {"pad_token", &options.pad_token}}) {
    const auto found = config.find(name);
    if (found == config.end() || found->is_null()) continue;
    *token = read_added_token(*found, true, !map, file.where("", name));
    token->special = true;
  }
  const auto length = config.find("model_max_length");
  if (length == config.end()) return;
  if (!length->is_number())
    throw Error(file.where("", "model_max_length"), "expected a number, found " + length->dump());
  // Writers that know no limit put 1e30 here.
  if (const auto value = length->get<double>(); value < 1e9) options.max_length = static_cast<std::int64_t>(value);
}

inline void add_stated(CLIPTokenizerFiles& files, AddedToken token, std::int64_t id, const std::string& where) {
  if (token.content.empty())
    throw Error(where, "the added token of id " + std::to_string(id) + " has no text", "the file is damaged");
  files.stated_ids.emplace_back(token.content, id);
  files.stated_in = where;
  files.options.added_tokens.push_back(std::move(token));
}

inline void read_extra_special_tokens(const JsonFile& config, CLIPTokenizerOptions& options) {
  for (const char* name : {"additional_special_tokens", "extra_special_tokens"}) {
    const auto list = config.value.find(name);
    if (list == config.value.end() || !list->is_array()) continue;
    for (const auto& entry : *list) {
      auto token = read_added_token(entry, true, false, config.where("", name));
      if (std::ranges::find(options.added_tokens, token.content, &AddedToken::content) == options.added_tokens.end())
        options.added_tokens.push_back(std::move(token));
    }
  }
}

// tokenizer_config.json's added_tokens_decoder: {"49408": {content, ...}}; true where there is one.
inline bool read_added_tokens_decoder(const JsonFile& config, CLIPTokenizerFiles& files) {
  const auto decoder = config.value.find("added_tokens_decoder");
  if (decoder == config.value.end()) return false;
  if (!decoder->is_object()) throw Error(config.where("", "added_tokens_decoder"), "expected an object of id: token");
  std::vector<std::pair<std::int64_t, AddedToken>> tokens;
  for (const auto& [id, token] : decoder->items()) {
    const auto where = config.where("added_tokens_decoder", id);
    if (id.empty() || id.size() > 9 || id.find_first_not_of("0123456789") != std::string::npos)
      throw Error(where, "expected an id, found '" + id + "'");
    const auto said = token.is_object() ? token.find("special") : token.end();
    const bool special = said != token.end() && said->is_boolean() && said->get<bool>();
    tokens.emplace_back(std::stoll(id), read_added_token(token, special, !special, where));
  }
  std::ranges::sort(tokens, {}, &std::pair<std::int64_t, AddedToken>::first);
  for (auto& [id, token] : tokens) add_stated(files, std::move(token), id, config.where("", "added_tokens_decoder"));
  return true;
}

// added_tokens.json of older writers: {"<ada>": 49408}.
inline void read_added_tokens_file(const std::filesystem::path& path, CLIPTokenizerFiles& files) {
  const auto file = JsonFileReader::read(path);
  const auto& options = files.options;
  std::vector<std::pair<std::int64_t, std::string>> tokens;
  for (const auto& [token, id] : file.value.items()) {
    if (!id.is_number_integer()) throw Error(file.where("", token), "the id of '" + token + "' is " + id.dump());
    tokens.emplace_back(id.get<std::int64_t>(), token);
  }
  std::ranges::sort(tokens);
  for (const auto& [id, token] : tokens) {
    bool special = false;
    for (const AddedToken* named : {&options.bos_token, &options.eos_token, &options.unk_token, &options.pad_token})
      special = special || named->content == token;
    add_stated(files, {.content = token, .special = special, .normalized = !special}, id, file.where("", token));
  }
}

inline void read_tokenizer_json(const std::filesystem::path& path, CLIPTokenizerFiles& files, bool with_added) {
  const auto file = JsonFileReader::read(path);
  const auto model = file.value.find("model");
  if (!file.value.is_object() || model == file.value.end() || !model->is_object())
    throw Error(path.string(), "expected an object 'model'");
  const auto expect = [&](const char* name, const nlohmann::json& expected, bool optional) {
    const auto found = model->find(name);
    if (found == model->end() ? optional : (*found == expected || (optional && found->is_null()))) return;
    throw Error(file.where("model", name),
                std::string("model.") + name + ": expected " + expected.dump() + ", found " +
                    (found == model->end() ? "nothing" : found->dump()),
                "this is not CLIP's tokenizer");
  };
  expect("type", "BPE", false);
  expect("end_of_word_suffix", "</w>", false);
  expect("continuing_subword_prefix", "", true);
  expect("byte_fallback", false, true);
  expect("ignore_merges", false, true);
  files.tokens = read_vocabulary(file, model->value("vocab", nlohmann::json()), "vocab");
  files.merges = read_merges(model->value("merges", nlohmann::json()), path.string());
  files.merges_source = path.string();
  const auto added = file.value.find("added_tokens");
  if (!with_added || added == file.value.end()) return;
  for (const auto& token : *added) {
    const auto where = path.string() + ", added_tokens";
    const auto read = read_added_token(token, false, true, where);
    const auto id = token.is_object() ? token.find("id") : token.end();
    if (id == token.end() || !id->is_number_integer()) throw Error(where, "'" + read.content + "' has no id");
    add_stated(files, read, id->get<std::int64_t>(), where);
  }
}

// The files in the order in which transformers lets one of them overrule another.
inline CLIPTokenizerFiles read_tokenizer_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  const auto has = [&](const char* name) { return fs::exists(folder / name); };
  CLIPTokenizerFiles files;
  JsonFile config{.value = nlohmann::json::object()};
  if (has("tokenizer_config.json")) config = JsonFileReader::read(folder / "tokenizer_config.json");
  read_options(config, files.options, false);
  const bool decoder = read_added_tokens_decoder(config, files);
  if (!decoder && has("special_tokens_map.json"))
    read_options(JsonFileReader::read(folder / "special_tokens_map.json"), files.options, true);
  if (!decoder && has("added_tokens.json")) read_added_tokens_file(folder / "added_tokens.json", files);
  if (has("tokenizer.json")) read_tokenizer_json(folder / "tokenizer.json", files, !decoder);
  read_extra_special_tokens(config, files.options);  // after the others: new ids are given in this order
  if (has("tokenizer.json")) return files;
  for (const char* name : {"vocab.json", "merges.txt"})
    if (!has(name))
      throw Error(folder.string(), std::string("no ") + name,
                  "a tokenizer folder has vocab.json and merges.txt, or tokenizer.json");
  const auto vocabulary = JsonFileReader::read(folder / "vocab.json");
  files.tokens = read_vocabulary(vocabulary, vocabulary.value, "");
  files.merges = read_merges(folder / "merges.txt");
  files.merges_source = (folder / "merges.txt").string();
  return files;
}

}  // namespace detail
}  // namespace persona
