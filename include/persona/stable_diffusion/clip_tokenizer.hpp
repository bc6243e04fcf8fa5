#pragma once

#include <persona/core/error.hpp>
#include <persona/io/utf8.hpp>
#include <persona/stable_diffusion/added_tokens.hpp>
#include <persona/stable_diffusion/byte_pair_encoding.hpp>
#include <persona/stable_diffusion/clip_split.hpp>
#include <persona/stable_diffusion/tokenizer_files.hpp>
#include <persona/stable_diffusion/unicode.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// CLIP's tokenizer, with a vocabulary of any size: gives the ids of CLIPTokenizer in transformers 5 (the fast one, the
/// only one there): added tokens first, then NFC, white space collapsed, lower case, CLIP's split rule, byte-level BPE
/// with `</w>`. The older slow tokenizer repairs text with ftfy and splits apostrophes otherwise; that is not matched.
/// Code points that the installed utf8proc's Unicode version does not know count as unassigned. Safe to share between
/// threads.
class CLIPTokenizer {
 public:
  /// `tokens` by id, `merges` by rank; special and added tokens that `tokens` lacks get the next ids, in the order
  /// given. Throws Error when a token stands there twice, or a merge needs a token that is not there.
  CLIPTokenizer(std::vector<std::string> tokens, const std::vector<Merge>& merges, CLIPTokenizerOptions options = {})
      : CLIPTokenizer(
            CLIPTokenizerFiles{.tokens = std::move(tokens), .merges = merges, .options = std::move(options)}) {}

  /// A diffusers `tokenizer/` folder: vocab.json and merges.txt with their config files, or the one tokenizer.json that
  /// transformers 5 writes, which goes first where both are. Throws Error naming file, line, what was expected and what
  /// was found.
  static CLIPTokenizer from_folder(const std::filesystem::path& folder) {
    return CLIPTokenizer(detail::read_tokenizer_folder(folder));
  }

  /// Ids without BOS and EOS, not truncated. Throws Error with the byte's position where `text` is not UTF-8.
  std::vector<std::int64_t> encode(std::string_view text) const {
    std::vector<std::int64_t> ids;
    const auto found = [&](std::int64_t id) { ids.push_back(id); };
    const auto codes = detail::decode_utf8(text, "CLIPTokenizer::encode");
    as_typed_.split(
        codes,
        [&](std::u32string_view stretch) {
          const auto normal = detail::clip_normalize(stretch);
          normalized_.split(normal, [&](std::u32string_view words) { encode_words(words, ids); }, found);
        },
        found);
    return ids;
  }

