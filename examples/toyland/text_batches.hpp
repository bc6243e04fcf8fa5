#pragma once

#include "batches.hpp"
#include "sizes.hpp"

#include <persona/stable_diffusion/clip_tokenizer.hpp>

#include <string>
#include <vector>

namespace toyland {

/// Token ids [B, L] with start, end and padding, and where each end is [B].
struct TextBatch {
  persona::Tensor ids, ends;
};

/// L is the longest text's length where `trim`, else the model's; longer texts are cut.
inline TextBatch tokenize(const persona::CLIPTokenizer& tokenizer, const std::vector<std::string>& texts,
                          bool trim = false, at::Device device = at::kCPU) {
  const auto limit = static_cast<std::size_t>(tokenizer.max_length());
  std::vector<std::vector<std::int64_t>> rows;
  std::size_t longest = 2;
  for (const auto& text : texts) {
    rows.push_back(tokenizer.encode(text));
    if (rows.back().size() > limit - 2) rows.back().resize(limit - 2);
    longest = std::max(longest, rows.back().size() + 2);
  }
  const auto length = static_cast<std::int64_t>(trim ? longest : limit);
  auto ids = at::full({static_cast<std::int64_t>(rows.size()), length}, tokenizer.pad_token_id(),
                      at::TensorOptions().dtype(at::kLong));
  auto ends = at::empty({static_cast<std::int64_t>(rows.size())}, ids.options());
  auto* out = ids.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto* row = out + static_cast<std::int64_t>(i) * length;
    row[0] = tokenizer.bos_token_id();
    std::copy(rows[i].begin(), rows[i].end(), row + 1);
    row[rows[i].size() + 1] = tokenizer.eos_token_id();
    ends.mutable_data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(rows[i].size() + 1);
  }
  return {ids.to(device), ends.to(device)};
}

/// The caption that the models are trained with: a tenth of the photos say only who or what it is.
inline std::string training_caption(const Example& example, Dice& dice) {
  if (example.scene.style == Style::photo && dice.chance(0.1)) return plain_caption(example, dice);
  return caption(example, {}, dice);
}

}  // namespace toyland
