#pragma once
// The tables of the methods that change weights.

#include "support/table_differences.hpp"
#include "support/table_pairs.hpp"

namespace tables {

/// Two things in one model, and edits of one picture.
inline void report_pairs_and_edits(Page& page, const Cells& cells, const Plan& plan, const Studies& studies,
                                   const std::filesystem::path& pictures) {
  const auto nothing = [](const Setting&) { return std::string(); };
  const auto pairs = pairs_of(studies.paired);
  const auto together = pair_settings(cells, plan, studies), edits = edit_settings(cells, studies);
  page.section("SVDiff: two things in one model");
  page.paragraph(
      "SVDiff at its best rate on both at once, batch 2. sides: of prompts that say who is left, the share of pictures nearer "
      "to the photos' halves side by side in that order than in the other; own, other: cosine of a half to the photo of who "
      "was asked for there, and to the other's; both: cosine of all pictures to the photos side by side. The model has seen two "
      "people in one picture, never two things.");
  add_table(page, cells, together, ids(pairs), pair_columns, nothing);
  for (const char* method : {"pair_untrained", "pair_alone", "pair_cut_mix"})
    if (const auto found = std::ranges::find(together, method, &Setting::method); found != together.end())
      add_differences(page, cells, against(together, *found), ids(pairs), pair_columns);
  for (const Setting& setting : together)
    for (std::size_t i = 0; i < std::min<std::size_t>(pairs.size(), 2); ++i)
      if (cells.has(setting, pairs[i].id()))
        page.picture(pictures / picture_name(setting, pairs[i].id()), setting.name() + ", " + pairs[i].id());
  page.section("SVDiff: one picture, edited");
  page.paragraph(
      "One picture is learned with its caption, batch 4, no prior, and drawn again from its own noise (DDIM inversion, eta "
      "0.1) with captions of another place or style. kept: share of the thing's traits that the probe finds where another "
      "place is asked for; obeyed: share of edits that show the place or style; distance: perceptual distance of these edits "
      "to the picture; returned: that of what the picture's own caption draws again. Every method at its best setting on the "
      "validation split, and at the rate at which it learns things best.");
  const auto test = ids(studies.edits.test);
  add_table(page, cells, edits, test, edit_columns, remarks(studies.edits, cells));
  for (const Setting& reference : edits)
    if (reference == edits.front() || reference.method == "edit_svdiff")
      add_differences(page, cells, against(edits, reference), test, edit_columns);
  add_pictures(page, cells, edits, studies.edits.test, 2, pictures);
  page.section("SVDiff: one picture, edited, validation split (settings are chosen here, by kept + obeyed)");
  add_table(page, cells, studies.edits.settings(), ids(studies.edits.validation), edit_columns,
            choosing_remarks(studies.edits, cells));
}

inline void report_weights(Page& page, const Cells& cells, const Plan& plan, const Studies& studies,
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
  add_table(page, cells, with_untrained(best), ids(weights.test), weight_columns, remarks(weights, cells));
  for (const auto& reference :
       {std::optional(untrained), weights.best(cells, "dreambooth"), weights.best(cells, "lora")})
    add_differences(page, cells, against(best, reference), ids(weights.test), thing_differences);
  add_pictures(page, cells, best, weights.test, 2, pictures);
  page.section("Table 1 of SVDiff: what is shifted");
  page.paragraph(
      "At SVDiff's best setting: the whole UNet, without the prior, with LoRA in one sum, and the paper's other eleven "
      "subsets.");
  const auto variants = spectral_variants(cells, studies);
  add_table(page, cells, variants, ids(studies.subsets), weight_columns, remarks(weights, cells));
  add_differences(page, cells, against(variants, weights.best(cells, "svdiff")), ids(studies.subsets),
                  thing_differences);
  report_pairs_and_edits(page, cells, plan, studies, pictures);
  page.section("Weights, validation split (settings are chosen here)");
  add_table(page, cells, weights.settings(), ids(weights.validation), weight_columns, choosing_remarks(weights, cells));
}

}  // namespace tables
