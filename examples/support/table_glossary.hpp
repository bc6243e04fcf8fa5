#pragma once
// What the page's words mean: its methods, its columns, its prompts.

#include "support/table_edits.hpp"
#include "support/table_page.hpp"
#include "support/table_pairs.hpp"

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace tables {

/// Every method of the tables, in a few words.
inline const std::map<std::string, std::string>& methods_explained() {
  static const std::map<std::string, std::string> all = [] {
    std::map<std::string, std::string> list{
        {"untrained", "nothing is learned: the class word alone"},
        {"ti", "Textual Inversion, rows that start as the class word"},
        {"ci", "Cross Initialization: from E(mean of the names' rows), of things from E(class word)"},
        {"ci_without_cross", "ci from the names' mean rows themselves"},
        {"ci_without_mean", "ci from E(class word) for people; the paper gives no recipe, this is ours"},
        {"ci_without_regularization", "ci with weight 0"},
        {"ci_near", "ci from E(mean of the rows nearest to the class word)"},
        {"ci_batex", "ci's start on BaTex's subspace"},
        {"ti_other_word", "ti from the word of another kind of thing"},
        {"ti_animal", "ti from \"animal\", a word that no caption of the model's training held"},
        {"batex_other_word", "batex_0.75 from the word of another kind of thing"},
        {"batex_animal", "batex_0.75 from \"animal\""},
        {"batex_automatic", "BaTex, its size found from the photos"},
        {"xti", "a row for each cross-attention layer"},
        {"neti", "rows by a small network from layer and timestep"},
        {"celeb", "Celeb Basis: coefficients by a mapper from the photo's features"},
        {"celeb_direct", "Celeb Basis' coefficients learned themselves"},
        {"ci_celeb", "ci's start on Celeb Basis"},
        {"style_untrained", "nothing is learned: the word \"painting\""},
        {"style_ti", "ti on four pictures of a style, from \"painting\""},
        {"style_ci", "the same as ci, from E(\"painting\")"},
        {"style_ci_near", "the same as ci_near"},
        {"svdiff", "spectral shifts of the whole UNet"},
        {"svdiff_without_prior", "svdiff without class samples"},
        {"svdiff_lora", "svdiff and LoRA, at a tenth of the rate, in one sum"},
        {"dreambooth", "all weights of the UNet, with class samples"},
        {"lora", "DreamBooth by LoRA of rank 4"},
        {"custom_diffusion", "cross-attention's keys and values, and a row"},
        {"custom_diffusion_plain", "the same without its photos drawn smaller, larger and mirrored"},
        {"pair_cut_mix_unmix", "svdiff on two things, with cut-mix and unmix"},
        {"pair_cut_mix", "the same with cut-mix alone"},
        {"pair_alone", "the same on photos of one thing each"},
        {"pair_untrained", "the class words of two things, nothing learned"},
        {"edit_untrained", "nothing is learned"},
        {"edit_svdiff", "the picture is learned by spectral shifts"},
        {"edit_all_weights", "by all weights"},
        {"edit_lora", "by LoRA of rank 4"}};
    for (const double share : basis_shares()) {
      char text[80];
      std::snprintf(text, sizeof text, "BaTex: weights of chosen rows, %g of a row's width of them", share);
      list[batex_name(share)] = text;
    }
    for (const auto& [name, subset] : spectral_subsets())
      if (name != "unet") list["svdiff_" + name] = "svdiff of one of Table 1's subsets";
    return list;
  }();
  return all;
}

/// Every column of the tables.
inline const std::vector<std::pair<std::string, std::string>>& columns_explained() {
  static const std::vector<std::pair<std::string, std::string>> all{
      {"alone",
       "recogniser cosine to the photo over the 10 prompts that ask for nobody else and no style; 0 where no "
       "face is found"},
      {"above 0.5", "how many subjects have more than that of alone"},
      {"identity", "the same over the 15 prompts that ask for no style; pictures without a face are left out"},
      {"faces", "share of these pictures in which the recogniser finds a face"},
      {"traits", "share of the subject's traits that the probe finds where it stands alone in a photo"},
      {"image", "cosine of picture and photo, over the plain prompt"},
      {"text", "cosine of picture and prompt, which says the class word alone"},
      {"obeyed",
       "share of all that the prompts ask for: place, expression, garment, style, count; that a picture is a photo, and "
       "shows as many as asked for, counts at every prompt"},
      {"place, expression", "share of the prompts that ask for one in which the probe finds it"},
      {"count",
       "share of pictures, no style asked for, that show as many people and things as asked for; one thing, "
       "whatever its kind, is one"},
      {"leak", "share of pictures that show the photo's place though the prompt asks for another"},
      {"style",
       "of styles: share of pictures that, among renders of the content asked for in all thirteen styles, are nearest to the "
       "learned one, by means and deviations of the picture tower's feature maps"},
      {"content",
       "of styles: share nearest, among renders of all six contents in the learned style, to the one asked for, by embedding"},
      {"near", "of styles: cosine of embeddings to the renders of this content in this style"},
      {"norm", "mean length of the learned rows v"},
      {"cosine to start", "of the learned rows and those that they started as"},
      {"cos(E(v), v)", "of the learned rows and what the text encoder makes of them"},
      {"trained", "numbers that are trained, token rows among them"},
      {"CPU seconds",
       "of training, one thread; of the results that were timed, on several machines: ratios are the benches'"}};
  return all;
}

/// The prompts, a row each.
inline void report_words(Page& page) {
  page.section("Methods");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, meaning] : methods_explained()) rows.push_back({name, meaning});
  page.table({"method", "what it is"}, rows);
  page.section("Columns");
  rows.clear();
  for (const auto& [name, meaning] : columns_explained()) rows.push_back({name, meaning});
  page.table({"column", "what it is"}, rows);
  page.section("Prompts");
  page.paragraph(
      "{} is the learned thing; style is asked for in every prompt, a photo's where no other is named. Of people, the "
      "twenty of Cross Initialization's appendix, its celebrity replaced by one of the model's 691 names.");
  rows.clear();
  for (const bool person : {true, false})
    for (const Prompt& prompt : person ? person_prompts() : thing_prompts()) {
      const auto wanted = prompt.wanted(person);
      std::string asked;
      for (const auto& [name, question] :
           std::vector<std::pair<const char*, std::size_t>>{{"place", toyland::place_question},
                                                            {"expression", toyland::expression_question},
                                                            {"garment", toyland::garment_question},
                                                            {"style", toyland::style_question},
                                                            {"count", toyland::count_question}})
        if (wanted[question] != toyland::no_answer) asked += (asked.empty() ? "" : ", ") + std::string(name);
      const bool photo = prompt.style == Style::photo, person_alone = person && !prompt.two;
      rows.push_back({person ? "person" : "animal or object", prompt.text, asked,
                      !photo         ? ""
                      : person_alone ? "alone, identity, traits"
                      : person       ? "identity"
                                     : "traits"});
    }
  page.table({"subject", "prompt", "asks for", "counts for"}, rows);
}

}  // namespace tables
