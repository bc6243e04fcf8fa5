#pragma once
// Fig. 3 of Cross Initialization: what becomes of a word's picture when the text encoder reads its own output for the
// word, E(v), in place of the word's row v.

#include "support/table_runs.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace tables {

/// What the probe answers where a picture shows the word: one of its kinds of thing, or somebody.
inline std::pair<std::size_t, int> seen_as(const std::string& word) {
  if (word == "person") return {toyland::count_question, static_cast<int>(toyland::Count::person)};
  const auto& kinds = toyland::kind_names;
  const auto found = std::ranges::find(kinds, word);
  if (found == kinds.end()) throw persona::Error("tables", "the probe does not know '" + word + "'");
  return {toyland::kind_question, static_cast<int>(found - kinds.begin())};
}

/// Of one of these words: the share of pictures that show it, by its row and by E of its row, and the cosine of the two
/// pictures of one seed beside that of two pictures of the row.
inline nlohmann::json feed_back(const persona::StableDiffusion& sd, const Metrics& metrics, const std::string& word,
                                const Drawing& drawing, std::vector<persona::Image>* shown = nullptr) {
  const at::NoGradGuard no_grad;
  const auto [question, answer] = seen_as(word);
  const auto table = sd.text_encoder().embedding_table();
  const auto row = table[sd.tokenizer().encode(word).front()].unsqueeze(0).to(at::kFloat);
  auto eight = drawing;
  eight.images = 8;
  const auto draw_by = [&](const persona::Tensor& rows) {
    const persona::Learned learned{.rows = {{.token = "<one>", .rows = rows}}};
    return draw(sd.with(learned), "a photo of a <one>", eight, drawing.seed);
  };
  const auto by_row = draw_by(row), by_output = draw_by(persona::encoder_output(sd, row));
  if (shown) *shown = {by_row.pictures[0], by_output.pictures[0], by_row.pictures[1], by_output.pictures[1]};
  const auto &a = by_row.images, &b = by_output.images;
  const auto share_of = [&, question = question, answer = answer](const persona::Tensor& images) {
    double right = 0;
    for (const auto& answers : metrics.probe.look(images)) right += answers[question] == answer;
    return right / static_cast<double>(images.size(0));
  };
  const auto unit_a = metrics.pair.embed_images(a), unit_b = metrics.pair.embed_images(b);
  return {{"kind_by_row", share_of(a)},
          {"kind_by_output", share_of(b)},
          {"alike", (unit_a * unit_b).sum(1).mean().item<double>()},
          {"seeds_alike", (unit_a * unit_a.roll(1, 0)).sum(1).mean().item<double>()}};
}

inline const Setting fed_back_setting{"fed_back", 0, 0};

/// What the cells lack of these words.
inline std::vector<Work> fed_back_work(const Workshop& workshop, const std::vector<std::string>& words) {
  std::vector<Work> list;
  for (const std::string& word : words)
    if (workshop.lacks(fed_back_setting, word))
      list.push_back(work_for(workshop, fed_back_setting, word, [&workshop, word](const std::function<void()>& tick) {
        std::vector<persona::Image> shown;
        auto result = feed_back(workshop.sd, workshop.metrics, word, workshop.drawing, &shown);
        workshop.keep(fed_back_setting, word, std::move(result), shown);
        tick();
      }));
  return list;
}

}  // namespace tables
