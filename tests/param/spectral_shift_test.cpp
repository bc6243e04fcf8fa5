// Spectral shifts: both plans against autograd through the weight that they stand for.

#include "support/catch.hpp"
#include "support/gradients.hpp"

#include <persona/core/random.hpp>
#include <persona/param/spectral_shift.hpp>

#include <string>

namespace {

using persona::Leaf;
using persona::SpectralFactors;
using persona::SpectralPlan;
using persona::SpectralShift;
using persona::Tensor;
using persona::Weight;
using persona::WeightKind;
using persona::WeightRef;

Tensor random(at::IntArrayRef shape, std::int64_t step, at::ScalarType dtype = at::kDouble) {
  return at::randn(shape, persona::Random(2).at(persona::Stream::data, step), at::TensorOptions().dtype(dtype));
}
WeightRef ref_of(const Tensor& base, WeightKind kind) {
  return {.name = "layer.weight", .host = "unet", .kind = kind, .base = base, .slot = {}};
}
/// A leaf in double, some of whose entries push singular values below zero, where relu cuts them off.
Leaf shifts_of(const Tensor& s) {
  auto value = random(s.sizes(), 9) * 0.3;
  value[s.size(0) - 1] = -2 * s[s.size(0) - 1];
  value.set_requires_grad(true);
  return {.name = "delta", .value = value};
}

struct Case {
  Tensor base, x;
  WeightKind kind = WeightKind::linear;
  persona::Conv2dShape shape{};
};
std::vector<Case> cases() {
  return {{random({5, 7}, 1), random({3, 4, 7}, 2)},
          {random({7, 5}, 1), random({6, 5}, 2)},
          {random({6, 6}, 1), random({2, 6}, 2)},
          {random({4, 3, 3, 3}, 1), random({2, 3, 6, 5}, 2), WeightKind::conv2d, {.stride = 1, .padding = 1}},
          {random({40, 3, 3, 3}, 1), random({2, 3, 6, 5}, 2), WeightKind::conv2d, {.stride = 2, .padding = 1}},
          {random({4, 8, 1, 1}, 1), random({2, 8, 3, 3}, 2), WeightKind::conv2d}};
}

}  // namespace

TEST_CASE("both plans are the layer with the weight U diag(relu(s + delta)) V^T, values and gradients to 1e-10") {
  for (const auto& [base, x, kind, shape] : cases())
    for (const bool residual : {false, true})
      for (const auto plan : {SpectralPlan::factored, SpectralPlan::materialized, SpectralPlan::automatic}) {
        INFO(base.sizes() << ", plan " << static_cast<int>(plan) << ", residual " << residual);
        auto svd = persona::thin_svd(base.flatten(1));
        const auto rest = residual ? random(base.flatten(1).sizes(), 3) * 1e-3 : Tensor();
        const auto leaf = shifts_of(svd.s), same = persona::test::in_double(leaf);
        const Weight weight{.kind = kind,
                            .base = base,
                            .replacement = std::make_shared<SpectralFactors>(leaf, svd, plan, rest),
                            .deltas = {}};
        auto w = svd.u.matmul(at::relu(svd.s + same.value).diag()).matmul(svd.vt);
        if (residual) w = w + rest;
        w = w.reshape(base.sizes());
        CHECK(at::allclose(weight.value(), w, 1e-10, 1e-12));
        const auto bias = random({base.size(0)}, 4);
        const auto layer = [&](const Tensor& input, auto&& linear, auto&& conv) {
          return kind == WeightKind::linear ? linear(input) : conv(input);
        };
        auto in = x.clone().set_requires_grad(true), in_same = x.clone().set_requires_grad(true);
        const auto y = layer(
            in, [&](const Tensor& i) { return weight.linear(i, bias); },
            [&](const Tensor& i) { return weight.conv2d(i, bias, shape); });
        const auto expected = layer(
            in_same, [&](const Tensor& i) { return at::linear(i, w, bias); },
            [&](const Tensor& i) { return at::conv2d(i, w, bias, shape.stride, shape.padding); });
        REQUIRE(y.sizes() == expected.sizes());
        CHECK((y - expected).abs().max().item<double>() < 1e-10);
        const auto push = random(y.sizes(), 5);
        (y * push).sum().backward();
        (expected * push).sum().backward();
        CHECK((leaf.value.grad() - same.value.grad()).abs().max().item<double>() < 1e-10);
        CHECK((in.grad() - in_same.grad()).abs().max().item<double>() < 1e-10);
        CHECK(leaf.value.grad()[leaf.value.size(0) - 1].item<double>() == 0);  // cut off by relu
      }
}

