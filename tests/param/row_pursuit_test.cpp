// pursue_rows: which rows a greedy search takes, and when it stops.

#include "support/catch.hpp"

#include <ATen/ops/diag.h>
#include <persona/core/random.hpp>
#include <persona/param/row_pursuit.hpp>

#include <algorithm>
#include <numeric>
#include <set>

namespace {
using persona::pursue_rows;
using persona::Tensor;
using Ids = std::vector<std::int64_t>;

double captured(const Tensor& table, const Tensor& targets, const Ids& ids) {
  persona::RowSpan span(table.size(1));
  for (const auto id : ids) span.add(table[id]);
  return span.project(targets).square().sum().item<double>() / targets.to(at::kDouble).square().sum().item<double>();
}
Tensor random(std::vector<std::int64_t> shape, std::uint64_t seed) {
  return at::randn(shape, persona::Random(seed).on_host(persona::Stream::initialization), at::kFloat);
}
}  // namespace

TEST_CASE("among orthogonal rows the ones that make up the target are found, the largest share first") {
  const auto table = at::diag(at::arange(1, 9, at::kFloat));  // lengths do not matter
  const auto target = at::zeros({1, 8});
  target[0][2] = 3.0f, target[0][5] = -4.0f, target[0][7] = 1.0f;
  CHECK(pursue_rows(table, target, 1 - 1e-9, {}, {}, 8) == Ids{5, 2, 7});
  CHECK(pursue_rows(table, target, 0.9, {}, {}, 8) == Ids{5, 2});
  CHECK(pursue_rows(table, target, 0.9, {0}, {5}, 8) == Ids{0, 2, 7});  // what is excluded cannot be made up for
  CHECK(pursue_rows(table, target, 1 - 1e-9, {}, {}, 2) == Ids{5, 2});
}

TEST_CASE("as few rows as the share asks for, fewer than in any order that does not look") {
  const auto table = random({400, 32}, 1), targets = random({2, 32}, 2);
  std::size_t last = 0;
  for (const double share : {0.5, 0.8, 0.95}) {
    const auto ids = pursue_rows(table, targets, share, {7}, {3}, 32);
    CHECK(ids.front() == 7);
    CHECK(std::set<std::int64_t>(ids.begin(), ids.end()).size() == ids.size());
    CHECK(std::ranges::find(ids, 3) == ids.end());
    CHECK(ids.size() > last);
    last = ids.size();
    // random lengths: each target counts alike, so that the share holds on average alone
    CHECK(captured(table, targets, ids) > share - 0.05);
    CHECK(captured(table, targets, Ids(ids.begin(), ids.end() - 1)) < share + 0.05);
    Ids in_order(ids.size());
    std::iota(in_order.begin(), in_order.end(), 0);
    CHECK(captured(table, targets, in_order) < 0.8 * captured(table, targets, ids));
  }
}
