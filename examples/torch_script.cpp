// A denoiser that is a TorchScript file, as torch.jit.trace or torch.jit.script leaves it in Python: read without
// Python, and changed by spectral shifts and low-rank factors that are never written into it. Here the module is
// written in TorchScript's own language, trained, and saved first.

#include <persona/libtorch/script_denoiser.hpp>

#include "support/shapes.hpp"

#include <string>

namespace {
using Shape = std::vector<std::int64_t>;

/// A layer with weight and bias, as torch.nn's are.
torch::jit::Module layer(const std::string& name, const Shape& shape, const std::string& forward) {
  torch::jit::Module module("__torch__.torch.nn.modules." + name);
  const auto fan_in = at::ones(shape).numel() / shape[0];
  const auto random = persona::Random(persona::hash_text(name) + static_cast<std::uint64_t>(fan_in));
  const auto weight = at::randn(shape, random.at(persona::Stream::initialization)) / std::sqrt(fan_in);
  module.register_parameter("weight", weight, /*is_buffer=*/false);
  module.register_parameter("bias", at::zeros({shape[0]}), /*is_buffer=*/false);
  module.define("def forward(self, x):\n  return " + forward + "\n");
  return module;
}
torch::jit::Module convolution(std::int64_t in, std::int64_t out, int dilation) {
  const auto d = std::to_string(dilation);
  return layer("conv.Conv2d", {out, in, 3, 3},
               "torch.conv2d(x, self.weight, self.bias, [1, 1], [" + d + ", " + d + "], [" + d + ", " + d + "])");
}

/// Dilated convolutions, told the time and the prompt by a linear layer each.
torch::jit::Module net() {
  torch::jit::Module net("__torch__.Net");
  std::string forward = R"(
def forward(self, x, t, states):
  phase = (1.0 * t).unsqueeze(1) * torch.exp(torch.linspace(0, -7, 16))
  condition = torch.cat([torch.sin(phase), torch.cos(phase), states.sum(1)], 1)
  h = self.enter.forward(x)
)";
  net.register_module("enter", convolution(3, 32, 1));
  for (const int dilation : {1, 2, 4, 1}) {
    const auto n = std::to_string(net.named_children().size() / 3);
    net.register_module("first" + n, convolution(32, 32, dilation));
    net.register_module("told" + n, layer("linear.Linear", {32, 64}, "torch.linear(x, self.weight, self.bias)"));
    net.register_module("second" + n, convolution(32, 32, 1));
    forward += "  told = self.told" + n + ".forward(condition).unsqueeze(-1).unsqueeze(-1)\n" +
               "  inner = torch.silu(torch.group_norm(h, 4))\n" + "  h = h + self.second" + n +
               ".forward(torch.silu(self.first" + n + ".forward(inner) + told))\n";
  }
  net.register_module("leave", convolution(32, 3, 1));
  net.define(forward + "  return self.leave.forward(torch.silu(h))\n");
  return net;
}
}  // namespace

int main(int argc, char** argv) {
  auto module = net();
  std::vector<at::Tensor> parameters;
  for (const at::Tensor& parameter : module.parameters()) parameters.push_back(parameter);
  const auto forward = [&](const auto& x, const auto& t, const auto& states) {
    return module.forward({x, t, states}).toTensor();
  };
  return shapes::show(argc, argv, "persona: a TorchScript denoiser", "out/torch_script", parameters, forward,
                      !persona::subsets::named("leave"), 3e-3, [&](const auto& out) {
                        module.save(out / "denoiser.pt");
                        return persona::ScriptDenoiser::load(out / "denoiser.pt");
                      });
}
