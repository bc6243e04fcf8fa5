// Low-rank changes, whole weights, and Custom Diffusion's K and V: how they begin, and what their gradients see.

#include "support/catch.hpp"
#include "support/gradients.hpp"

#include <persona/core/random.hpp>
#include <persona/param/cross_attention_kv.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/free_rows.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/low_rank.hpp>

#include <cmath>
#include <memory>
#include <string>

namespace {

using persona::Tensor;
using persona::Weight;
using persona::WeightKind;
using persona::WeightRef;

Tensor random(at::IntArrayRef shape, std::int64_t step, at::ScalarType dtype = at::kFloat) {
  return at::randn(shape, persona::Random(2).at(persona::Stream::data, step), at::TensorOptions().dtype(dtype));
}
WeightRef ref_of(const Tensor& base, std::string name = "block.attn2.to_k.weight") {
  return {.name = std::move(name),
          .host = "unet",
          .kind = base.dim() == 4 ? WeightKind::conv2d : WeightKind::linear,
          .base = base,
          .slot = {}};
}

}  // namespace

TEST_CASE("a low-rank change begins as nothing, with factors that depend on the weight's name alone") {
  const persona::BindContext context;
  for (const auto init : {persona::LowRankInit::gaussian, persona::LowRankInit::uniform, persona::LowRankInit::pissa}) {
    const persona::LowRank lora{.rank = 3, .init = init};
    for (const auto& base : {random({6, 8}, 1), random({6, 4, 3, 3}, 2)}) {
      const auto made = lora.bind(ref_of(base), context), again = lora.bind(ref_of(base), context);
      CHECK(made->value(base).abs().max().item<double>() < 1e-6);
      CHECK(made->value(base).sizes() == base.sizes());
      CHECK(at::equal(made->a(), again->a()));
      CHECK(made->a().size(0) == 3);
      CHECK(made->b().sizes() == at::IntArrayRef{6, 3});
      if (init != persona::LowRankInit::pissa)
        CHECK_FALSE(at::equal(made->a(), lora.bind(ref_of(base, "another.weight"), context)->a()));
    }
  }
  const persona::LowRank wide{.rank = 64};
  const auto base = random({400, 500}, 3);
  const auto gaussian = wide.bind(ref_of(base), context)->a();
  CHECK(gaussian.std().item<double>() == Approx(1.0 / 64).epsilon(0.02));
  const auto uniform = persona::LowRank{.rank = 64, .init = persona::LowRankInit::uniform}.bind(ref_of(base), context);
  CHECK(uniform->a().abs().max().item<double>() <= 1 / std::sqrt(500.0));
  CHECK(uniform->a().abs().max().item<double>() > 0.99 / std::sqrt(500.0));
}

TEST_CASE("the scale is alpha / r, or alpha / sqrt(r)") {
  CHECK(persona::LowRank{.rank = 8}.scale() == 1);
  CHECK(persona::LowRank{.rank = 8, .alpha = 4}.scale() == 0.5);
  CHECK(persona::LowRank{.rank = 4, .alpha = 4, .rank_stabilized = true}.scale() == 2);
}

TEST_CASE("low-rank changes learn at a share of the rate where they are told so") {
  const persona::BindContext context;
  for (const double share : {1.0, 0.1}) {
    for (const auto& leaf : persona::LowRank{.lr_scale = share}.bind(ref_of(random({4, 8}, 1)), context)->leaves())
      CHECK(leaf.lr_scale == share);
    const auto leaves = persona::DoRA{{.lr_scale = share}}.bind(ref_of(random({4, 8}, 1)), context)->leaves();
    CHECK(leaves.size() == 3);
    for (const auto& leaf : leaves) CHECK(leaf.lr_scale == share);
  }
  CHECK_THROWS_WITH(persona::LowRank{.lr_scale = -1}.bind(ref_of(random({4, 8}, 1)), context),
                    Catch::Contains(".lr_scale"));
}

TEST_CASE("gradients of low-rank changes against finite differences") {
  const auto base = random({5, 7}, 1, at::kDouble), x = random({3, 7}, 2, at::kDouble);
  auto a = persona::test::in_double(persona::make_leaf("lora_A", random({2, 7}, 3)));
  auto b = persona::test::in_double(persona::make_leaf("lora_B", random({5, 2}, 4)));
  const Weight weight{
      .base = base, .replacement = {}, .deltas = {std::make_shared<persona::LowRankFactors>(a, b, 0.7)}};
  persona::test::check_gradients({a, b}, [&] { return weight.linear(x, {}).square().sum(); });
}

TEST_CASE("gradients of whole weights and of free rows against finite differences") {
  const auto base = random({5, 7}, 1, at::kDouble), x = random({3, 7}, 2, at::kDouble);
  const auto whole = persona::test::in_double(persona::make_leaf("weight", base));
  const Weight weight{.base = base, .replacement = std::make_shared<persona::FullWeight>(whole), .deltas = {}};
  persona::test::check_gradients({whole}, [&] { return weight.linear(x, {}).square().sum(); });
  const persona::FreeRows::State rows{persona::test::in_double(persona::make_leaf("rows", random({2, 7}, 3)))};
  persona::test::check_gradients(rows.leaves(), [&] { return rows.rows().matmul(x.t()).square().sum(); });
}

