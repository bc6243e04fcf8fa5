// What parity does not cover: that samplers undo the forward process, and what they refuse.

#include "support/catch.hpp"

#include <persona/core/random.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/schedule/dpm_solver.hpp>
#include <persona/schedule/euler.hpp>
#include <persona/schedule/scheduler.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

using Catch::Matchers::Contains;
using persona::DDIMScheduler;
using persona::DDPMScheduler;
using persona::DPMSolverMultistepScheduler;
using persona::EulerDiscreteScheduler;
using persona::SchedulerConfig;
using persona::Tensor;

static_assert(persona::Scheduler<DDPMScheduler>);
static_assert(persona::Sampler<DDIMScheduler> && persona::Sampler<DPMSolverMultistepScheduler> &&
              persona::Sampler<EulerDiscreteScheduler>);

namespace {

Tensor values(std::uint64_t seed) {
  return at::randn({2, 3, 4}, persona::Random(seed).at(persona::Stream::noise), at::TensorOptions());
}

// The prediction of a denoiser that knows x0, at x = sqrt(a) x0 + sqrt(1 - a) noise.
Tensor oracle(const std::string& type, const Tensor& x, const Tensor& x0, double a) {
  const auto noise = (x - std::sqrt(a) * x0) / std::sqrt(1 - a);
  if (type == "epsilon") return noise;
  if (type == "sample") return x0;
  return std::sqrt(a) * noise - std::sqrt(1 - a) * x0;
}

template <class S>
double error_of_oracle(const S& sampler, const SchedulerConfig& config, std::int64_t steps) {
  const Tensor alphas = config.alphas_cumprod();
  const auto x0 = values(1);
  auto run = sampler.begin(steps);
  Tensor x = values(2) * run.init_noise_sigma();
  std::int64_t i = 0;
  for (const double t : run.timesteps()) {
    const double a = alphas.const_data_ptr<float>()[static_cast<std::int64_t>(t)];
    x = run.step(oracle(config.prediction_type, run.scale_model_input(x, i), x0, a), i, x);
    ++i;
  }
  return (x - x0).abs().max().item<double>();
}

}  // namespace

TEST_CASE("with a denoiser that knows the picture every sampler ends at the picture") {
  for (const char* spacing : {"leading", "trailing"}) {
    for (const char* type : {"epsilon", "v_prediction", "sample"}) {
      for (const std::int64_t steps : {1, 4, 20, 50}) {
        const SchedulerConfig config{.prediction_type = type, .timestep_spacing = spacing};
        INFO(spacing << ", " << type << ", " << steps);
        CHECK(error_of_oracle(DDIMScheduler(config), config, steps) < 1e-4);
        CHECK(error_of_oracle(DPMSolverMultistepScheduler(config), config, steps) < 1e-4);
        CHECK(error_of_oracle(EulerDiscreteScheduler(config), config, steps) < 1e-4);
      }
    }
  }
}

TEST_CASE("the target, read as a prediction, gives x0 back") {
  const auto x0 = values(1), noise = values(2);
  const auto t = at::tensor({0, 640}, at::kLong);
  for (const char* type : {"epsilon", "v_prediction", "sample"}) {
    const DDPMScheduler scheduler(SchedulerConfig{.prediction_type = type});
    const auto back = scheduler.predict_x0(scheduler.target(x0, noise, t), scheduler.add_noise(x0, noise, t), t);
    CHECK((back - x0).abs().max().item<double>() < 1e-5);
  }
  const DDPMScheduler scheduler;
  CHECK(scheduler.num_train_timesteps() == 1000);
  const auto snr = scheduler.snr(at::arange(1000, at::kLong));
  CHECK((snr.slice(0, 1) < snr.slice(0, 0, 999)).all().item<bool>());
}

TEST_CASE("zero terminal SNR: the last timestep is pure noise") {
  SchedulerConfig config{.prediction_type = "v_prediction", .rescale_betas_zero_snr = true};
  const DDPMScheduler scheduler(config);
  const auto x0 = values(1), noise = values(2);
  const auto last = at::tensor({999, 999}, at::kLong);
  CHECK((scheduler.add_noise(x0, noise, last) - noise).abs().max().item<double>() < 1e-6);
  CHECK(scheduler.snr(last).abs().max().item<double>() < 1e-6);
  config.prediction_type = "epsilon";
  CHECK_THROWS_WITH(DDIMScheduler(config), Contains("rescale_betas_zero_snr"));
}

TEST_CASE("DDIM adds noise only where eta is positive, and the noise that it is given") {
  const auto step = [&](double eta, const persona::Tensor& noise) {
    return DDIMScheduler().with_eta(eta).begin(5).step(values(1), 0, values(2), noise);
  };
  CHECK(at::equal(step(0, values(3)), step(0, {})));
  CHECK(at::equal(step(1, values(3)), step(1, values(3))));
  CHECK_FALSE(at::equal(step(1, values(3)), step(1, values(4))));
  CHECK_FALSE(at::equal(step(1, {}), step(0, {})));
}

TEST_CASE("a run is a value: a copy goes on by itself") {
  auto run = DPMSolverMultistepScheduler().begin(4);
  const auto x = run.step(values(1), 0, values(2));
  auto copy = run;
  CHECK(at::equal(run.step(values(3), 1, x), copy.step(values(3), 1, x)));
}

TEST_CASE("what a scheduler does not know is refused by key and value") {
  const auto refuses = [](SchedulerConfig config, const std::string& key, const std::string& value) {
    CHECK_THROWS_WITH(DDPMScheduler(config), Contains(key) && Contains(value));
    CHECK_THROWS_WITH(EulerDiscreteScheduler(config), Contains(key) && Contains(value));
  };
  refuses({.beta_schedule = "sigmoid"}, "beta_schedule", "'sigmoid'");
  refuses({.prediction_type = "flow_prediction"}, "prediction_type", "epsilon, v_prediction, sample");
  refuses({.timestep_spacing = "karras"}, "timestep_spacing", "leading, trailing, linspace");
  refuses({.num_train_timesteps = 0}, "num_train_timesteps", "0");
  refuses({.beta_start = 0}, "beta_start", "between 0 and 1");
  refuses({.steps_offset = -1}, "steps_offset", "-1");
  CHECK_THROWS_WITH(DDIMScheduler().begin(0), Contains("asked for 0 steps") && Contains("1 to 1000"));
  CHECK_THROWS_WITH(DPMSolverMultistepScheduler().begin(1001), Contains("1001"));
  // One more timestep than steps is laid out, and of 1000 there is none left: equal ones would make NaN.
  CHECK_THROWS_WITH(DPMSolverMultistepScheduler().begin(1000), Contains("1000 steps") && Contains("twice"));
  CHECK_NOTHROW(DPMSolverMultistepScheduler().begin(999));
  CHECK_THROWS_WITH(DDIMScheduler(SchedulerConfig{.steps_offset = 1}).begin(1000),
                    Contains("begin at timestep 1000, training ended at 999"));
  CHECK_THROWS(DDIMScheduler().begin(3).step(values(1), 3, values(2)));
}
