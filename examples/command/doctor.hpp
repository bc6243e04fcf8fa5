#pragma once
// persona doctor: what is here, and what would fail.

#include "command/out_folder.hpp"
#include "command/plan.hpp"
#include "command/usage.hpp"

#include <persona/version.hpp>

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <sys/sysinfo.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

namespace command {

namespace detail {

class Findings {
 public:
  void note(const std::string& what, const std::string& text) { line("  ", what, text); }
  /// `act` says what it found, or throws what is wrong.
  void check(const std::string& what, const std::function<std::string()>& act) {
    try {
      line("ok", what, act());
    } catch (const std::exception& error) {
      ++failures_;
      line("NO", what, error.what());
    }
  }
  int failures() const { return failures_; }

 private:
  static void line(const char* mark, const std::string& what, const std::string& text) {
    std::printf("%s  %-12s %s\n", mark, what.c_str(), text.c_str());
  }
  int failures_ = 0;
};

/// A product and its gradient, as a run computes them.
inline std::string try_dtype(at::Device device, at::ScalarType dtype) {
  const auto options = at::TensorOptions().device(device).dtype(dtype);
  const auto a = at::ones({64, 64}, options).requires_grad_(true);
  const double seconds = seconds_of([&] {
    at::matmul(a, at::ones({64, 64}, options)).to(at::kFloat).sum().backward();
    if (a.grad().to(at::kFloat).sum().item<double>() != 64.0 * 64 * 64)
      throw persona::Error("doctor", "a product's gradient is wrong", "another build of LibTorch");
  });
  char text[64];
  std::snprintf(text, sizeof text, "computes, forward and backward (%.1f ms)", seconds * 1e3);
  return text;
}

/// One sampling step of a picture.
inline std::string try_model(const Model& model) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f s a step",
                seconds_of([&] { persona::generate(model, "a photo", {.steps = 1, .guidance = 1}); }));
  return text;
}

}  // namespace detail

/// Prints a line a finding; exit code 1 where something would fail.
inline int doctor(const Settings& settings) {
  detail::Findings findings;
  findings.note("persona", persona::version_string);
  findings.note("LibTorch", std::string(TORCH_VERSION) + (at::hasCUDA() ? ", built with CUDA" : ", built for the CPU"));
  findings.note("threads", std::to_string(at::get_num_threads()) + " of " +
                               std::to_string(std::thread::hardware_concurrency()) + " cores");
  struct sysinfo memory{};
  ::sysinfo(&memory);
  const double total = static_cast<double>(memory.totalram) * memory.mem_unit,
               idle = static_cast<double>(memory.freeram + memory.bufferram) * memory.mem_unit;
  findings.note("memory", detail::megabytes(total) + ", " + detail::megabytes(idle) + " unused");
  findings.note("devices", persona::detail::devices_here());
  findings.check("device", [&] { return persona::parse_device(settings.device).str(); });
  at::Device device = at::kCPU;
  try {
    device = persona::parse_device(settings.device);
  } catch (const persona::Error&) {  // said above
  }
  for (const auto& [name, dtype] : {std::pair{"fp32", at::kFloat}, std::pair{"bf16", at::kBFloat16}})
    findings.check(name, [&] { return detail::try_dtype(device, dtype); });
  findings.check("out", [&] {
    const auto folder = expect_writable(settings.out);
    const double room = static_cast<double>(std::filesystem::space(folder).available);
    if (room < 1e8) throw persona::Error(folder.string(), "has " + detail::megabytes(room) + " left", "free some");
    return folder.string() + ", " + detail::megabytes(room) + " free";
  });
  if (settings.model.empty()) {
    findings.note("model", "none given: --model FOLDER looks at one");
  } else {
    findings.check("model", [&] {
      const auto model = Model::load(settings.model, loading_of(settings));
      const auto latents = model.latent_shape();
      const auto bytes = detail::model_bytes(model);
      return settings.model + ": " + detail::megabytes(bytes) + ", rows " +
             std::to_string(model.text_encoder().embedding_table().size(1)) + " wide, pictures of " +
             std::to_string(latents[2] * model.autoencoder().vae_scale_factor()) + " x " +
             std::to_string(latents[1] * model.autoencoder().vae_scale_factor()) + ", predicts " +
             model.scheduler_config().prediction_type + ", draws in " + settings.dtype + " (" +
             detail::try_model(model) + ")";
    });
  }
  std::printf("%s\n", findings.failures() == 0 ? "nothing here would fail"
                                               : (std::to_string(findings.failures()) + " would fail").c_str());
  return findings.failures() == 0 ? done : failed;
}

}  // namespace command
