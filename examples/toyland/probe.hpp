#pragma once
// What the probe reads off a picture, and what is true of one.

#include "batches.hpp"
#include "vision.hpp"

#include <array>
#include <vector>

namespace toyland {

/// What the probe is asked of a picture: the person's traits, the scene, who is there, and a thing's traits.
enum Question {
  place_question = trait_count,
  garment_question,
  garment_color_question,
  accessory_question,
  expression_question,
  style_question,
  count_question,
  kind_question,
  question_count = kind_question + thing_trait_count
};

/// What count_question tells apart.
enum class Count { person, thing, two_people, person_and_thing, two_things, count };

/// One answer a question; `no_answer` where the picture holds none.
using Answers = std::array<int, question_count>;
inline constexpr int no_answer = -1;

inline Answers answer_counts() {
  Answers counts{};
  for (std::size_t t = 0; t < trait_count; ++t) counts[t] = traits[t].count;
  counts[place_question] = count_of<Place>, counts[garment_question] = count_of<Garment>,
  counts[garment_color_question] = static_cast<int>(color_names.size());
  counts[accessory_question] = count_of<Accessory>, counts[expression_question] = count_of<Expression>,
  counts[style_question] = count_of<Style>, counts[count_question] = count_of<Count>;
  for (std::size_t t = 0; t < thing_trait_count; ++t) counts[kind_question + t] = thing_trait_counts[t];
  return counts;
}

/// What is true of an example. Traits and clothes are asked of one person alone, a thing's traits of one thing, and
/// colours where the style has any.
inline Answers answers(const Example& example) {
  Answers truth;
  truth.fill(no_answer);
  const auto& s = example.scene;
  truth[place_question] = static_cast<int>(s.place), truth[style_question] = static_cast<int>(s.style);
  if (s.style >= Style::count) truth[style_question] = no_answer;
  int people = 0;
  for (const Shown& shown : example.shown) people += shown.person() != nullptr;
  if (!example.single()) {
    constexpr std::array pairs{Count::two_things, Count::person_and_thing, Count::two_people};
    truth[count_question] = static_cast<int>(pairs[static_cast<std::size_t>(people)]);
    // beside a thing a person's expression goes unsaid
    if (people == 2) truth[expression_question] = static_cast<int>(s.expression);
    return truth;
  }
  truth[count_question] = static_cast<int>(people ? Count::person : Count::thing);
  if (const Person* person = example.shown[0].person()) {
    for (std::size_t t = 0; t < trait_count; ++t) truth[t] = person->value[t];
    truth[garment_question] = static_cast<int>(s.garment), truth[garment_color_question] = s.garment_color;
    truth[accessory_question] = static_cast<int>(s.accessory);
    truth[expression_question] = static_cast<int>(s.expression);
  } else if (const Thing* thing = example.shown[0].thing()) {
    for (std::size_t t = 0; t < thing_trait_count; ++t) truth[kind_question + t] = thing->value[t];
    if ((*thing)[pattern] == 0) truth[kind_question + static_cast<int>(second_color)] = no_answer;
  }
  if (s.style == Style::mural || s.style == Style::latte || s.style == Style::sketch)
    for (const int q : {int{skin}, int{hair_color}, int{eyes}, int{earrings}, int{garment_color_question},
                        kind_question + static_cast<int>(color), kind_question + static_cast<int>(second_color)})
      truth[static_cast<std::size_t>(q)] = no_answer;
  return truth;
}

inline std::int64_t answer_total() {
  std::int64_t all = 0;
  for (const int n : answer_counts()) all += n;
  return all;
}

inline ConvTower make_probe() { return ConvTower({24, 48, 96, 128}, answer_total()); }

/// The likeliest answers by scores [B, answer_total()]: one row a picture.
inline std::vector<Answers> best_answers(const persona::Tensor& scores) {
  std::vector<Answers> rows(static_cast<std::size_t>(scores.size(0)));
  std::int64_t first = 0;
  const auto counts = answer_counts();
  for (std::size_t q = 0; q < question_count; ++q) {
    const auto best = scores.slice(1, first, first + counts[q]).argmax(1).contiguous().cpu();
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i][q] = static_cast<int>(best.const_data_ptr<std::int64_t>()[i]);
    first += counts[q];
  }
  return rows;
}

/// The probe's answers for pictures [B, 3, 64, 64]: one row a picture.
inline std::vector<Answers> ask(const ConvTower& probe, const persona::Tensor& images) {
  const at::NoGradGuard no_grad;
  return best_answers(probe(images));
}

/// Cross entropy of scores [B, answer_total()] over the questions that have an answer, each question counted alike.
inline persona::Tensor answer_loss(const persona::Tensor& scores, const std::vector<Answers>& truth) {
  auto loss = at::zeros({}, scores.options());
  std::int64_t first = 0;
  const auto counts = answer_counts();
  for (std::size_t q = 0; q < question_count; ++q) {
    std::vector<std::int64_t> right;
    std::vector<float> weight;
    for (const auto& row : truth)
      right.push_back(std::max(0, row[q])), weight.push_back(row[q] == no_answer ? 0.0f : 1.0f);
    const auto part = scores.slice(1, first, first + counts[q]);
    const auto asked = at::tensor(weight).to(scores.device());
    const auto entropy =
        part.logsumexp(1) - part.gather(1, at::tensor(right).to(scores.device()).unsqueeze(1)).squeeze(1);
    loss = loss + (entropy * asked).sum() / asked.sum().clamp_min(1);
    first += counts[q];
  }
  return loss / static_cast<double>(question_count);
}

/// Right answers and questions asked, question by question.
class Tally {
 public:
  void add(const Answers& truth, const Answers& found) {
    for (std::size_t q = 0; q < question_count; ++q)
      if (truth[q] != no_answer) ++asked_[q], right_[q] += truth[q] == found[q];
  }
  /// The share that is right; NaN where nothing was asked.
  double share(std::size_t question) const { return right_[question] / asked_[question]; }
  /// The mean share over questions first .. last - 1.
  double mean(std::size_t first, std::size_t last) const {
    double sum = 0;
    for (std::size_t q = first; q < last; ++q) sum += share(q);
    return sum / static_cast<double>(last - first);
  }
  /// The share over all questions asked, each time alike.
  double overall() const {
    double asked = 0, right = 0;
    for (std::size_t q = 0; q < question_count; ++q) asked += asked_[q], right += right_[q];
    return right / asked;
  }
  double person() const { return mean(0, trait_count); }
  double thing() const { return mean(kind_question, question_count); }

 private:
  std::array<double, question_count> asked_{}, right_{};
};

/// Is the question about the person or thing itself, whatever the scene.
inline bool is_trait(std::size_t question) { return question < trait_count || question >= kind_question; }

/// The share of the subject's own traits that `found` has right.
inline double traits_right(const Answers& truth, const Answers& found) {
  double right = 0, asked = 0;
  for (std::size_t q = 0; q < question_count; ++q)
    if (is_trait(q) && truth[q] != no_answer) ++asked, right += truth[q] == found[q];
  return right / asked;
}

}  // namespace toyland