  /// The text of `ids`, special tokens written out, a space after every word; bytes that are no UTF-8 become U+FFFD.
  std::string decode(std::span<const std::int64_t> ids) const {
    std::string bytes;
    for (const std::int64_t id : ids) append_bytes(token(id), bytes);
    std::string text;
    for (std::size_t at = 0; at < bytes.size();) {
      const auto step = detail::next_utf8(bytes, at);
      if (step.length)
        text.append(bytes, at, step.length);
      else
        text.append("\uFFFD");
      at += step.length + step.skip;
    }
    constexpr auto mark = detail::BytePairEncoding::end_of_word;
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; ++at) text.replace(at, mark.size(), " ");
    constexpr std::string_view white = " \t\r\n\v\f\x1c\x1d\x1e\x1f";  // as Python's strip
    const auto first = text.find_first_not_of(white);
    return first == std::string::npos ? std::string() : text.substr(first, text.find_last_not_of(white) + 1 - first);
  }

  std::int64_t bos_token_id() const { return bos_; }
  std::int64_t eos_token_id() const { return eos_; }
  std::int64_t pad_token_id() const { return pad_; }
  std::int64_t unk_token_id() const { return unk_; }
  /// Ids of a prompt with BOS, EOS and padding: 77.
  std::int64_t max_length() const { return max_length_; }
  /// All ids, those of added tokens too: the least number of rows that the embedding table has.
  std::int64_t vocab_size() const { return bpe_.size() + static_cast<std::int64_t>(extra_.size()); }

  /// Is `token` exactly a token ("cat</w>", "ca", "<|endoftext|>"), added ones included?
  bool contains(std::string_view token) const { return id_of(token).has_value(); }
  std::optional<std::int64_t> id_of(std::string_view token) const {
    if (const auto id = bpe_.find(token)) return id;
    for (std::size_t i = 0; i < extra_.size(); ++i)
      if (extra_[i] == token) return bpe_.size() + static_cast<std::int64_t>(i);
    return std::nullopt;
  }
  /// The token of an id as the vocabulary writes it; throws Error where there is none.
  const std::string& token(std::int64_t id) const {
    if (id < 0 || id >= vocab_size())
      throw Error("CLIPTokenizer::token", "there is no id " + std::to_string(id),
                  "ids go from 0 to " + std::to_string(vocab_size() - 1));
    const auto own = id - bpe_.size();
    return own < 0 ? bpe_.tokens()[static_cast<std::size_t>(id)] : extra_[static_cast<std::size_t>(own)];
  }
  const std::vector<AddedToken>& added_tokens() const { return added_; }

 private:
  explicit CLIPTokenizer(CLIPTokenizerFiles files)
      : bpe_(std::move(files.tokens), files.merges, files.merges_source), max_length_(files.options.max_length) {
    const auto& options = files.options;
    if (max_length_ < 2)
      throw Error("CLIPTokenizer", "max_length is " + std::to_string(max_length_), "at least 2, for BOS and EOS");
    for (const AddedToken& token : options.added_tokens) add(token);
    for (const AddedToken* token : {&options.bos_token, &options.eos_token, &options.unk_token, &options.pad_token}) {
      if (token->content.empty()) throw Error("CLIPTokenizer", "a special token has no name");
      if (std::ranges::find(options.added_tokens, token->content, &AddedToken::content) == options.added_tokens.end())
        add(*token);
    }
    bos_ = *id_of(options.bos_token.content);
    eos_ = *id_of(options.eos_token.content);
    unk_ = *id_of(options.unk_token.content);
    pad_ = *id_of(options.pad_token.content);
    for (const auto& [content, id] : files.stated_ids)
      if (*id_of(content) != id)
        throw Error(files.stated_in,
                    "the added token '" + content + "' has the id " + std::to_string(id) +
                        ", and the vocabulary gives it " + std::to_string(*id_of(content)),
                    "ids of added tokens follow the vocabulary's without a gap");
    for (const bool special : {true, false})
      for (const AddedToken& token : added_)
        if (token.special == special) find_in_text(token);
  }

  // What is said of a token later replaces what was said before.
  void add(const AddedToken& token) {
    if (token.content.empty()) return;
    const auto known = std::ranges::find(added_, token.content, &AddedToken::content);
    if (known != added_.end())
      *known = token;
    else
      added_.push_back(token);
    if (!contains(token.content)) extra_.push_back(token.content);
  }

  void find_in_text(const AddedToken& token) {
    const auto codes = detail::decode_utf8(token.content, "the added token '" + token.content + "'");
    const auto id = *id_of(token.content);
    if (token.normalized)
      normalized_.add(detail::clip_normalize(codes), id);
    else
      as_typed_.add(codes, id);
  }

  void encode_words(std::u32string_view text, std::vector<std::int64_t>& ids) const {
    std::string word;
    detail::clip_split(text, [&](std::u32string_view piece) {
      word.clear();
      for (const char32_t c : piece) detail::put_utf8(word, c);
      bpe_.encode(word, unk_, ids);
    });
  }

  // A byte-level token's bytes; a token with a character outside the alphabet stands for itself.
  static void append_bytes(const std::string& token, std::string& bytes) {
    const auto start = bytes.size();
    for (const char32_t c : detail::decode_utf8(token, "CLIPTokenizer::decode")) {
      const auto& alphabet = detail::byte_alphabet();
      const auto byte = std::ranges::find(alphabet, c);
      if (byte == alphabet.end()) {
        bytes.resize(start);
        bytes.append(token);
        return;
      }
      bytes.push_back(static_cast<char>(static_cast<unsigned char>(byte - alphabet.begin())));
    }
  }

  detail::BytePairEncoding bpe_;
  std::vector<std::string> extra_;  // added tokens outside the BPE's vocabulary: ids from bpe_.size() on
  std::vector<AddedToken> added_;
  detail::TokenFinder as_typed_, normalized_;
  std::int64_t bos_ = 0, eos_ = 0, pad_ = 0, unk_ = 0, max_length_ = 77;
};

}  // namespace persona
