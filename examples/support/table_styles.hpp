#pragma once
// Held-out styles, each learned from four pictures (general concepts of Cross Initialization's appendix C).

#include "support/table_plan.hpp"
#include "support/table_runs.hpp"
#include "toyland/style_contents.hpp"

#include <persona/data/crop.hpp>

#include <array>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace tables {

inline const std::filesystem::path styles_folder = PERSONA_SOURCE "/examples/toyland/photos/styles";

/// The starts that are compared, by name; "style_untrained" draws with the word "painting" itself.
inline const SubjectMethods& style_methods() {
  using namespace persona;
  using Options = TrainOptions;
  static const SubjectMethods all{
      {"style_ti", [](const auto& sd, const auto& s, double lr,
                      const Options& o) { return personalize(sd, s, textual_inversion({}, lr), o); }},
      {"style_ci", [](const auto& sd, const auto& s, double lr,
                      const Options& o) { return personalize(sd, s, cross_initialization({s.class_word}, lr), o); }},
      {"style_ci_near", [](const auto& sd, const auto& s, double lr, const Options& o) {
         return personalize(sd, s, cross_initialization_near({}, lr), o);
       }}};
  return all;
}

/// A held-out style and where it stands among all.
struct StyleSubject {
  std::string name{};
  std::int64_t index = 0;
  std::string id() const { return "style_" + name; }
  persona::Subject subject() const {
    persona::Subject subject{
        .token = "<one>", .class_word = "painting", .captions = {.templates = persona::TemplateSet::style}};
    for (int i = 0; i < toyland::style_photo_count; ++i) {
      const auto file = name + "_" + std::to_string(i);
      subject.photos.push_back({.image = persona::read_image(styles_folder / (file + ".png")), .name = file});
    }
    return subject;
  }
};
inline std::vector<StyleSubject> style_subjects(std::size_t most) {
  std::vector<StyleSubject> list;
  for (const auto name : toyland::held_out_style_names)
    if (list.size() < most) list.push_back({std::string(name), toyland::count_of<toyland::Style> + std::ssize(list)});
  return list;
}
inline std::vector<std::string> ids(const std::vector<StyleSubject>& list) {
  std::vector<std::string> names;
  for (const auto& one : list) names.push_back(one.id());
  return names;
}

/// Pictures as style and content are told by: means and deviations of the picture tower's feature maps, which say how a
/// picture is drawn, and its embedding, which says what it shows.
struct StyleFeatures {
  persona::Tensor manner{}, meaning{};  ///< [N, F], [N, D]; of renders [contents, renders, styles, .]
};
inline StyleFeatures style_features(const Metrics& metrics, const persona::Tensor& images) {
  std::vector<persona::Tensor> parts;
  for (const auto& map : metrics.pair.feature_maps(images)) {
    const auto flat = map.flatten(2);
    parts.push_back(flat.mean(2)), parts.push_back(flat.std(2));
  }
  return {.manner = at::cat(parts, 1), .meaning = metrics.pair.embed_images(images)};
}

/// The renders of every content in every style.
inline StyleFeatures style_renders(const Metrics& metrics) {
  constexpr std::int64_t size = toyland::image_size;
  std::vector<persona::Tensor> pictures;
  for (std::size_t c = 0; c < toyland::style_contents.size(); ++c) {
    const auto sheet = persona::read_image(styles_folder / ("content_" + std::to_string(c) + ".png"));
    for (std::int64_t r = 0; r < toyland::renders_per_style; ++r)
      for (std::int64_t s = 0; s < toyland::all_styles; ++s)
        pictures.push_back(persona::to_tensor(persona::crop(sheet, s * size, r * size, size, size)));
  }
  const std::int64_t contents = std::ssize(toyland::style_contents);
  const auto found = style_features(metrics, at::stack(pictures));
  const auto shaped = [&](const persona::Tensor& rows) {
    return rows.reshape({contents, toyland::renders_per_style, toyland::all_styles, -1});
  };
  return {.manner = shaped(found.manner), .meaning = shaped(found.meaning)};
}

