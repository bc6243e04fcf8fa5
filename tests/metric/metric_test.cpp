#include "support/catch.hpp"

#include <persona/metric.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

using persona::Tensor;

/// Features by hand: image i is full of the number i, and a text is the digit that it says.
struct Table {
  Tensor rows{};
  Tensor pick(const Tensor& index) const { return rows.index_select(0, index); }
  Tensor embed_images(const Tensor& images) const { return pick(images.flatten(1).select(1, 0).to(at::kLong)); }
  Tensor embed_texts(std::span<const std::string> texts) const {
    std::vector<std::int64_t> index;
    for (const auto& text : texts) index.push_back(std::stoll(text));
    return pick(at::tensor(index, at::kLong));
  }
};
struct Recognizer : Table {
  std::int64_t faceless = -1;
  persona::Faces recognize(const Tensor& images) const {
    const auto index = images.flatten(1).select(1, 0).to(at::kLong);
    return {.features = pick(index), .found = index != faceless};
  }
};

Tensor images(const std::vector<double>& numbers) {
  return at::tensor(numbers, at::kFloat).view({-1, 1, 1, 1}).expand({-1, 3, 4, 4}).contiguous();
}

const Table table{at::tensor({3.0, 0.0, 0.0, 5.0, -2.0, 0.0, 1.0, 1.0}, at::kFloat).view({4, 2})};
const double diagonal = std::sqrt(0.5);

static_assert(persona::ImageTextEmbedder<Table> && !persona::FaceRecognizer<Table>);
static_assert(persona::FaceRecognizer<Recognizer>);

}  // namespace

TEST_CASE("a score is a mean with its standard error") {
  const auto score = persona::score_of(at::tensor({1.0, 2.0, 3.0, 6.0}), 2);
  CHECK(score.mean == Approx(3));
  CHECK(score.standard_error == Approx(std::sqrt(14.0 / 3 / 4)));
  CHECK(score.count == 4);
  CHECK(score.left_out == 2);
  CHECK(persona::score_of(at::tensor({5.0})).mean == Approx(5));
  CHECK(std::isnan(persona::score_of(at::tensor({5.0})).standard_error));
  CHECK(std::isnan(persona::score_of(at::zeros({0})).mean));
  CHECK_THROWS_WITH(persona::score_of(at::zeros({2, 2})), Catch::Contains("one value an image"));
}

TEST_CASE("identity: the mean cosine to the photos; an image without a face is left out and counted, or zero") {
  const Recognizer recognizer{{table}, 2};
  const auto photos = images({0, 3, 2});  // the last shows no face
  const auto drawn = images({0, 1, 2});
  const auto score = persona::identity_similarity(recognizer, drawn, photos);
  CHECK(score.mean == Approx(((1 + diagonal) / 2 + diagonal / 2) / 2));
  CHECK(score.count == 2);
  CHECK(score.left_out == 1);
  const auto strict = persona::identity_similarity(recognizer, drawn, photos, persona::NoFace::zero);
  CHECK(strict.mean == Approx(score.mean * 2 / 3));
  CHECK(strict.count == 3);
  CHECK(persona::identity_similarity(recognizer, images({2}), photos).count == 0);
  CHECK_THROWS_WITH(persona::identity_similarity(recognizer, drawn, images({2})), Catch::Contains("no face in any"));
  struct EveryFace {  // one row a face, as detectors give them
    persona::Faces recognize(const Tensor& x) const { return {at::ones({x.size(0) + 1, 2}), {}}; }
  };
  CHECK_THROWS_WITH(persona::identity_similarity(EveryFace{}, drawn, photos), Catch::Contains("[4, 2] for 3 photos"));
  struct FoundLess {
    persona::Faces recognize(const Tensor& x) const { return {at::ones({x.size(0), 2}), at::ones({1}, at::kBool)}; }
  };
  CHECK_THROWS_WITH(persona::identity_similarity(FoundLess{}, drawn, photos), Catch::Contains("one answer an image"));
}

