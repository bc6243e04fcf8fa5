#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>

#include <string>

namespace persona {

/// E(rows) [n, D] fp32: the text encoder's output, after its final norm, at positions 1..n of [BOS, rows, ...]. Throws
/// Error, as `who`, where the outputs are not as wide as the rows.
template <class Model>
Tensor encoder_output(const Model& model, const Tensor& rows, const std::string& who = "encoder_output") {
  const at::NoGradGuard no_grad;
  const auto& encoder = model.text_encoder();
  const Tensor table = encoder.embedding_table();
  const auto bos = table[model.tokenizer().bos_token_id()].unsqueeze(0);
  // What follows position n cannot reach it through the causal mask, so the prefix alone is run.
  const auto states = encoder.encode(at::cat({bos, as_compute(rows.to(table.device()), table)}).unsqueeze(0))[0];
  if (states.size(-1) != table.size(1))
    throw Error(who,
                "the text encoder's output is " + std::to_string(states.size(-1)) + " wide, its rows are " +
                    std::to_string(table.size(1)),
                "Cross Initialization needs an encoder whose output can stand for a row");
  return states.slice(0, 1, 1 + rows.size(0)).to(at::kFloat);
}

}  // namespace persona
