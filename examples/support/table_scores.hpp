#pragma once
// What the tables ask of a learned person or thing: the prompts, what each of them settles, and the scores.

#include "support/toyland_metrics.hpp"

#include <persona/images.hpp>
#include <persona/persona.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace tables {

using toyland::Answers;
using toyland::Expression;
using toyland::Garment;
using toyland::Place;
using toyland::Style;

/// Somebody or something to learn: one photo, and what is true of it.
struct Specimen {
  std::string id{};          ///< "person_07", "thing_03"
  std::string class_word{};  ///< "person", "cat"
  persona::Image photo{};
  Answers truth{};  ///< of the photo

  bool is_person() const { return class_word == "person"; }
};

/// The maker's held-out people or things: PNGs, and index.json beside them.
inline std::vector<Specimen> read_specimens(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(PERSONA_SOURCE "/examples/toyland/photos") / folder;
  std::vector<Specimen> list;
  for (const auto& entry : nlohmann::json::parse(std::ifstream(path / "index.json"))) {
    Specimen one{.id = entry.at("id"), .class_word = entry.at("class")};
    one.photo = persona::read_image(path / (one.id + ".png"));
    const auto truth = entry.at("answers").get<std::vector<int>>();
    if (truth.size() != one.truth.size()) throw persona::Error(path.string(), "index.json is of another world");
    std::copy(truth.begin(), truth.end(), one.truth.begin());
    list.push_back(std::move(one));
  }
  return list;
}

/// A prompt and the answers that it settles; `{}` is the learned thing.
struct Prompt {
  std::string text{};
  Place place = Place::count;
  Expression expression = Expression::count;
  Garment garment = Garment::count;
  Style style = Style::photo;
  bool two = false;  ///< with somebody whom the model knows

  bool is_photo() const { return style == Style::photo; }
  /// The thing stands alone in a photo.
  bool is_alone() const { return is_photo() && !two; }
  /// What a picture of the prompt should be told to show, the subject's own traits left out.
  Answers wanted(bool person) const {
    Answers all;
    all.fill(toyland::no_answer);
    if (place != Place::count) all[toyland::place_question] = static_cast<int>(place);
    if (expression != Expression::count) all[toyland::expression_question] = static_cast<int>(expression);
    if (garment != Garment::count) all[toyland::garment_question] = static_cast<int>(garment);
    all[toyland::style_question] = static_cast<int>(style);
    const auto count = two ? toyland::Count::two_people : person ? toyland::Count::person : toyland::Count::thing;
    if (is_photo()) all[toyland::count_question] = static_cast<int>(count);
    return all;
  }
};

/// The twenty of Cross Initialization's appendix, its celebrity replaced by one of the 691.
inline const std::vector<Prompt>& person_prompts() {
  static const std::vector<Prompt> all = [] {
    const std::string other = "fulie zamwood";
    return std::vector<Prompt>{
        {"a photo of a {} person"},
        {.text = "a {} person with a sad expression", .expression = Expression::sad},
        {.text = "a {} person with a happy expression", .expression = Expression::happy},
        {.text = "a {} person with a puzzled expression", .expression = Expression::puzzled},
        {.text = "a {} person with an angry expression", .expression = Expression::angry},
        {"a {} person plays the lego toys"},
        {"a {} person on the beach", Place::beach},
        {"a {} person piloting a fighter jet", Place::jet},
        {.text = "a {} person wearing the sweater , a backpack and camping stove , outdoors , raw , ultra high res",
         .garment = Garment::sweater},
        {.text = "a {} person wearing a scifi spacesuit in space",
         .place = Place::space,
         .garment = Garment::spacesuit},
        {.text = "a {} person and " + other + " are baking a birthday cake", .two = true},
        {.text = "a {} person and " + other + " taking a relaxing hike in the mountains",
         .place = Place::mountains,
         .two = true},
        {.text = "a {} person and " + other + " sit on a sofa", .place = Place::sofa, .two = true},
        {.text = "a {} person and " + other + " enjoying a day at an amusement park",
         .place = Place::park,
         .two = true},
        {.text = "a {} person shakes hands with " + other + " in news conference",
         .place = Place::conference,
         .two = true},
        {.text = "cubism painting of a {} person", .style = Style::cubism},
        {.text = "fauvism painting of a {} person", .style = Style::fauvism},
        {.text = "pointillism painting of a {} person", .style = Style::pointillism},
        {.text = "cave mural depicting a {} person", .style = Style::mural},
        {.text = "a {} person latte art", .style = Style::latte}};
  }();
  return all;
}

/// For animals and objects, `{}` being the learned token in the noun's place.
inline const std::vector<Prompt>& thing_prompts() {
  static const std::vector<Prompt> all{{"a photo of a {}"},
                                       {"a {} on the beach", Place::beach},
                                       {"a {} in the snow", Place::snow},
                                       {"a {} in the city", Place::city},
                                       {"a {} on a sofa", Place::sofa},
                                       {"a photo of a {} in space", Place::space},
                                       {.text = "cubism painting of a {}", .style = Style::cubism},
                                       {.text = "a {} latte art", .style = Style::latte}};
  return all;
}
inline const std::vector<Prompt>& prompts_of(const Specimen& one) {
  return one.is_person() ? person_prompts() : thing_prompts();
}

struct Metrics {
  explicit Metrics(const persona::StableDiffusion& sd) : recognizer(probe), pair(sd) {}
  toyland::Probe probe;
  toyland::Recognizer recognizer;
  toyland::TextImagePair pair;
};

/// How pictures are drawn for the tables.
struct Drawing {
  std::int64_t images = 4;  ///< a prompt
  std::int64_t steps = 25;
  double guidance = 3.5;
  std::uint64_t seed = 7;
};

