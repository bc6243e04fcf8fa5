#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/text/single_token.hpp>

#include <cstdint>
#include <string>

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
    const auto id = single_token(model.tokenizer(), chosen, "TokenInit");
    const auto table = model.text_encoder().embedding_table();
    return table[id].detach().to(at::kFloat).unsqueeze(0).repeat({context.current().vectors, 1});
  }
  Description describe() const { return {"TokenInit", {{"word", word}}}; }
};

}  // namespace persona
