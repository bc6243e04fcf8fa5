// diffusers' schedulers, every step of them stored by make_reference.py.

#include "parity/reference.hpp"

#include <persona/core/random.hpp>
#include <persona/schedule/ddim.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/schedule/dpm_solver.hpp>
#include <persona/schedule/euler.hpp>

using reference::relative_error;

namespace {
// Python's torch.Generator().manual_seed(5).
at::Generator draws() {
  auto generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  generator.set_current_seed(5);
  return generator;
}

template <class Sampler>
void compare(const Sampler& sampler, const reference::Json& one, const std::string& index,
             const reference::Tensors& stored) {
  auto run = sampler.begin(one.at("steps").get<std::int64_t>());
  const auto times = run.timesteps();
  const auto expected_times = one.at("timesteps").get<std::vector<double>>();
  REQUIRE(times.size() == expected_times.size());
  for (std::size_t i = 0; i < times.size(); ++i) CHECK(static_cast<double>(times[i]) == expected_times[i]);
  CHECK(run.init_noise_sigma() == Approx(one.at("init_noise_sigma").get<double>()).epsilon(1e-6));

  // From sigma 4096 (zero SNR) down, diffusers' fp32 takes the difference of two numbers of that size: 4096 * 6e-8 is
  // lost.
  const double allowed = run.init_noise_sigma() > 1000 ? 5e-5 : 1e-5;
  const auto& states = stored.at(index + ".states");
  auto generator = draws();
  auto x = stored.at("noise") * run.init_noise_sigma();
  for (std::int64_t i = 0; i < states.size(0); ++i) {
    INFO("step " << i);
    if (const auto inputs = stored.find(index + ".inputs"); inputs != stored.end())
      CHECK(relative_error(run.scale_model_input(x, i), inputs->second[i]) < allowed);
    const auto& output = stored.at("outputs");
    if constexpr (requires { run.step(x, i, x, x); })
      x = run.step(output[i], i, x, at::randn(x.sizes(), generator, x.options()));
    else
      x = run.step(output[i], i, x);
    CHECK(relative_error(x, states[i]) < allowed);
  }
}
}  // namespace

TEST_CASE("every step of every sampler is diffusers'") {
  const auto cases = reference::json(reference::data() / "schedule" / "cases.json").at("samplers");
  const auto stored = reference::tensors(reference::data() / "schedule" / "reference.safetensors");
  REQUIRE(cases.size() == 48);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& one = cases[i];
    const auto config = reference::scheduler_config(one.at("config"));
    const auto name = one.at("sampler").get<std::string>();
    INFO(i << ": " << one.dump());
    if (name == "ddim")
      compare(persona::DDIMScheduler(config, one.at("eta").get<double>()), one, std::to_string(i), stored);
    else if (name == "dpm")
      compare(persona::DPMSolverMultistepScheduler(config), one, std::to_string(i), stored);
    else
      compare(persona::EulerDiscreteScheduler(config), one, std::to_string(i), stored);
  }
}

TEST_CASE("the forward process and its targets are diffusers'") {
  const auto cases = reference::json(reference::data() / "schedule" / "cases.json").at("forward");
  const auto stored = reference::tensors(reference::data() / "schedule" / "reference.safetensors");
  const auto &x0 = stored.at("forward.x0"), &noise = stored.at("forward.noise"), &t = stored.at("forward.t");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].dump());
    const auto key = "forward." + std::to_string(i) + ".";
    auto config = reference::scheduler_config(cases[i]);
    const persona::DDPMScheduler epsilon(config);
    config.prediction_type = "v_prediction";
    const persona::DDPMScheduler velocity(config);
    config.prediction_type = "sample";
    const persona::DDPMScheduler sample(config);
    CHECK(relative_error(epsilon.alphas_cumprod().index_select(0, t), stored.at(key + "alphas_cumprod")) < 1e-5);
    CHECK(relative_error(epsilon.add_noise(x0, noise, t), stored.at(key + "noisy")) < 1e-5);
    CHECK(relative_error(epsilon.snr(t), stored.at(key + "snr")) < 1e-5);
    CHECK(at::equal(epsilon.target(x0, noise, t), noise));
    CHECK(at::equal(sample.target(x0, noise, t), x0));
    CHECK(relative_error(velocity.target(x0, noise, t), stored.at(key + "velocity")) < 1e-5);
  }
}