TEST_CASE("CLIP scores: the cosine of image and text, on either scale, and of image and photos") {
  const std::vector<std::string> texts{"0", "3", "0"};
  const auto drawn = images({0, 1, 2});
  const auto plain = persona::clip_text_score(table, drawn, texts);
  CHECK(plain.mean == Approx((1 + diagonal - 1) / 3));
  const auto scaled = persona::clip_text_score(table, drawn, texts, persona::ClipScale::clipscore);
  CHECK(scaled.mean == Approx(2.5 * (1 + diagonal) / 3));
  const std::vector<std::string> one{"1"};
  CHECK(persona::clip_text_score(table, drawn, one).mean == Approx(1.0 / 3));
  CHECK(persona::clip_image_score(table, images({0, 2}), images({3, 1})).mean == Approx(0.0).margin(1e-6));
  CHECK(persona::clip_image_score(table, images({3}), images({0, 1})).mean == Approx(diagonal));
  CHECK_THROWS_WITH(persona::clip_text_score(table, drawn, std::vector<std::string>{"0", "1"}),
                    Catch::Contains("3 images and 2 texts"));
  struct DropsOne {
    Tensor embed_images(const Tensor& x) const { return table.embed_images(x.slice(0, 1)); }
    Tensor embed_texts(std::span<const std::string> texts) const { return table.embed_texts(texts); }
  };
  CHECK_THROWS_WITH(persona::clip_text_score(DropsOne{}, drawn, texts),
                    Catch::Contains("gave features of [2, 2] for 3 images"));
  CHECK_THROWS_WITH(persona::clip_image_score(DropsOne{}, drawn, drawn), Catch::Contains("features of [2, 2] for 3"));
}

TEST_CASE("perceptual distance: 0 of an image from itself, by hand for one layer, weighted by channel") {
  struct Pyramid {
    std::vector<Tensor> feature_maps(const Tensor& x) const { return {x, x.slice(2, 0, 1).slice(3, 0, 1) * 7}; }
  };
  auto a = at::zeros({2, 3, 2, 2}), b = at::zeros({2, 3, 2, 2});
  a.select(1, 0).fill_(2), b.select(1, 1).fill_(5);  // unit vectors e0 and e1 at every pixel: squared distance 2
  CHECK(persona::perceptual_distance(Pyramid{}, a, a).mean == Approx(0).margin(1e-9));
  CHECK(persona::perceptual_distance(Pyramid{}, a, b).mean == Approx(4));
  const std::vector<Tensor> weights{at::tensor({0.5, 0.25, 9.0}), at::tensor({0.0, 1.0, 0.0})};
  CHECK(persona::perceptual_distance(Pyramid{}, a, b, weights).mean == Approx(0.75 + 1));
  CHECK_THROWS_WITH(persona::perceptual_distance(Pyramid{}, a, b.slice(0, 0, 1)), Catch::Contains("as many"));
  struct Blind {
    std::vector<Tensor> feature_maps(const Tensor&) const { return {}; }
  };
  CHECK_THROWS_WITH(persona::perceptual_distance(Blind{}, a, b), Catch::Contains("0 and 0 feature maps"));
  struct Flat {
    std::vector<Tensor> feature_maps(const Tensor& x) const { return {x.flatten(1)}; }
  };
  CHECK_THROWS_WITH(persona::perceptual_distance(Flat{}, a, b), Catch::Contains("a feature map"));
  CHECK_THROWS_WITH(persona::perceptual_distance(Pyramid{}, a, b, {at::ones({3})}), Catch::Contains("2 layers"));
  CHECK_THROWS_WITH(persona::perceptual_distance(Pyramid{}, a, b, {at::ones({3}), at::ones({2})}),
                    Catch::Contains("channel_weights"));
}

TEST_CASE("probe accuracy: what is not asked is passed over") {
  struct Probe {
    Tensor answers(const Tensor& x) const {
      return at::tensor({1, 2, 3, 1, 0, 3, 0, 0, 0}, at::kLong).view({3, 3}).slice(0, 0, x.size(0));
    }
  };
  constexpr auto no = persona::not_asked;
  const auto truth =
      at::tensor({std::int64_t{1}, std::int64_t{2}, no, std::int64_t{2}, no, std::int64_t{3}, no, no, no}, at::kLong)
          .view({3, 3});
  const auto score = persona::probe_accuracy(Probe{}, images({0, 1, 2}), truth);
  CHECK(score.mean == Approx((1 + 0.5) / 2));
  CHECK(score.count == 2);
  CHECK(score.left_out == 1);
  CHECK_THROWS_WITH(persona::probe_accuracy(Probe{}, images({0}), truth), Catch::Contains("probe_accuracy: truth"));
  struct OneEach {
    Tensor answers(const Tensor& x) const { return at::zeros({x.size(0)}, at::kLong); }
  };
  CHECK_THROWS_WITH(persona::probe_accuracy(OneEach{}, images({0, 1, 2}), truth),
                    Catch::Contains("probe_accuracy: answers"));
}
