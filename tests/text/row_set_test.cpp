#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/text/row_set.hpp>

namespace {

using persona::join_rows;
using persona::RowSet;
using persona::Tensor;

Tensor random(at::IntArrayRef shape, std::int64_t key) {
  return at::randn(shape, persona::Random(3).at(persona::Stream::data, key), at::TensorOptions());
}

}  // namespace

TEST_CASE("rows of several tokens are joined, by sample where those of any are") {
  const auto a = random({2, 6}, 0), b = random({1, 6}, 1), by_sample = random({3, 1, 6}, 2);
  const auto joined = join_rows({a, b});
  CHECK(at::equal(joined.rows, at::cat({a, b})));
  CHECK_FALSE(joined.bypass.defined());
  const auto mixed = join_rows({a, by_sample});
  REQUIRE(mixed.rows.sizes() == at::IntArrayRef({3, 3, 6}));
  for (const std::int64_t i : {0, 1, 2}) CHECK(at::equal(mixed.rows[i], at::cat({a, by_sample[i]})));
  CHECK(join_rows({by_sample}).rows.is_same(by_sample));
}

TEST_CASE("a bypass beside rows without one: zeros there; scales that differ are kept by row") {
  const auto a = random({2, 6}, 0), b = random({1, 6}, 1), a_way = random({3, 2, 6}, 2), b_way = random({1, 6}, 3);
  const auto zeros = join_rows({b, {a, a_way, 0.2}});
  REQUIRE(zeros.bypass.sizes() == at::IntArrayRef({3, 3, 6}));
  CHECK(at::equal(zeros.bypass.slice(1, 0, 1), at::zeros({3, 1, 6})));
  CHECK(at::equal(zeros.bypass.slice(1, 1), a_way));
  CHECK(zeros.bypass_scale == 0.2);
  CHECK_FALSE(zeros.bypass_scales.defined());

  const auto both = join_rows({{a, a_way, 0.2}, {b, b_way, 0.3}});
  CHECK(at::equal(both.bypass[2], at::cat({a_way[2], b_way})));
  for (const std::int64_t i : {0, 1, 2})
    CHECK(at::equal(both.bypass_scales[i], at::tensor({0.2f, 0.2f, 0.3f}).view({3, 1})));

  persona::RowSet by_sample{b, b_way, 0};
  by_sample.bypass_scales = at::tensor({0.1f, 0.4f, 0.9f}).view({3, 1, 1});
  const auto all = join_rows({by_sample, {a, a_way, 0.2}});
  REQUIRE(all.bypass_scales.sizes() == at::IntArrayRef({3, 3, 1}));
  CHECK(at::equal(all.bypass_scales.select(2, 0),
                  at::tensor({0.1f, 0.2f, 0.2f, 0.4f, 0.2f, 0.2f, 0.9f, 0.2f, 0.2f}).view({3, 3})));
}
