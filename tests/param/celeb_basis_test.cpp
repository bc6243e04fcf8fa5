// CelebBasis and CelebMapper: the principal directions against a covariance matrix, the forms of the coefficients, and
// gradients by finite differences.

#include "support/catch.hpp"
#include "support/gradients.hpp"

#include <persona/init/mean_of_names.hpp>
#include <persona/param/celeb_basis.hpp>
#include <persona/param/celeb_mapper.hpp>
#include <persona/testing/tiny_model.hpp>

#include <span>
#include <string>
#include <vector>

namespace {

using persona::CelebBasis;
using persona::CelebMapper;
using persona::NameColumns;
using persona::Tensor;
using persona::test::in_double;

const std::vector<std::string> names{"ada lovelace", "grace hopper", "mary hopper", "ada face", "dog cat"};
const std::vector<persona::Subject> subjects{{.token = "<one>", .class_word = "person", .vectors = 2}};
const persona::BindContext context{.subjects = subjects};
const auto& model() {
  static const auto tiny = persona::testing::tiny_model();
  return tiny;
}

void check_gradients(const auto& state) {
  persona::test::check_gradients(state.leaves(), [&] {
    const auto rows = state.rows();
    return (rows.tanh() * at::arange(rows.numel(), rows.options()).view(rows.sizes())).sum();
  });
}

}  // namespace

TEST_CASE("directions are eigenvectors of the names' covariance, of falling variance") {
  const auto basis = persona::NameBasis::of(model(), names, 2, NameColumns::words, 512, "test");
  REQUIRE(basis.means.sizes() == at::IntArrayRef({2, 6}));
  const auto k = basis.directions.size(1);
  CHECK(k == 3);  // first words: ada, grace, mary, dog: four rows span three directions about their mean
  CHECK(at::allclose(basis.means, persona::mean_of_names(model(), names, 2)));
  const auto columns = persona::name_rows(model(), names, 2);
  for (std::int64_t c = 0; c < 2; ++c) {
    const auto rows = columns[static_cast<std::size_t>(c)] - basis.means[c];
    const auto covariance = rows.t().matmul(rows);
    double last = 1e9;
    for (std::int64_t i = 0; i < k; ++i) {
      const auto v = basis.directions[c][i];
      const auto image = covariance.matmul(v);
      const double variance = (image * v).sum().item<double>();
      CHECK(at::allclose(image, variance * v, 1e-3, 1e-5));
      CHECK(variance <= last + 1e-6);
      last = variance;
    }
    CHECK(at::allclose(basis.directions[c].matmul(basis.directions[c].t()), at::ones({k}).diag(), 1e-5, 1e-5));
  }
  CHECK(persona::NameBasis::of(model(), names, 2, NameColumns::words, 2, "test").directions.size(1) == 2);
}

TEST_CASE("coefficients start at the projection: at the mean they are zero, a name's own row comes back") {
  const auto mean = persona::mean_of_names(model(), names, 2);
  const CelebBasis raw{.names = names, .columns = NameColumns::words};
  const auto at_mean = raw.bind(mean, model(), context);
  CHECK(at_mean.coefficients.value.abs().max().item<float>() < 1e-5f);
  CHECK(at::allclose(at_mean.rows(), mean, 1e-4, 1e-5));
  const auto columns = persona::name_rows(model(), names, 2);
  const auto own = at::stack({columns[0][1], mean[1]});
  CHECK(at::allclose(raw.bind(own, model(), context).rows()[0], own[0], 1e-4, 1e-5));

  const CelebBasis unit{.names = names, .columns = NameColumns::words, .unit_norm = true};
  const auto state = unit.bind(mean, model(), context);
  CHECK(at::allclose(at::linalg_vector_norm(state.rows() - mean, 2, {1}), at::ones({2}), 1e-4, 1e-5));
  CHECK(at::equal(state.rows(), unit.bind(mean, model(), context).rows()));
}

TEST_CASE("at length one a row at the mean draws a direction, and leaves the others theirs") {
  const auto mean = persona::mean_of_names(model(), names, 2);
  const auto columns = persona::name_rows(model(), names, 2);
  const auto start = at::stack({mean[0], columns[1][1]});
  const auto rows =
      CelebBasis{.names = names, .columns = NameColumns::words, .unit_norm = true}.bind(start, model(), context).rows();
  const auto direction = columns[1][1] - mean[1];
  CHECK(at::allclose(rows[1] - mean[1], direction / at::linalg_vector_norm(direction), 1e-4, 1e-5));
  CHECK(at::linalg_vector_norm(rows[0] - mean[0]).item<double>() == Approx(1).epsilon(1e-4));
}

TEST_CASE("the mapper's rows are one away from the mean, whatever the feature's length") {
  const auto feature = at::arange(1, 6, at::kFloat);
  const auto mean = persona::mean_of_names(model(), names, 2, NameColumns::words);
  const auto bound = [&](const Tensor& f) {
    return CelebMapper{.names = names, .feature = f, .columns = NameColumns::words}.bind(mean, model(), context);
  };
  const auto state = bound(feature);
  REQUIRE(state.leaves().size() == 2);
  CHECK(state.weight.value.sizes() == at::IntArrayRef({2 * 3, 5}));
  CHECK(at::allclose(at::linalg_vector_norm(state.rows() - mean, 2, {1}), at::ones({2}), 1e-4, 1e-5));
  CHECK(at::allclose(state.rows(), bound(feature * 7).rows(), 1e-4, 1e-5));
  CHECK_FALSE(at::allclose(state.rows(), bound(feature.flip({0})).rows(), 1e-2, 1e-2));
}

