#pragma once
// One picture, edited (SVDiff, 3.4): learned with its caption by shifts, by all weights, by LoRA, or not at all, and
// drawn again from its own noise with another caption.

#include "support/table_runs.hpp"

#include <persona/generate/edit.hpp>

#include <string>
#include <vector>

namespace tables {

/// How the picture is learned, by name; "edit_untrained" is not among them.
inline const SubjectMethods& edit_methods() {
  using namespace persona;
  using Options = TrainOptions;
  static const SubjectMethods all{
      {"edit_svdiff", [](const auto& sd, const auto& s, double lr,
                         const Options& o) { return personalize(sd, s, svdiff_single_image(lr), o); }},
      {"edit_all_weights",
       [](const auto& sd, const auto& s, double lr, const Options& o) {
         return personalize(sd, s, FullWeights{} + NoAugmentation{} + AdamW{.lr = lr, .max_grad_norm = 1}, o);
       }},
      {"edit_lora",
       [](const auto& sd, const auto& s, double lr, const Options& o) { return personalize(sd, s, lora(4, lr), o); }}};
  return all;
}

/// Edits the picture and scores what comes out. Keys:
/// - kept: share of the thing's traits that the probe finds, where another place is asked for
/// - obeyed: share of the edits that show the place or style asked for
/// - distance: perceptual distance to the picture (LPIPS-style), over the edits of place
/// - returned: perceptual distance to the picture of what its own caption draws again
template <class Model>
nlohmann::json score_edits(const Model& model, const Specimen& one, const Metrics& metrics, const Drawing& drawing,
                           std::vector<persona::Image>* shown) {
  const auto source = persona::to_tensor(one.photo).unsqueeze(0);
  const auto draw = [&](const std::string& target) {
    const auto picture = persona::edit(model, one.photo, target,
                                       {.sampling = {.steps = drawing.steps,
                                                     .guidance = drawing.guidance,
                                                     .seed = drawing.seed,
                                                     .sampler = "ddim",
                                                     .eta = 0.1}});
    shown->push_back(picture);
    return persona::to_tensor(picture).unsqueeze(0);
  };
  const auto far = [&](const persona::Tensor& picture) {
    return persona::perceptual_distance(metrics.pair, picture, source).mean;
  };
  double kept = 0, obeyed = 0, distance = 0, places = 0, asked = 0;
  for (const Prompt& prompt : thing_prompts()) {
    const bool place = prompt.place != Place::count;
    if (!place && prompt.style == Style::photo) continue;  // the plain prompt is the caption
    if (place && static_cast<int>(prompt.place) == one.truth[toyland::place_question]) continue;
    const auto picture = draw(persona::fill_template(prompt.text, one.class_word));
    const auto answers = metrics.probe.look(picture).front();
    ++asked;
    obeyed += place ? answers[toyland::place_question] == static_cast<int>(prompt.place)
                    : answers[toyland::style_question] == static_cast<int>(prompt.style);
    if (!place) continue;
    ++places, distance += far(picture), kept += toyland::traits_right(one.truth, answers);
  }
  return {{"kept", kept / places},
          {"obeyed", obeyed / asked},
          {"distance", distance / places},
          {"returned", far(draw("a photo of a " + one.class_word))}};
}

/// What the cells lack of these settings: learned, edited and scored. `things` must outlive the work.
inline std::vector<Work> edit_work(const Workshop& workshop, const std::vector<Setting>& settings,
                                   const std::vector<Specimen>& things) {
  std::vector<Work> list;
  for (const Specimen& one : things)
    for (const Setting& setting : settings) {
      if (!workshop.lacks(setting, one.id)) continue;
      list.push_back(work_for(workshop, setting, one.id, [&, setting](const std::function<void()>& tick) {
        std::vector<persona::Image> shown{one.photo};
        const auto score = [&](const auto& model) {
          workshop.keep(setting, one.id, score_edits(model, one, workshop.metrics, workshop.drawing, &shown), shown);
        };
        const auto found = edit_methods().find(setting.method);
        if (found == edit_methods().end()) return score(workshop.sd), tick();
        const persona::Subject subject{.token = "it",
                                       .photos = {{.image = one.photo, .name = one.id}},
                                       .captions = persona::Captions::prompt("a photo of a " + one.class_word)};
        const auto run = found->second(workshop.sd, subject, setting.lr,
                                       {.steps = setting.steps,
                                        .batch = workshop.training.things_batch,
                                        .seed = workshop.training.seed,
                                        .cache = workshop.pictures / "cache"});
        for (const persona::Step& step : run) (void)step, tick();
        run.session().expect_finite_leaves();
        score(persona::bake(workshop.sd, run.learned()));
      }));
    }
  return list;
}

}  // namespace tables
