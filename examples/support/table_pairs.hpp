#pragma once
// Two things in one model (SVDiff, 3.3): trained with Cut-Mix-Unmix, with Cut-Mix alone, and on each alone.

#include "support/table_plan.hpp"
#include "support/table_runs.hpp"

#include <string>
#include <utility>
#include <vector>

namespace tables {

/// The first of the pair is "sks CLASS", the second "ktn CLASS".
struct Pair {
  const Specimen *first = nullptr, *second = nullptr;
  std::string id() const { return first->id + "+" + second->id; }
  /// What prompts call one of them: untrained, by its class word alone.
  std::string called(bool of_second, bool learned = true) const {
    const auto& word = of_second ? second->class_word : first->class_word;
    return learned ? (of_second ? "ktn " : "sks ") + word : word;
  }
};

/// The first with the second, the third with the fourth, ...
inline std::vector<Pair> pairs_of(const std::vector<Specimen>& things) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i + 1 < things.size(); i += 2) pairs.push_back({&things[i], &things[i + 1]});
  return pairs;
}
inline std::vector<std::string> ids(const std::vector<Pair>& pairs) {
  std::vector<std::string> names;
  for (const Pair& pair : pairs) names.push_back(pair.id());
  return names;
}

/// How both are learned together, by name.
using PairMethod =
    std::function<persona::Run(const persona::StableDiffusion&, const Pair&, double lr, const persona::TrainOptions&)>;
inline const std::map<std::string, PairMethod>& pair_methods() {
  using namespace persona;
  const auto by = [](auto sum_of_rate) -> PairMethod {
    return [sum_of_rate](const StableDiffusion& sd, const Pair& pair, double lr, const TrainOptions& options) {
      std::vector<Subject> subjects;
      for (const auto& [word, one] : {std::pair{"sks", pair.first}, std::pair{"ktn", pair.second}})
        subjects.push_back(examples::by_rare_word(word, one->class_word, {{.image = one->photo, .name = one->id}}));
      return personalize(sd, std::span(subjects), sum_of_rate(lr), options);
    };
  };
  static const std::map<std::string, PairMethod> all{
      {"pair_cut_mix_unmix", by([](double lr) { return svdiff_cut_mix_unmix(detail::class_samples(), 1.0, lr); })},
      {"pair_cut_mix", by([](double lr) { return svdiff_cut_mix_unmix(detail::class_samples(), 0.0, lr); })},
      {"pair_alone", by([](double lr) { return svdiff(detail::class_samples(), lr); })}};
  return all;
}

namespace detail {
/// The middle half of pictures [N, 3, H, W], and one of its sides.
inline persona::Tensor middle(const persona::Tensor& images) {
  return images.narrow(3, images.size(3) / 4, images.size(3) / 2);
}
inline persona::Tensor side(const persona::Tensor& images, bool right) {
  return images.narrow(3, right ? images.size(3) / 2 : 0, images.size(3) / 2);
}
/// A half beside itself: as wide as what the embedder was trained on.
inline persona::Tensor doubled(const persona::Tensor& half) { return at::cat({half, half}, 3); }
}  // namespace detail

/// Cosines, one a picture, of pictures that should show one thing on the left and another on the right.
struct SideBySide {
  persona::Tensor asked{}, mirrored{};  ///< to the middles of the photos side by side, in that order and the other
  persona::Tensor own{}, other{};       ///< of the halves, doubled, to the thing asked for there and to the other one
};
inline SideBySide side_by_side(const Metrics& metrics, const persona::Tensor& images, const Specimen& left,
                               const Specimen& right) {
  const auto half = [](const Specimen& one) { return detail::middle(persona::to_tensor(one.photo).unsqueeze(0)); };
  const persona::Tensor halves[2]{half(left), half(right)};
  const auto cosine = [&](const persona::Tensor& pictures, const persona::Tensor& reference) {
    return (metrics.pair.embed_images(pictures) * metrics.pair.embed_images(reference)).sum(1);
  };
  const auto of_sides = [&](bool own) {
    persona::Tensor sum;
    for (const bool on_right : {false, true}) {
      const auto part =
          cosine(detail::doubled(detail::side(images, on_right)), detail::doubled(halves[own ? on_right : !on_right]));
      sum = sum.defined() ? sum + part : part;
    }
    return sum / 2;
  };
  return {.asked = cosine(images, at::cat({halves[0], halves[1]}, 3)),
          .mirrored = cosine(images, at::cat({halves[1], halves[0]}, 3)),
          .own = of_sides(true),
          .other = of_sides(false)};
}