TEST_CASE("the automatic plan is the one of fewer multiplications, told by its bits") {
  // A square weight of n: factored for up to 2 n rows with gradients (4 t n^2 <= 3 t n^2 + 2 n^3), n without.
  const std::int64_t n = 16;
  const auto base = random({n, n}, 1, at::kFloat);
  const auto svd = persona::thin_svd(base);
  const auto leaf = persona::make_leaf("delta", 0.1 * random({n}, 2, at::kFloat));
  const auto taken = [&](std::int64_t rows, bool as_conv) {
    const auto x = random({rows, n}, 3, at::kFloat);
    std::vector<Tensor> made;
    for (const auto plan : {SpectralPlan::automatic, SpectralPlan::factored, SpectralPlan::materialized}) {
      const Weight weight{.kind = as_conv ? WeightKind::conv2d : WeightKind::linear,
                          .base = as_conv ? base.view({n, n, 1, 1}) : base,
                          .replacement = std::make_shared<SpectralFactors>(
                              leaf, persona::ThinSvd{svd.u.to(at::kFloat), svd.s, svd.vt.to(at::kFloat)}, plan),
                          .deltas = {}};
      made.push_back(as_conv ? weight.conv2d(x.t().reshape({1, n, rows, 1}), {}, {}) : weight.linear(x, {}));
    }
    REQUIRE_FALSE(at::equal(made[1], made[2]));
    return at::equal(made[0], made[1])   ? SpectralPlan::factored
           : at::equal(made[0], made[2]) ? SpectralPlan::materialized
                                         : SpectralPlan::automatic;
  };
  for (const bool as_conv : {false, true}) {
    INFO((as_conv ? "convolution" : "linear"));
    CHECK(taken(2 * n, as_conv) == SpectralPlan::factored);
    CHECK(taken(2 * n + 1, as_conv) == SpectralPlan::materialized);
    const at::NoGradGuard no_grad;
    CHECK(taken(n, as_conv) == SpectralPlan::factored);
    CHECK(taken(n + 1, as_conv) == SpectralPlan::materialized);
  }
}

TEST_CASE("gradients of spectral shifts, and of the two forms of 1-D shifts, against finite differences") {
  const auto base = random({4, 6}, 1), x = random({3, 6}, 2);
  const auto svd = persona::thin_svd(base);
  auto leaf = persona::test::in_double(persona::make_leaf("delta", at::zeros({4})));
  const Weight weight{.base = base, .replacement = std::make_shared<SpectralFactors>(leaf, svd), .deltas = {}};
  persona::test::check_gradients({leaf}, [&] { return weight.linear(x, {}).square().sum(); });

  const auto vector = random({5}, 3);
  auto shift = persona::test::in_double(persona::make_leaf("delta", at::zeros({5})));
  const persona::VectorShift shifted(shift);
  persona::test::check_gradients({shift}, [&] { return shifted.value(vector).square().sum(); });
  auto scale = persona::test::in_double(persona::make_leaf("delta", at::zeros({1})));
  const persona::VectorScale scaled(scale);
  persona::test::check_gradients({scale}, [&] { return scaled.value(vector).square().sum(); });
  const auto norm = vector.norm();
  {
    const at::NoGradGuard no_grad;
    scale.value.fill_(0.5);
    CHECK(at::allclose(scaled.value(vector), vector * (norm + 0.5) / norm));
    scale.value.fill_(-2 * norm.item<double>());
    CHECK((scaled.value(vector) == 0).all().item<bool>());
  }
}

TEST_CASE("what is bound is the base at the start: in fp32, in bf16 with the residual, for vectors to the bit") {
  const persona::BindContext context;
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const auto base = random({12, 4, 3, 3}, 1).to(dtype), norm = random({12}, 2).to(dtype);
    for (const bool residual : {false, true}) {
      const SpectralShift shift{.residual = residual};
      const auto kernel = shift.bind(ref_of(base, WeightKind::conv2d), context);
      REQUIRE(kernel->leaves().size() == 1);
      CHECK(kernel->leaves()[0].value.sizes() == at::IntArrayRef{12});
      CHECK(kernel->leaves()[0].value.scalar_type() == at::kFloat);
      CHECK(kernel->leaves()[0].lr_scale == 1.0);
      const auto off =
          (kernel->value(base).to(at::kDouble) - base.to(at::kDouble)).norm() / base.norm().to(at::kDouble);
      const double most = dtype == at::kFloat ? 1e-6 : residual ? 4e-3 : 8e-3;
      CHECK(off.item<double>() < most);
      const auto vector = shift.bind(ref_of(norm, WeightKind::norm), context);
      CHECK(vector->leaves()[0].value.sizes() == at::IntArrayRef{12});
      CHECK(vector->leaves()[0].lr_scale == 1e-3);
      CHECK(at::equal(vector->value(norm), norm));
    }
  }
  const SpectralShift ported{.vectors = persona::VectorForm::scale};
  CHECK(ported.bind(ref_of(random({12}, 2), WeightKind::norm), context)->leaves()[0].value.sizes() ==
        at::IntArrayRef{1});
}

