#include "support/catch.hpp"

#include "support/toyland_metrics.hpp"

using namespace toyland;

TEST_CASE("the probe reads renders, the recogniser knows faces again, the pair finds the right text", "[toyland]") {
  const auto sd = persona::StableDiffusion::load(PERSONA_SOURCE "/examples/toyland/model");
  const Probe probe;
  CHECK_FALSE(probe.accuracy().empty());
  Dice dice(31, "metrics test");
  std::vector<Picture> pictures;
  std::vector<Answers> truth;
  std::vector<std::string> texts;
  for (int i = 0; i < 64; ++i) {
    const auto example = random_example(dice, {.named = 1, .styled = 0});
    pictures.push_back(render(example)), truth.push_back(answers(example));
    texts.push_back(caption(example, {.fully = true}, dice));
  }
  const auto images = to_tensor(pictures);
  const auto found = probe.look(images);
  Tally tally;
  for (std::size_t i = 0; i < 64; ++i) tally.add(truth[i], found[i]);
  CHECK(tally.overall() > 0.93);
  CHECK(tally.share(count_question) > 0.93);
  CHECK(persona::probe_accuracy(probe, images, Probe::to_tensor_of(truth)).mean > 0.93);

  const TextImagePair pair(sd);
  const auto cosines = pair.embed_images(images).matmul(pair.embed_texts(texts).t());
  const auto right = cosines.argmax(1) == at::arange(64, cosines.options().dtype(at::kLong));
  CHECK(right.to(at::kFloat).mean().item<float>() > 0.8f);

  const Recognizer recognizer(probe);
  std::vector<Picture> first, second, things;
  for (std::size_t i = 0; i < 20; ++i) {
    Scene scene = random_scene(dice, 0), other = random_scene(dice, 0);
    first.push_back(render(unnamed_people()[i], scene)), second.push_back(render(unnamed_people()[i], other));
    things.push_back(render(unseen_things()[i], other));
  }
  const auto a = recognizer.recognize(to_tensor(first)), b = recognizer.recognize(to_tensor(second));
  CHECK(a.found.to(at::kFloat).mean().item<float>() > 0.9f);
  const auto alike = a.features.matmul(b.features.t());
  CHECK((alike.argmax(1) == at::arange(20, alike.options().dtype(at::kLong))).to(at::kFloat).mean().item<float>() >
        0.8f);
  CHECK(recognizer.recognize(to_tensor(things)).found.to(at::kFloat).mean().item<float>() < 0.1f);
}

TEST_CASE("of two people the left one is recognised", "[toyland]") {
  const Probe probe;
  const Recognizer recognizer(probe);
  std::vector<Picture> alone, left, right;
  for (std::size_t i = 0; i < 12; ++i) {
    const Motif one = unnamed_people()[i], other = unnamed_people()[i + 40];
    alone.push_back(render(one, {})), left.push_back(render(one, other, {})), right.push_back(render(other, one, {}));
  }
  const auto photo = to_tensor(alone);
  const auto on_left = persona::identity_similarity(recognizer, to_tensor(left).slice(0, 0, 1), photo.slice(0, 0, 1));
  double sum_left = 0, sum_right = 0;
  for (std::int64_t i = 0; i < 12; ++i) {
    const auto one = photo.slice(0, i, i + 1);
    sum_left +=
        persona::identity_similarity(recognizer, to_tensor(left).slice(0, i, i + 1), one, persona::NoFace::zero).mean;
    sum_right +=
        persona::identity_similarity(recognizer, to_tensor(right).slice(0, i, i + 1), one, persona::NoFace::zero).mean;
  }
  CHECK(on_left.count + on_left.left_out == 1);
  CHECK(sum_left / 12 > 0.5);
  CHECK(sum_right / 12 < 0.4);
}
