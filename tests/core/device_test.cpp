#include "support/catch.hpp"

#include <persona/core/device.hpp>

#include <string>

using Catch::Contains;

TEST_CASE("devices by name") {
  CHECK(persona::parse_device("cpu") == at::Device(at::kCPU));
  const auto chosen = persona::parse_device("auto");
  CHECK(chosen.is_cuda() == (at::getNumGPUs() > 0));
  for (const char* text :
       {"", "CPU", "gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda0", "cuda:99999999999999999999"})
    CHECK_THROWS_WITH(persona::parse_device(text), Contains("device '" + std::string(text) +
                                                            "': expected cpu, cuda, cuda:NUMBER or auto (here: cpu"));
}

TEST_CASE("a device that is not there: which there are") {
  CHECK_THROWS_WITH(persona::parse_device("cuda:99"), Contains("device 'cuda:99': is not there (here: cpu"));
  if (at::getNumGPUs() == 0)
    CHECK_THROWS_WITH(persona::parse_device("cuda"), Contains("here: cpu, and this LibTorch sees no CUDA"));
}

TEST_CASE("devices by name, where there is CUDA", "[cuda]") {
  CHECK(persona::parse_device("cuda") == at::Device(at::kCUDA, 0));
  CHECK(persona::parse_device("cuda:0") == at::Device(at::kCUDA, 0));
  CHECK_THROWS_WITH(persona::parse_device("cuda:99"), Contains("cuda:0"));
}

TEST_CASE("dtypes by name") {
  CHECK(persona::parse_dtype("fp32") == at::kFloat);
  CHECK(persona::parse_dtype("bfloat16") == at::kBFloat16);
  CHECK_THROWS_WITH(persona::parse_dtype("fp16"),
                    Contains("dtype 'fp16': is not computed in") && Contains("take bf16"));
  CHECK_THROWS_WITH(persona::parse_dtype("double"), Contains("dtype 'double': expected fp32 or bf16"));
}