TEST_CASE("in bf16 both plans are as far from the exact layer as rounding") {
  const persona::BindContext context;
  const auto check = [&](const Tensor& base, const Tensor& x, const auto& call) {
    std::vector<double> off;
    const auto exact_shift = SpectralShift{}.bind(ref_of(base.to(at::kDouble), WeightKind::linear), context);
    const auto delta = 0.1 * random({exact_shift->leaves()[0].value.size(0)}, 5).to(at::kFloat);
    const at::NoGradGuard no_grad;
    exact_shift->leaves()[0].value.copy_(delta);
    const Tensor exact = call(*exact_shift, x.to(at::kDouble), base.to(at::kDouble));
    std::vector<Tensor> made;
    for (const auto plan : {persona::SpectralPlan::factored, persona::SpectralPlan::materialized}) {
      const auto shift = SpectralShift{.plan = plan}.bind(ref_of(base, WeightKind::linear), context);
      shift->leaves()[0].value.copy_(delta);
      made.push_back(call(*shift, x, base).to(at::kDouble));
      off.push_back(((made.back() - exact).norm() / exact.norm()).template item<double>());
    }
    const auto apart = ((made[0] - made[1]).norm() / exact.norm()).template item<double>();
    INFO("factored " << off[0] << ", materialized " << off[1] << " off; " << apart << " apart");
    CHECK(off[0] < 6e-3);
    CHECK(off[1] < 6e-3);
    CHECK(apart < 8e-3);
    CHECK(apart > 1e-5);
  };
  check(random({96, 64}, 1).to(at::kBFloat16), random({40, 64}, 2).to(at::kBFloat16),
        [](const auto& shift, const Tensor& x, const Tensor& base) { return shift.linear(x, base, {}); });
  check(random({48, 16, 3, 3}, 3).to(at::kBFloat16), random({2, 16, 12, 12}, 4).to(at::kBFloat16),
        [](const auto& shift, const Tensor& x, const Tensor& base) { return shift.conv2d(x, base, {}, {1, 1}); });
}

TEST_CASE("in bf16 a shift of a thousandth of its singular value has its effect, in every direction") {
  const auto base = random({96, 64}, 1).to(at::kBFloat16);
  const auto x = random({4000, 64}, 2).to(at::kBFloat16);
  const at::NoGradGuard no_grad;
  const auto made = SpectralShift{.plan = SpectralPlan::factored}.bind(ref_of(base, WeightKind::linear), {});
  const auto shift = std::dynamic_pointer_cast<const SpectralFactors>(made);
  REQUIRE(shift);
  const auto before = shift->linear(x, base, {}).to(at::kDouble);
  const auto delta = 1e-3 * shift->svd().s;
  Tensor(shift->leaves()[0].value).copy_(delta);
  const auto change = (shift->linear(x, base, {}).to(at::kDouble) - before).matmul(shift->svd().u.to(at::kDouble));
  const auto inner = x.to(at::kDouble).matmul(shift->svd().vt.to(at::kDouble).t());
  // 1 in every direction, of a spectrum rounded to bf16 either 0 or more than 2. Directions of small singular values
  // are hidden by the rounding of the output.
  const auto share = ((change * inner).sum(0) / (delta * inner.square().sum(0))).slice(0, 0, 32);
  INFO(share.min().item<double>() << " to " << share.max().item<double>());
  CHECK((share - 1).abs().max().item<double>() < 0.4);
}

TEST_CASE("a snapshot keeps what was learned, whatever training does next") {
  const auto base = random({4, 6}, 1, at::kFloat);
  const auto live = SpectralShift{}.bind(ref_of(base, WeightKind::linear), {});
  const auto kept = std::dynamic_pointer_cast<const persona::Replacement>(live->snapshot());
  REQUIRE(kept);
  const at::NoGradGuard no_grad;
  Tensor(live->leaves()[0].value).fill_(1);
  CHECK_FALSE(at::allclose(live->value(base), base));
  CHECK(at::allclose(kept->value(base), base, 1e-4, 1e-5));
}

TEST_CASE("what has no spectrum is refused with a sentence") {
  const persona::BindContext context;
  CHECK_THROWS_WITH(SpectralShift{}.bind(ref_of(random({2, 2, 2}, 1), WeightKind::linear), context),
                    Catch::Contains("unet.layer.weight") && Catch::Contains("3 axes"));
  auto spoiled = random({2, 2}, 1);
  spoiled[0][1] = NAN;
  CHECK_THROWS_WITH(SpectralShift{}.bind(ref_of(spoiled, WeightKind::linear), context), Catch::Contains("not finite"));
  CHECK_THROWS_WITH(SpectralShift{.vector_lr_scale = -1}.bind(ref_of(random({3}, 1), WeightKind::norm), context),
                    Catch::Contains(".vector_lr_scale"));
}

TEST_CASE("biases are left alone, whatever the choice says") {
  const SpectralShift chosen{.weights = persona::subsets::named("layer")};
  CHECK(chosen.selects(ref_of(random({3}, 1), WeightKind::norm)));
  CHECK_FALSE(chosen.selects(ref_of(random({3}, 1), WeightKind::bias)));
}
