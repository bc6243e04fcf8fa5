#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/learned/learned.hpp>
#include <persona/learned/personalized.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/model/encode_prompts.hpp>
#include <persona/param/full_weight.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/splice.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// One of the things that merge_concepts puts into a model together, and a prompt that names it: "photo of a <new1>
/// cat".
struct Concept {
  Learned learned{};
  std::string prompt{};
};

namespace detail {
/// What the text encoder makes of a prompt with a concept's tokens in it, from the first of them to the end token: [n,
/// D] fp64.
template <DiffusionModel Model>
Tensor concept_states(const Model& model, const Concept& subject) {
  const auto with = personalized(model, {.rows = subject.learned.rows, .metadata = {}});
  const auto placeholders = with.placeholders();
  const auto tokens = tokenize_prompt(model.tokenizer(), subject.prompt, placeholders);
  if (tokens.slots.empty())
    throw Error("merge_concepts", "the prompt '" + subject.prompt + "' has no learned token of its concept",
                placeholders.empty() ? "learn a token with it: TokenInit{} in the sum"
                                     : "write it into the prompt: " + placeholders.front().token);
  const auto device = model.text_encoder().embedding_table().device();
  std::vector<Tensor> rows;
  for (const LearnedRows& row : with.learned_rows()) {
    if (row.layered)
      throw Error("merge_concepts", "the rows of '" + row.token + "' differ by layer",
                  "merge concepts whose token has one row for all layers");
    rows.push_back(row.rows);
  }
  const std::vector<PromptTokens> prompt{tokens};
  std::vector<RowSet> sets;
  if (!rows.empty()) sets.push_back(RowSet(at::cat(rows)));
  const auto states =
      encode_prompts(model.text_encoder(), stack_ids(prompt, device), make_splice_plan(prompt, device), sets).states;
  const auto first = tokens.slots.front().position;
  auto last = first;
  const auto eos = model.tokenizer().eos_token_id();
  for (const auto& slot : tokens.slots) last = std::max(last, slot.position);
  while (last + 1 < states.size(1) && tokens.ids[static_cast<std::size_t>(last)] != eos) ++last;
  return states[0].slice(0, first, last + 1).to(at::kCPU, at::kDouble);
}

/// K^T K over all positions of the captions: [D, D] fp64.
template <DiffusionModel Model>
Tensor state_products(const Model& model, const std::vector<std::string>& captions) {
  const auto device = model.text_encoder().embedding_table().device();
  Tensor products;
  for (const std::string& caption : captions) {
    const std::vector<PromptTokens> prompt{tokenize_prompt(model.tokenizer(), caption)};
    const auto k =
        encode_prompts(model.text_encoder(), stack_ids(prompt, device), {}, {}).states[0].to(at::kCPU, at::kDouble);
    const auto product = k.t().matmul(k);
    products = products.defined() ? products + product : product;
  }
  return products;
}
}  // namespace detail

/// Custom Diffusion's merge without training (Kumari et al. 2023, its constrained least squares): of every weight that
/// a concept changed, the W' that maps each concept's states as that concept's own weights do, W' C^T = V, and is
/// nearest to the base on what `captions` (some hundred, of many things) say, min ||(W' - W) K^T||. Of the answer's
/// rows every concept keeps its own. Throws Error where a weight does not read the prompt, or the prompts ask for more
/// than a weight can give.
template <DiffusionModel Model>
Learned merge_concepts(const Model& model, const std::vector<Concept>& concepts,
                       const std::vector<std::string>& captions) {
  const at::NoGradGuard no_grad;
  if (concepts.empty() || captions.empty())
    throw Error("merge_concepts", concepts.empty() ? "no concepts" : "no captions",
                "give concepts, and captions of what is to stay as it is");
  Learned merged;
  std::vector<Tensor> states;
  std::map<std::string, WeightRef> refs;
  std::vector<std::map<std::string, Tensor>> values;  // of each concept, its changed weights
  for (const Concept& one : concepts) {
    for (const LearnedRows& row : one.learned.rows) {
      for (const LearnedRows& other : merged.rows)
        if (other.token == row.token)
          throw Error("merge_concepts", "two concepts are named '" + row.token + "'",
                      "learn one of them under another token");
      merged.rows.push_back(row);
    }
    if (merged.metadata.empty()) merged.metadata = one.learned.metadata;
    states.push_back(detail::concept_states(model, one));
    Model changed = model;
    values.emplace_back();
    auto weights = one.learned.weights;
    for (const Attachment& attachment : detail::attach_changes(changed, weights)) {
      values.back().emplace(attachment.ref().full_name(), attachment.written().to(at::kCPU, at::kDouble));
      refs.emplace(attachment.ref().full_name(), attachment.ref());
    }
  }
  const auto c = at::cat(states);
  const auto width = c.size(1);
  auto products = detail::state_products(model, captions);
  // Fewer captions than a state has entries leave directions that nothing is said about: these stay as they are.
  products.diagonal().add_(1e-6 * products.diagonal().mean());
  const auto d = at::linalg_solve(products, c.t()).t();  // C (K^T K)^-1
  const auto inner = d.matmul(c.t());
  for (const auto& [name, ref] : refs) {
    const auto base = ref.base.to(at::kCPU, at::kDouble);
    if (ref.host != "unet" || base.dim() != 2 || base.size(1) != width)
      throw Error("merge_concepts: " + name,
                  "has shape " + shape_string(base.sizes()) + ", and the prompt's states are " + std::to_string(width) +
                      " wide",
                  "the keys and values of cross-attention are merged: learn with CrossAttentionKV");
    std::vector<Tensor> wanted;
    for (std::size_t i = 0; i < concepts.size(); ++i) {
      const auto found = values[i].find(name);
      wanted.push_back(states[i].matmul((found == values[i].end() ? base : found->second).t()));
    }
    const auto off = at::cat(wanted) - c.matmul(base.t());  // V - W C^T, transposed
    const auto [answer, failed] = at::linalg_solve_ex(inner, off);
    const auto value = base + answer.t().matmul(d);
    const auto missed = (c.matmul((value - base).t()) - off).norm().template item<double>();
    if (failed.template item<int>() != 0 || !(missed <= 1e-4 * (1e-6 + off.norm().template item<double>())))
      throw Error("merge_concepts: " + name, "the concepts ask for what no weight can give",
                  "are two of the prompts the same?");
    merged.weights.push_back({.name = name,
                              .component = "merge_concepts",
                              .change = std::shared_ptr<const Replacement>(std::make_shared<FullWeight>(
                                  frozen(make_leaf("weight", value.to(ref.base.device())))))});
  }
  return merged;
}

}  // namespace persona