TEST_CASE("a change of no rank, or of a weight without one, is refused with a sentence") {
  const persona::BindContext context;
  CHECK_THROWS_WITH(persona::LowRank{.rank = 0}.bind(ref_of(random({4, 4}, 1)), context),
                    Catch::Contains("unet.block.attn2.to_k.weight") && Catch::Contains(".rank is 0"));
  CHECK_THROWS_WITH(
      (persona::LowRank{.rank = 5, .init = persona::LowRankInit::pissa}.bind(ref_of(random({4, 8}, 1)), context)),
      Catch::Contains("between 1 and 4"));
  CHECK_THROWS_WITH(persona::LowRank{}.bind(ref_of(random({4}, 1)), context), Catch::Contains("1 axes"));
  CHECK_THROWS_WITH(persona::DoRA{{.init = persona::LowRankInit::pissa}}.bind(ref_of(random({4, 4}, 1)), context),
                    Catch::Contains("DoRA"));
}

TEST_CASE("DoRA begins as the base where a row is zero") {
  auto base = random({4, 6}, 1);
  base[2].zero_();
  const auto made = persona::DoRA{{.rank = 2}}.bind(ref_of(base), {});
  CHECK(at::allclose(made->value(base), base, 1e-5, 1e-6));
  const auto x = random({3, 6}, 2);
  CHECK(at::allclose(made->linear(x, base, {}), at::linear(x, base), 1e-5, 1e-6));
}

// From the base on it has not: its own outputs are rounded, and 1.002 of them round to the same.
TEST_CASE("in bf16 a magnitude of DoRA that has grown by 0.05 and grows by 0.002 has its effect") {
  const at::NoGradGuard no_grad;
  const auto base = random({24, 32}, 1).to(at::kBFloat16), kernel = random({12, 4, 3, 3}, 3).to(at::kBFloat16);
  const auto check = [](const auto& made, const auto& call) {
    Tensor(made->leaves().back().value).mul_(1.05);
    const Tensor before = call(*made).to(at::kDouble);
    Tensor(made->leaves().back().value).mul_(1.002);
    const Tensor change = call(*made).to(at::kDouble) - before;
    CHECK(((change * before).sum() / before.square().sum()).template item<double>() == Approx(0.002).epsilon(0.2));
  };
  const auto x = random({400, 32}, 2).to(at::kBFloat16), picture = random({2, 4, 20, 20}, 4).to(at::kBFloat16);
  check(persona::DoRA{{.rank = 2}}.bind(ref_of(base), {}), [&](const auto& of) { return of.linear(x, base, {}); });
  check(persona::DoRA{{.rank = 2}}.bind(ref_of(kernel), {}),
        [&](const auto& of) { return of.conv2d(picture, kernel, {}, {1, 1}); });
}

TEST_CASE("a whole weight begins as the base, in fp32, whatever the layer computes in") {
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const auto base = random({4, 6}, 1).to(dtype);
    const auto full = persona::FullWeights{}.bind(ref_of(base), {});
    CHECK(full->leaves()[0].value.scalar_type() == at::kFloat);
    CHECK(at::equal(full->value(base), base));
    const auto x = random({2, 6}, 2).to(dtype);
    CHECK(at::equal(full->linear(x, base, {}), at::linear(x, base)));
  }
}

TEST_CASE("Custom Diffusion: the start token's keys and values give no gradient, and have their value") {
  const auto base = random({4, 6}, 1);
  const auto kv = persona::CrossAttentionKV{}.bind(ref_of(base), {});
  auto x = random({2, 5, 6}, 2).set_requires_grad(true);
  const auto y = kv->linear(x, base, {});
  CHECK(at::allclose(y, at::linear(x, base)));
  y.sum().backward();
  CHECK((x.grad().select(1, 0) == 0).all().item<bool>());
  CHECK((x.grad().slice(1, 1) != 0).all().item<bool>());
  CHECK(at::allclose(kv->leaves()[0].value.grad(), x.detach().slice(1, 1).sum({0, 1}).expand({4, 6}), 1e-5, 1e-5));

  Tensor read;
  auto plain = ref_of(base);
  plain.slot = &read;
  CHECK_THROWS_WITH(persona::CrossAttentionKV{}.bind(plain, {}),
                    Catch::Contains("cannot hold the start token's gradient back") && Catch::Contains(".detach_start"));
  CHECK_NOTHROW(persona::CrossAttentionKV{.detach_start = false}.bind(plain, {}));

  const persona::CrossAttentionKV all{.weights = persona::subsets::cross_attention()};
  CHECK(all.selects(ref_of(base, "block.attn2.to_q.weight")));
  CHECK_FALSE(persona::CrossAttentionKV{}.selects(ref_of(base, "block.attn2.to_q.weight")));
  const auto query = all.bind(ref_of(base, "block.attn2.to_q.weight"), {});
  x.mutable_grad() = Tensor();
  query->linear(x, base, {}).sum().backward();
  CHECK((x.grad().select(1, 0) != 0).all().item<bool>());  // places of the picture: the first is like any other
}