/// Tells styles and contents by their renders.
class StyleJudge {
 public:
  explicit StyleJudge(const StyleFeatures& renders) {
    const auto rows = renders.manner.flatten(0, 2);
    mean_ = rows.mean(0), deviation_ = rows.std(0) + 1e-6;
    manner_ = unit(((renders.manner - mean_) / deviation_).mean(1)), meaning_ = unit(renders.meaning.mean(1));
  }
  /// Of pictures of a content, one a row: whether each is nearest to this style among all in which that content is
  /// rendered, whether to this content among all that are rendered in this style, and the cosine to what is asked for.
  struct Found {
    persona::Tensor style{}, content{}, near{};
  };
  Found find(const StyleFeatures& pictures, std::int64_t content, std::int64_t style) const {
    const auto manner = unit((pictures.manner - mean_) / deviation_);
    return {.style = manner.matmul(manner_[content].t()).argmax(1) == style,
            .content = pictures.meaning.matmul(meaning_.select(1, style).t()).argmax(1) == content,
            .near = pictures.meaning.matmul(meaning_[content][style])};
  }

 private:
  static persona::Tensor unit(const persona::Tensor& rows) {
    return rows / at::linalg_vector_norm(rows, 2, {-1}, true);
  }
  persona::Tensor mean_, deviation_, manner_, meaning_;
};

/// Draws the contents in the style and scores the pictures. Keys:
/// - style: share of pictures that, among the renders of the content asked for in all thirteen styles, are nearest to
///   the learned one, by means and deviations of feature maps
/// - content: share of pictures that, among the renders of all contents in the learned style, are nearest to the one
///   asked for
/// - near: cosine to the render of this content in this style
/// - text: cosine of picture and prompt, which says no style
inline nlohmann::json score_style(const persona::StableDiffusion& sd, const persona::Learned& learned,
                                  const StyleSubject& one, const std::string& word, const Metrics& metrics,
                                  const Drawing& drawing, std::vector<persona::Image>* shown,
                                  const std::function<void()>& tick) {
  const auto model = sd.with(learned);
  const StyleJudge judge(style_renders(metrics));
  std::vector<persona::Tensor> style, content, near;
  double text = 0;
  for (std::size_t c = 0; c < toyland::style_contents.size(); ++c) {
    const auto& asked = toyland::style_contents[c];
    const auto [pictures, images] =
        draw(model, persona::fill_template(asked.prompt, word), drawing, drawing.seed + 1000 * c);
    shown->push_back(pictures.front());
    const auto found = judge.find(style_features(metrics, images), static_cast<std::int64_t>(c), one.index);
    style.push_back(found.style), content.push_back(found.content), near.push_back(found.near);
    text += persona::clip_text_score(metrics.pair, images, std::array{std::string(asked.bare)}).mean;
    tick();
  }
  const auto mean = [](const std::vector<persona::Tensor>& parts) {
    return at::cat(parts).to(at::kFloat).mean().item<double>();
  };
  return {{"style", mean(style)},
          {"content", mean(content)},
          {"near", mean(near)},
          {"text", text / static_cast<double>(toyland::style_contents.size())}};
}

inline const Setting untrained_style{"style_untrained", 0, 0};

/// Every start at every rate of the rivals' grid, and none.
inline std::vector<Setting> style_settings(const Plan& plan) {
  std::vector<std::string> methods;
  for (const auto& [method, begin] : style_methods()) methods.push_back(method);
  auto all = plan.rivals_grid.of(methods);
  all.insert(all.begin(), untrained_style);
  return all;
}

/// What the cells lack of these settings: learned, drawn and scored.
inline std::vector<Work> style_work(const Workshop& workshop, const std::vector<Setting>& settings,
                                    const std::vector<StyleSubject>& styles) {
  std::vector<Work> list;
  for (const StyleSubject& one : styles)
    for (const Setting& setting : settings) {
      if (!workshop.lacks(setting, one.id())) continue;
      auto work = work_for(workshop, setting, one.id(), [&workshop, one, setting](const std::function<void()>& tick) {
        const auto subject = one.subject();
        std::vector<persona::Image> shown{subject.photos.front().image};
        const auto keep = [&](const persona::Learned& learned, const std::string& word) {
          workshop.keep(setting, one.id(),
                        score_style(workshop.sd, learned, one, word, workshop.metrics, workshop.drawing, &shown, tick),
                        shown);
        };
        if (setting == untrained_style) return keep({}, subject.class_word);
        const auto run = style_methods().at(setting.method)(workshop.sd, subject, setting.lr,
                                                            {.steps = setting.steps,
                                                             .batch = workshop.training.things_batch,
                                                             .seed = workshop.training.seed,
                                                             .cache = workshop.pictures / "cache"});
        for (const persona::Step& step : run) (void)step, tick();
        run.session().expect_finite_leaves();
        keep({.rows = run.learned().rows}, subject.token);
      });
      work.steps = setting.steps + std::ssize(toyland::style_contents);
      list.push_back(std::move(work));
    }
  return list;
}

}  // namespace tables
