#pragma once
// The tables of the methods that change weights.

#include "support/table_columns.hpp"

namespace tables {

inline void report_weights(Page& page, const Cells& cells, const Studies& studies,
                           const std::filesystem::path& pictures) {
  const auto& weights = studies.weights;
  auto best = weights.chosen(cells);
  if (best.empty()) return;
  best.insert(best.end(), weights.published.begin(), weights.published.end());
  page.section("SVDiff, DreamBooth, Custom Diffusion, LoRA: animals and objects");
  page.paragraph(
      "Every method at the setting of one grid that is best on the validation split, batch 4 and as many class samples; "
      "trained: numbers, token rows among them. The thing goes by \"sks CLASS\", Custom Diffusion's by its learned row and "
      "the class.");
  add_table(page, cells, best, ids(weights.test), weight_columns, remarks(weights, cells));
  add_pictures(page, best, weights.test, 2, pictures);
  page.section("Table 1 of SVDiff: what is shifted");
  page.paragraph(
      "At SVDiff's best setting: the whole UNet, without the prior, with LoRA in one sum, and the paper's other eleven "
      "subsets.");
  add_table(page, cells, spectral_variants(cells, studies), ids(weights.test), weight_columns, remarks(weights, cells));
  page.section("Weights, validation split (settings are chosen here)");
  add_table(page, cells, weights.settings(), ids(weights.validation), weight_columns, remarks(weights, cells));
}

}  // namespace tables
