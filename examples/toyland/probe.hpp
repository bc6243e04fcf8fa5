#pragma once

#include "batches.hpp"
#include "vision.hpp"

#include <array>
#include <vector>

namespace toyland {

/// What the probe reads off a picture: the 13 traits, then place, garment, its colour, accessory, expression and style.
enum Question {
  place_question = trait_count,
  garment_question,
  garment_color_question,
  accessory_question,
  expression_question,
  style_question,
  question_count
};

inline std::array<int, question_count> answer_counts() {
  std::array<int, question_count> counts{};
  for (std::size_t t = 0; t < trait_count; ++t) counts[t] = traits[t].count;
  counts[place_question] = count_of<Place>, counts[garment_question] = count_of<Garment>,
  counts[garment_color_question] = static_cast<int>(color_names.size());
  counts[accessory_question] = count_of<Accessory>, counts[expression_question] = count_of<Expression>,
  counts[style_question] = count_of<Style>;
  return counts;
}

inline std::array<int, question_count> answers(const Example& example) {
  std::array<int, question_count> truth{};
  for (std::size_t t = 0; t < trait_count; ++t) truth[t] = example.person.value[t];
  const auto& s = example.scene;
  truth[place_question] = static_cast<int>(s.place), truth[garment_question] = static_cast<int>(s.garment),
  truth[garment_color_question] = s.garment_color;
  truth[accessory_question] = static_cast<int>(s.accessory),
  truth[expression_question] = static_cast<int>(s.expression), truth[style_question] = static_cast<int>(s.style);
  return truth;
}

inline ConvTower make_probe() {
  std::int64_t all = 0;
  for (const int n : answer_counts()) all += n;
  return ConvTower({24, 48, 96, 128}, all);
}

/// The probe's answers for pictures [B, 3, 64, 64]: one row a picture.
inline std::vector<std::array<int, question_count>> ask(const ConvTower& probe, const persona::Tensor& images) {
  const at::NoGradGuard no_grad;
  const auto scores = probe(images).to(at::kFloat);
  std::vector<std::array<int, question_count>> rows(static_cast<std::size_t>(images.size(0)));
  std::int64_t first = 0;
  const auto counts = answer_counts();
  for (std::size_t q = 0; q < question_count; ++q) {
    const auto best = scores.slice(1, first, first + counts[q]).argmax(1).contiguous().cpu();
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i][q] = static_cast<int>(best.const_data_ptr<std::int64_t>()[i]);
    first += counts[q];
  }
  return rows;
}

/// Cross entropy of scores [B, all answers] over the questions, each counted alike.
inline persona::Tensor answer_loss(const persona::Tensor& scores,
                                   const std::vector<std::array<int, question_count>>& truth) {
  auto loss = at::zeros({}, scores.options());
  std::int64_t first = 0;
  const auto counts = answer_counts();
  for (std::size_t q = 0; q < question_count; ++q) {
    std::vector<std::int64_t> right;
    for (const auto& row : truth) right.push_back(row[q]);
    const auto part = scores.slice(1, first, first + counts[q]);
    loss = loss +
           (part.logsumexp(1) - part.gather(1, at::tensor(right).to(scores.device()).unsqueeze(1)).squeeze(1)).mean();
    first += counts[q];
  }
  return loss / static_cast<double>(question_count);
}

/// The share of the person's thirteen traits that are in `found`.
inline double identity(const Person& person, const std::array<int, question_count>& found) {
  int right = 0;
  for (std::size_t t = 0; t < trait_count; ++t) right += person.value[t] == found[t];
  return right / static_cast<double>(trait_count);
}

}  // namespace toyland