/// Draws both together and compares the pictures with the photos. Keys:
/// - sides: of prompts that say who is left, the share of pictures that are nearer to the photos side by side in that
///   order than in the other
/// - own, other: of these, cosine of a half to the photo of who was asked for there, and to the other's; apart: their
///   difference
/// - both: cosine of all pictures, sides or not, to the photos side by side in the better order
inline nlohmann::json score_pair(const persona::StableDiffusion& sd, const persona::Learned* learned, const Pair& pair,
                                 const Metrics& metrics, const Drawing& drawing, std::vector<persona::Image>* shown) {
  const auto model = sd.with(learned ? *learned : persona::Learned{});
  std::vector<persona::Tensor> sides, own, other, both;
  std::uint64_t seed = drawing.seed;
  for (const bool swapped : {false, true}) {
    const auto left = pair.called(swapped, learned), right = pair.called(!swapped, learned);
    for (const bool says_sides : {true, false}) {
      const auto prompt = says_sides ? "a " + left + " on the left and a " + right + " on the right"
                                     : "a photo of a " + left + " and a " + right;
      const auto [pictures, images] = draw(model, prompt, drawing, seed += 1000);
      shown->push_back(pictures.front());
      const auto found =
          side_by_side(metrics, images, swapped ? *pair.second : *pair.first, swapped ? *pair.first : *pair.second);
      both.push_back(at::where(found.asked > found.mirrored, found.asked, found.mirrored));
      if (!says_sides) continue;
      sides.push_back((found.asked > found.mirrored).to(at::kFloat));
      own.push_back(found.own), other.push_back(found.other);
    }
  }
  const auto mean = [](const std::vector<persona::Tensor>& parts) { return at::cat(parts).mean().item<double>(); };
  return {{"sides", mean(sides)},
          {"own", mean(own)},
          {"other", mean(other)},
          {"apart", mean(own) - mean(other)},
          {"both", mean(both)}};
}

/// What the cells lack of these settings: learned, drawn and scored. `pairs` must outlive the work.
inline std::vector<Work> pair_work(const Workshop& workshop, const std::vector<Setting>& settings,
                                   const std::vector<Pair>& pairs) {
  std::vector<Work> list;
  for (const Pair& pair : pairs)
    for (const Setting& setting : settings) {
      if (!workshop.lacks(setting, pair.id())) continue;
      list.push_back(work_for(workshop, setting, pair.id(), [&, setting](const std::function<void()>& tick) {
        std::vector<persona::Image> shown{pair.first->photo, pair.second->photo};
        const auto score = [&](const auto& sd, const persona::Learned* learned) {
          workshop.keep(setting, pair.id(), score_pair(sd, learned, pair, workshop.metrics, workshop.drawing, &shown),
                        shown);
        };
        if (setting == untrained_pair) return score(workshop.sd, nullptr), tick();
        const persona::TrainOptions options{
            .steps = setting.steps, .batch = 2, .seed = workshop.training.seed, .cache = workshop.pictures / "cache"};
        const auto run = pair_methods().at(setting.method)(workshop.sd, pair, setting.lr, options);
        for (const persona::Step& step : run) (void)step, tick();
        run.session().expect_finite_leaves();
        const auto learned = run.learned();
        const persona::Learned rows{.rows = learned.rows};
        score(persona::bake(workshop.sd, learned), &rows);
      }));
    }
  return list;
}

}  // namespace tables