TEST_CASE("what a mapper learned goes on as coefficients, from the very rows") {
  const auto mean = persona::mean_of_names(model(), names, 2, NameColumns::words);
  const auto mapper =
      CelebMapper{.names = names, .feature = at::arange(1, 6, at::kFloat), .columns = NameColumns::words}.bind(
          mean, model(), context);
  const auto basis = CelebBasis{.names = names, .columns = NameColumns::words, .unit_norm = true}.bind(
      mapper.rows().detach(), model(), context);
  CHECK(at::allclose(basis.rows(), mapper.rows(), 1e-4, 1e-5));
}

TEST_CASE("each of several subjects has its own feature and its own numbers; the first's are those of the seed") {
  const auto mean = persona::mean_of_names(model(), names, 2, NameColumns::words);
  const std::vector<persona::Subject> both(2);
  const auto features = at::stack({at::arange(1, 6, at::kFloat), at::arange(6, 1, -1, at::kFloat)});
  const auto bound = [&](const Tensor& feature, std::span<const persona::Subject> all, std::size_t subject) {
    return CelebMapper{.names = names, .feature = feature, .columns = NameColumns::words}.bind(
        mean, model(), persona::BindContext{.subjects = all, .subject = subject, .random = persona::Random(4)});
  };
  const auto first = bound(features, both, 0), second = bound(features, both, 1);
  CHECK(at::allclose(second.feature, features[1] / at::linalg_vector_norm(features[1])));
  CHECK_FALSE(at::equal(first.weight.value, second.weight.value));
  const auto alone = bound(features[0], subjects, 0);
  CHECK(at::equal(first.weight.value, alone.weight.value));
  CHECK(at::equal(first.feature, alone.feature));
  CHECK(at::equal(alone.weight.value, at::randn({6, 5}, persona::Random(4).on_host(persona::Stream::initialization))));
  CHECK(at::equal(bound(features.slice(0, 0, 1), subjects, 0).feature, alone.feature));
  CHECK_THROWS_WITH(bound(features[0], both, 0),
                    Catch::Contains("shape [5] for 2 subjects") && Catch::Contains("[N, F]"));
  CHECK_THROWS_WITH(bound(features, subjects, 0), Catch::Contains("shape [2, 5] for 1 subject ("));
  CHECK_THROWS_WITH(bound(features.unsqueeze(0), both, 0), Catch::Contains("shape [1, 2, 5] for 2 subjects"));

  const auto unit = [&](std::size_t subject) {
    return CelebBasis{.names = names, .columns = NameColumns::words, .unit_norm = true}.bind(
        mean, model(), persona::BindContext{.subjects = both, .subject = subject});
  };
  CHECK_FALSE(at::allclose(unit(0).rows(), unit(1).rows(), 1e-2, 1e-2));  // a direction is drawn at the mean
}

TEST_CASE("gradients of coefficients and of the mapper by finite differences") {
  const auto mean = persona::mean_of_names(model(), names, 2, NameColumns::words);
  for (const bool unit_norm : {false, true}) {
    auto state = CelebBasis{.names = names, .columns = NameColumns::words, .unit_norm = unit_norm}.bind(
        mean + 0.3, model(), context);
    state.coefficients = in_double(state.coefficients);
    check_gradients(state);
  }
  auto state = CelebMapper{.names = names, .feature = at::arange(1, 6, at::kFloat), .columns = NameColumns::words}.bind(
      mean, model(), context);
  state.weight = in_double(state.weight), state.bias = in_double(state.bias);
  check_gradients(state);
}

TEST_CASE("what cannot be a basis says why") {
  const auto rows = at::zeros({2, 6});
  CHECK_THROWS_WITH(CelebBasis{}.bind(rows, model(), context), Catch::Contains("CelebBasis: no names to start from"));
  CHECK_THROWS_WITH((CelebBasis{.names = {"ada"}, .columns = NameColumns::words}.bind(rows, model(), context)),
                    Catch::Contains("has a part for row 2"));
  CHECK_THROWS_WITH((CelebBasis{.names = {"ada lovelace"}, .columns = NameColumns::words}.bind(rows, model(), context)),
                    Catch::Contains("span nothing"));
  CHECK_THROWS_WITH((CelebBasis{.names = names, .components = 0}.bind(rows, model(), context)),
                    Catch::Contains("0 components"));
  CHECK_THROWS_WITH((CelebMapper{.names = names}.bind(rows, model(), context)), Catch::Contains("no face feature"));
  CHECK_THROWS_WITH((CelebMapper{.names = names, .feature = at::zeros({5})}.bind(rows, model(), context)),
                    Catch::Contains("zero or not finite"));
  CHECK_THROWS_WITH(
      (CelebMapper{.names = names, .feature = at::ones({5}), .components = 1, .columns = NameColumns::words}.bind(
          rows, model(), context)),
      Catch::Contains("one direction"));
}
