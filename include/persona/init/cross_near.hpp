#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/init/encoder_output.hpp>
#include <persona/text/single_token.hpp>
#include <persona/text/tokenizer.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace persona {

/// Cross Initialization where there are no names, for things of any kind: rows start at E(mean of the rows nearest to
/// the class word's), cosine by cosine, the word itself among them. One neighbour is E(the word), as the published
/// code's token_cross_init. Start, end and padding are nobody's neighbours. What the paper leaves to future work; this
/// answer is ours.
struct CrossInitNear {
  using plays = Plays<Role::initializer>;
  std::string word{};  ///< one token; empty: the subject's class word
  std::int64_t neighbours = 8;
  bool use_encoder = true;  ///< false: the mean itself

  /// [n, D], all rows from one mean; throws Error where the word is not one token, or there are not so many rows.
  template <class Model>
  Tensor rows(const Model& model, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    const std::string& chosen = word.empty() ? context.current().class_word : word;
    if (chosen.empty())
      throw Error("CrossInitNear", "no word to start from",
                  "give CrossInitNear{\"cat\"}, or the Subject a .class_word");
    const auto id = single_token(model.tokenizer(), chosen, "CrossInitNear");
    const auto table = Tensor(model.text_encoder().embedding_table()).detach().to(at::kFloat);
    const auto unit = table / at::linalg_vector_norm(table, 2, {1}, true).clamp_min(1e-12);
    const auto sorted = std::get<1>(unit.matmul(unit[id]).sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
    const auto order = sorted.to(at::kCPU).contiguous();
    const auto special = special_tokens_of(model.tokenizer());
    std::vector<std::int64_t> near;
    for (const std::int64_t other :
         std::span(order.template const_data_ptr<std::int64_t>(), static_cast<std::size_t>(order.numel())))
      if (other == id || std::ranges::find(special, other) == special.end()) near.push_back(other);
    if (neighbours < 1 || neighbours > std::ssize(near))
      throw Error("CrossInitNear", std::to_string(neighbours) + " neighbours",
                  "give .neighbours between 1 and the vocabulary's " + std::to_string(near.size()));
    near.resize(static_cast<std::size_t>(neighbours));
    const auto mean = table.index_select(0, at::tensor(near, at::kLong).to(table.device())).mean(0, true);
    const auto rows = mean.repeat({context.current().vectors, 1});
    return use_encoder ? encoder_output(model, rows, "CrossInitNear") : rows;
  }
  /// As CrossInit's.
  std::optional<std::int64_t> default_steps() const {
    if (!use_encoder) return {};
    return 320;
  }
  Description describe() const {
    return {"CrossInitNear", {{"word", word}, {"neighbours", neighbours}, {"use_encoder", use_encoder}}};
  }
};

}  // namespace persona