/// Pictures of one prompt, and the same as [N, 3, H, W] in [-1, 1].
struct Drawn {
  std::vector<persona::Image> pictures{};
  persona::Tensor images{};
};
template <class Model>
Drawn draw(const Model& model, const std::string& prompt, const Drawing& drawing, std::uint64_t seed) {
  auto pictures =
      persona::generate(model, std::vector<std::string>(static_cast<std::size_t>(drawing.images), prompt),
                        {.steps = drawing.steps, .guidance = drawing.guidance, .seed = seed, .sampler = "ddim"});
  std::vector<persona::Tensor> stack;
  for (const auto& picture : pictures) stack.push_back(persona::to_tensor(picture));
  return {.pictures = std::move(pictures), .images = at::stack(stack)};
}

inline double share(double right, double asked) { return asked > 0 ? right / asked : std::nan(""); }

/// A prompt with the class word alone: a person goes by "person", which the prompt says already.
inline std::string bare_prompt(const Prompt& prompt, const Specimen& one) {
  auto bare = persona::fill_template(prompt.text, one.is_person() ? "" : one.class_word);
  if (const auto gap = bare.find("  "); gap != std::string::npos) bare.erase(gap, 1);
  return bare;
}

/// What the probe reads off pictures of prompts, against what they ask for and what is true of the thing.
class ProbeScores {
 public:
  explicit ProbeScores(const Specimen& one) : one_(one) {}

  /// The answers to the pictures of one prompt.
  void add(const Prompt& prompt, const std::vector<Answers>& found) {
    const auto wanted = prompt.wanted(one_.is_person());
    const auto place = one_.truth[toyland::place_question];
    for (const Answers& answers : found) {
      for (std::size_t q = 0; q < toyland::question_count; ++q)
        if (wanted[q] != toyland::no_answer) ++asked_[q], right_[q] += answers[q] == wanted[q];
      if (prompt.place != Place::count && static_cast<int>(prompt.place) != place)
        ++leak_asked_, leak_ += answers[toyland::place_question] == place;
      if (prompt.is_alone()) ++traits_asked_, traits_ += toyland::traits_right(one_.truth, answers);
    }
  }
  /// traits, leak, obeyed, and place, expression, garment and count where a prompt asked for one (see score).
  nlohmann::json scores() const {
    nlohmann::json result{{"traits", share(traits_, traits_asked_)}, {"leak", share(leak_, leak_asked_)}};
    for (const auto& [name, q] :
         {std::pair{"place", toyland::place_question}, std::pair{"expression", toyland::expression_question},
          std::pair{"count", toyland::count_question}, std::pair{"garment", toyland::garment_question}})
      if (asked_[q] > 0) result[name] = right_[q] / asked_[q];
    result["obeyed"] =
        std::accumulate(right_.begin(), right_.end(), 0.0) / std::accumulate(asked_.begin(), asked_.end(), 0.0);
    return result;
  }

 private:
  const Specimen& one_;
  double traits_ = 0, traits_asked_ = 0, leak_ = 0, leak_asked_ = 0;
  std::array<double, toyland::question_count> right_{}, asked_{};
};

/// Draws every prompt with the learned thing, of an empty `token` with the class word, and scores the pictures; `shown`
/// gets one picture a prompt, after which `tick` is called. Keys:
/// - identity: recogniser cosine to the photo, over the prompts that ask for no style (people), of pictures with a face
/// - found: the share of these that have one
/// - alone: identity over those of them that ask for nobody else, 0 where no face is found
/// - traits: share of the subject's traits that the probe finds, where it stands alone in a photo
/// - text: cosine of picture and prompt, which says the class word alone
/// - image: cosine of picture and photo, over the plain prompt
/// - place, expression, garment, count: share of the prompts that ask for one in which the probe finds it
/// - obeyed: share of all that the prompts ask for
/// - leak: share of pictures, of prompts that ask for another place, that show the photo's
inline nlohmann::json score(const persona::StableDiffusion& sd, const persona::Learned& learned, const Specimen& one,
                            const std::string& token, const Metrics& metrics, const Drawing& drawing,
                            std::vector<persona::Image>* shown = nullptr, const std::function<void()>& tick = {}) {
  const auto& prompts = prompts_of(one);
  const auto model = sd.with(learned);
  const auto photo = persona::to_tensor(one.photo).unsqueeze(0);
  std::vector<persona::Tensor> with_faces, alone;
  double text = 0, image = 0;
  ProbeScores probed(one);
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const Prompt& prompt = prompts[p];
    const auto [pictures, images] =
        draw(model, token.empty() ? bare_prompt(prompt, one) : persona::fill_template(prompt.text, token), drawing,
             drawing.seed + 1000 * p);
    if (shown) shown->push_back(pictures.front());
    probed.add(prompt, metrics.probe.look(images));
    text += persona::clip_text_score(metrics.pair, images, std::array{bare_prompt(prompt, one)}).mean;
    if (p == 0) image = persona::clip_image_score(metrics.pair, images, photo).mean;
    if (one.is_person() && prompt.is_photo()) with_faces.push_back(images);
    if (one.is_person() && prompt.is_alone()) alone.push_back(images);
    if (tick) tick();
  }
  auto result = probed.scores();
  result["text"] = text / static_cast<double>(prompts.size()), result["image"] = image;
  if (one.is_person()) {
    const auto identity = persona::identity_similarity(metrics.recognizer, at::cat(with_faces), photo);
    result["identity"] = identity.mean;
    result["alone"] =
        persona::identity_similarity(metrics.recognizer, at::cat(alone), photo, persona::NoFace::zero).mean;
    result["found"] =
        share(static_cast<double>(identity.count), static_cast<double>(identity.count + identity.left_out));
  }
  return result;
}

}  // namespace tables
