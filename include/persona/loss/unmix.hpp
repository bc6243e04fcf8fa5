#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/loss/step_view.hpp>
#include <persona/model/conditioning.hpp>
#include <persona/text/placeholder.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// SVDiff's unmix term (Han et al. 2023, 3.3) for samples that CutMix made: in the cross-attention maps, meaned over
/// heads, the squares of every subject's token over the half of the other one, meaned; times `weight`. Layers, weight
/// and target are in an appendix that is not public; here the target is 0, and the layers are those whose maps are a
/// half or a quarter as tall as the latents (32 and 16 of Stable Diffusion's 64). The one weight measured, 1, did not
/// help on Toyland (docs/methods/svdiff.md); the paper has the term, so it is in svdiff_cut_mix_unmix.
struct Unmix {
  using plays = Plays<Role::regularizer>;
  double weight = 1.0;
  double largest = 0.5, smallest = 0.25;  ///< shares of the latents' height that a layer's map may have

  struct State {
    double weight = 1.0, largest = 0.5, smallest = 0.25;
    std::int64_t height = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> rows{};  ///< by subject: first row, and the one behind the last
    std::vector<std::vector<std::int64_t>> ids{};               ///< by subject: its token's, where no row is learned

    bool wants(const AttentionLayer& layer) const {
      const auto share = static_cast<double>(layer.height) / static_cast<double>(height);
      return share <= largest && share >= smallest;
    }
    Tensor loss(const StepView& view) const {
      Tensor sum = at::zeros({}, view.prediction.options());
      std::int64_t count = 0;
      for (std::size_t i = 0; i < view.batch.pairs.size(); ++i) {
        if (!view.batch.pairs[i] || view.batch.subjects[i] < 0) continue;
        const auto& pair = *view.batch.pairs[i];
        const auto left = positions(view.batch.prompts[i], pair.left, view.prediction.device());
        const auto right = positions(view.batch.prompts[i], pair.right, view.prediction.device());
        for (const auto& map : view.attention) {
          const auto [layer, probabilities] = map;
          const auto picture =
              probabilities[static_cast<std::int64_t>(i)].mean(0).view({layer.height, layer.width, -1});
          const auto half = layer.width / 2;
          sum = sum + picture.slice(1, half).index_select(2, left).to(at::kFloat).square().mean() +
                picture.slice(1, 0, half).index_select(2, right).to(at::kFloat).square().mean();
          count += 2;
        }
      }
      if (count > 0) return sum * (weight / static_cast<double>(count));
      if (view.attention.empty())
        throw Error("Unmix", "no cross-attention layer has maps of the heights asked for",
                    ".smallest and .largest are shares of the latents' height, " + std::to_string(height));
      if (view.batch.pairs.empty())
        throw Error("Unmix", "no sample shows two subjects: there is no CutMix in the sum", "add CutMix{} to it");
      return sum;
    }

   private:
    // Where a subject's token stands in a prompt, [k]: the slots of its rows, or its word's pieces.
    Tensor positions(const PromptTokens& prompt, std::int64_t subject, at::Device device) const {
      const auto s = static_cast<std::size_t>(subject);
      std::vector<std::int64_t> found;
      for (const Slot& slot : prompt.slots)
        if (slot.row >= rows[s].first && slot.row < rows[s].second) found.push_back(slot.position);
      if (found.empty() && !ids[s].empty()) {
        const auto at = std::ranges::search(prompt.ids, ids[s]);
        for (auto it = at.begin(); it != at.end(); ++it) found.push_back(it - prompt.ids.begin());
      }
      if (found.empty())
        throw Error("Unmix", "a mixed caption does not hold the token of subject " + std::to_string(subject),
                    "does its phrase have a {}?");
      return at::tensor(found, at::kLong).to(device);
    }
  };

  template <class Model>
  State bind(const Model& model, const BindContext& context) const {
    if (context.subjects.size() < 2)
      throw Error("Unmix", "keeps the tokens of two subjects apart, and there is one",
                  "pass several subjects, and put CutMix{} into the sum");
    if (!(weight >= 0)) throw Error("Unmix", ".weight is " + std::to_string(weight), "0 or more");
    State state{.weight = weight, .largest = largest, .smallest = smallest, .height = model.latent_shape()[1]};
    std::int64_t row = 0;
    for (const Subject& subject : context.subjects) {
      state.rows.emplace_back(row, row + subject.vectors);
      row += subject.vectors;
      auto& pieces = state.ids.emplace_back();
      for (const std::int64_t id : model.tokenizer().encode(subject.token)) pieces.push_back(id);
    }
    return state;
  }
  Description describe() const { return {"Unmix", {{"weight", weight}, {"largest", largest}, {"smallest", smallest}}}; }
};

}  // namespace persona
