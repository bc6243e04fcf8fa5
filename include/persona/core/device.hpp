#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

namespace persona {

namespace detail {
inline std::string devices_here() {
  std::string list = "cpu";
  const auto count = at::getNumGPUs();
  for (std::size_t i = 0; i < count; ++i) list += ", cuda:" + std::to_string(i);
  return list;
}
}  // namespace detail

/// "cpu", "cuda" (the first), "cuda:1", or "auto" (cuda where there is one). Throws Error saying which devices there
/// are where the text is none of these, or the device is not there.
inline at::Device parse_device(std::string_view text) {
  const auto count = at::getNumGPUs();
  const auto cuda = [](std::size_t index) { return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index)); };
  if (text == "cpu") return at::kCPU;
  if (text == "auto") return count > 0 ? cuda(0) : at::Device(at::kCPU);
  const auto where = "device '" + std::string(text) + "'";
  std::size_t index = 0;
  const auto number = text.starts_with("cuda:") ? text.substr(5) : text == "cuda" ? std::string_view("0") : "";
  const auto end = number.data() + number.size();
  const auto read = std::from_chars(number.data(), end, index);
  if (number.empty() || read.ptr != end || read.ec != std::errc())
    throw Error(where, "expected cpu, cuda, cuda:NUMBER or auto", "here: " + detail::devices_here());
  if (index >= count) {
    const auto reason = !at::hasCUDA() && count == 0
                            ? ", and this LibTorch sees no CUDA: is it a build with CUDA, and is there a driver?"
                            : std::string();
    throw Error(where, "is not there", "here: " + detail::devices_here() + reason);
  }
  return cuda(index);
}

/// "fp32" or "bf16" ("float32" and "bfloat16" are the same). Throws Error where it is neither; fp16 with the reason.
inline at::ScalarType parse_dtype(std::string_view text) {
  if (text == "fp32" || text == "float32") return at::kFloat;
  if (text == "bf16" || text == "bfloat16") return at::kBFloat16;
  const auto where = "dtype '" + std::string(text) + "'";
  if (text == "fp16" || text == "float16" || text == "half")
    throw Error(where, "is not computed in: gradients and activations leave its range of 65504",
                "take bf16, which is as small; files in fp16 are read into either");
  throw Error(where, "expected fp32 or bf16");
}

}  // namespace persona
