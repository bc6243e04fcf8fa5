#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// Every row starts as a copy of one word's row (Textual Inversion); without a word, the subject's class word.
struct TokenInit {
  using plays = Plays<Role::initializer>;
  std::string word{};

  /// [n, D]; throws Error where the word is not exactly one token.
  template <class Model>
  Tensor rows(const Model& model, const BindContext& context) const {
    const std::string& chosen = word.empty() ? context.current().class_word : word;
    if (chosen.empty())
      throw Error("TokenInit", "no word to start from", "give TokenInit{\"face\"}, or the Subject a .class_word");
    std::vector<std::int64_t> ids;
    for (const std::int64_t id : model.tokenizer().encode(chosen)) ids.push_back(id);
    if (ids.size() != 1)
      throw Error("TokenInit", "'" + chosen + "' is " + std::to_string(ids.size()) + " tokens, not one",
                  "choose a word that is one token of this vocabulary");
    const auto table = model.text_encoder().embedding_table();
    return table[ids.front()].detach().to(at::kFloat).unsqueeze(0).repeat({context.current().vectors, 1});
  }
  Description describe() const { return {"TokenInit", {{"word", word}}}; }
};

}  // namespace persona
