// AdamW against its equations written out in double (Loshchilov & Hutter 2019, Algorithm 2, with the decay scaled by
// the rate alone).

#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/optim/adamw.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using persona::AdamW;
using persona::Leaf;
using persona::Tensor;

struct Written {
  double lr, beta1, beta2, eps, decay, toward;
  std::vector<double> theta, m, v;
  int count = 0;

  void step(const std::vector<double>& gradient, double lr_factor) {
    ++count;
    const double rate = lr * lr_factor;
    for (std::size_t i = 0; i < theta.size(); ++i) {
      m[i] = beta1 * m[i] + (1 - beta1) * gradient[i];
      v[i] = beta2 * v[i] + (1 - beta2) * gradient[i] * gradient[i];
      const double m_hat = m[i] / (1 - std::pow(beta1, count)), v_hat = v[i] / (1 - std::pow(beta2, count));
      theta[i] -= rate * decay * (theta[i] - toward);
      theta[i] -= rate * m_hat / (std::sqrt(v_hat) + eps);
    }
  }
};

std::vector<double> values(const Tensor& tensor) {
  const auto flat = tensor.detach().to(at::kDouble).flatten().contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

Tensor random(std::int64_t n, std::int64_t key) {
  return at::randn({n}, persona::Random(11).at(persona::Stream::data, key), at::TensorOptions());
}

Leaf leaf(const std::string& name, std::int64_t key = 100) { return persona::make_leaf(name, random(7, key)); }

void give_gradients(const std::vector<Leaf>& leaves, int step) {
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    auto value = leaves[i].value;
    value.mutable_grad() = random(value.numel(), 10 * step + static_cast<std::int64_t>(i)).view(value.sizes());
  }
}

/// Five steps of a single leaf against the equations.
void check_five_steps(const AdamW& settings, Leaf trained, double rate, double decay, double toward) {
  auto state = settings.bind({trained}, /*default_lr=*/3e-2);
  Written written{.lr = rate,
                  .beta1 = settings.beta1,
                  .beta2 = settings.beta2,
                  .eps = settings.eps,
                  .decay = decay,
                  .toward = toward,
                  .theta = values(trained.value),
                  .m = std::vector<double>(7),
                  .v = std::vector<double>(7)};
  const double factors[] = {1.0, 0.5, 1.0, 0.25, 0.0};
  for (int step = 0; step < 5; ++step) {
    give_gradients({trained}, step);
    written.step(values(trained.value.grad()), factors[step]);
    state.step({.lr_factor = factors[step]});
    const auto now = values(trained.value);
    for (std::size_t i = 0; i < now.size(); ++i) {
      INFO("step " << step << ", entry " << i);
      CHECK(now[i] == Approx(written.theta[i]).margin(2e-6));
    }
  }
}

}  // namespace

TEST_CASE("five steps equal the written equations") {
  check_five_steps({.lr = 5e-2}, leaf("rows"), 5e-2, 1e-2, 0);
  check_five_steps({.lr = 5e-2, .weight_decay = 0}, leaf("rows"), 5e-2, 0, 0);
  check_five_steps({.lr = 5e-2, .beta1 = 0.5, .beta2 = 0.9, .eps = 1e-2, .weight_decay = 2.0}, leaf("rows"), 5e-2, 2.0,
                   0);
}

TEST_CASE("gradients are shortened together to the norm asked for, and shorter ones left alone") {
  const auto trained = [](double max_grad_norm, double length) {
    const auto a = leaf("a", 100), b = leaf("b", 101);
    give_gradients({a, b}, 1);
    const auto both = at::cat({a.value.grad(), b.value.grad()});
    for (const Leaf& one : {a, b}) Tensor(one.value).mutable_grad().mul_(length / both.norm());
    auto state = AdamW{.lr = 1e-2, .max_grad_norm = max_grad_norm}.bind({a, b}, 0);
    state.step({});
    return at::cat({a.value.grad(), b.value.grad()}).norm().item<double>();
  };
  CHECK(trained(1, 5) == Approx(1));
  CHECK(trained(1, 0.5) == Approx(0.5));
  CHECK(trained(0, 5) == Approx(5));
  CHECK_THROWS_WITH(AdamW{.max_grad_norm = -1}.bind({leaf("a")}, 1), Catch::Contains(".max_grad_norm"));
}

TEST_CASE("without a rate of its own it takes the parameterization's") {
  check_five_steps({}, leaf("rows"), 3e-2, 1e-2, 0);
  CHECK(AdamW{}.bind({leaf("rows")}, 3e-2).learning_rate() == 3e-2);
  CHECK(AdamW{.lr = 1e-3}.bind({leaf("rows")}, 3e-2).learning_rate() == 1e-3);
}

TEST_CASE("a leaf has a rate, a decay and a goal of its own") {
  auto slow = leaf("slow");
  slow.lr_scale = 0.1;
  check_five_steps({.lr = 5e-2}, slow, 5e-3, 1e-2, 0);
  auto heavy = leaf("heavy");
  heavy.weight_decay = 3.0;
  check_five_steps({.lr = 5e-2}, heavy, 5e-2, 3.0, 0);
  auto free = leaf("free");
  free.weight_decay = 0.0;
  check_five_steps({.lr = 5e-2, .weight_decay = 1.0}, free, 5e-2, 0.0, 0);
  auto pulled = leaf("pulled");
  pulled.weight_decay = 2.0;
  pulled.decay_toward = at::full({7}, 1.5f);
  check_five_steps({.lr = 5e-2}, pulled, 5e-2, 2.0, 1.5);
}

TEST_CASE("leaves are trained side by side, and one without a gradient stays as it is") {
  const auto a = leaf("a", 100), b = leaf("b", 101), alone = leaf("b", 101);
  auto both = AdamW{.lr = 1e-2}.bind({a, b}, 0), single = AdamW{.lr = 1e-2}.bind({alone}, 0);
  const auto before = a.value.detach().clone();
  give_gradients({b}, 1);
  auto same = alone.value;
  same.mutable_grad() = b.value.grad().clone();
  both.step({});
  single.step({});
  CHECK(at::equal(a.value, before));
  CHECK(at::equal(b.value, alone.value));
  CHECK(!at::equal(b.value, random(7, 101)));
}

TEST_CASE("found_inf = 1 changes nothing: no value, no moment, no step count") {
  auto pulled = leaf("pulled", 101);
  pulled.decay_toward = at::zeros({7});
  pulled.weight_decay = 1.0;
  const std::vector leaves{leaf("plain"), pulled};
  auto state = AdamW{.lr = 1e-1}.bind(leaves, 0);
  give_gradients(leaves, 0);
  state.step({.found_inf = at::zeros({})});
  const auto snapshot = [&] {
    std::vector<Tensor> all;
    for (const auto& one : leaves) all.push_back(one.value.detach().clone());
    for (const auto& [name, tensor] : state.state()) all.push_back(tensor.clone());
    return all;
  };
  const auto before = snapshot();
  for (const auto& one : leaves) one.value.grad().fill_(std::numeric_limits<float>::quiet_NaN());
  state.step({.found_inf = at::ones({})});
  const auto after = snapshot();
  REQUIRE(after.size() == 2 + 6);
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(at::equal(before[i], after[i]));
}

TEST_CASE("found_inf = 0 is as if it were not given") {
  const auto a = leaf("x"), b = leaf("x");
  auto with = AdamW{.lr = 1e-1}.bind({a}, 0), without = AdamW{.lr = 1e-1}.bind({b}, 0);
  for (int step = 0; step < 3; ++step) {
    give_gradients({a}, step);
    give_gradients({b}, step);
    with.step({.found_inf = at::zeros({})});
    without.step({});
  }
  CHECK(at::equal(a.value, b.value));
}

TEST_CASE("state() names every tensor, and writing into it goes on bit for bit") {
  const std::vector straight{leaf("rows", 100), leaf("delta", 101)};
  auto whole = AdamW{.lr = 2e-2}.bind(straight, 0);
  std::vector<Tensor> saved_values, saved_state;
  for (int step = 0; step < 5; ++step) {
    if (step == 2) {
      for (const auto& one : straight) saved_values.push_back(one.value.detach().clone());
      for (const auto& [name, tensor] : whole.state()) saved_state.push_back(tensor.clone());
    }
    give_gradients(straight, step);
    whole.step({});
  }
  const std::vector resumed{persona::make_leaf("rows", saved_values[0]), persona::make_leaf("delta", saved_values[1])};
  auto half = AdamW{.lr = 2e-2}.bind(resumed, 0);
  std::vector<std::string> names;
  std::size_t next = 0;
  for (auto& [name, tensor] : half.state()) {
    names.push_back(name);
    tensor.copy_(saved_state[next++]);
  }
  CHECK(names == std::vector<std::string>{"rows.exp_avg", "rows.exp_avg_sq", "rows.step", "delta.exp_avg",
                                          "delta.exp_avg_sq", "delta.step"});
  for (int step = 2; step < 5; ++step) {
    give_gradients(resumed, step);
    half.step({});
  }
  for (std::size_t i = 0; i < straight.size(); ++i) CHECK(at::equal(straight[i].value, resumed[i].value));
}
