// Weight changes on modules of LibTorch's own: torch::nn, and TorchScript.

#include <persona/libtorch/module_denoiser.hpp>
#include <persona/libtorch/script_denoiser.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/init/token.hpp>
#include <persona/learned/bake.hpp>
#include <persona/param/dora.hpp>
#include <persona/param/full_weights.hpp>
#include <persona/param/low_rank.hpp>
#include <persona/param/spectral_shift.hpp>
#include <persona/testing.hpp>

#include <torch/csrc/jit/api/module.h>
#include <torch/nn/functional.h>
#include <torch/nn/modules/container/modulelist.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace {

using persona::operator+;
using persona::Tensor;
using persona::testing::check_invariants;
using persona::testing::tiny_subjects;
namespace nn = torch::nn;

/// Convolutions around a norm and a linear layer that reads the prompt; no attention, no UNet.
struct NetImpl : nn::Module {
  explicit NetImpl(at::ScalarType dtype = at::kFloat) {
    register_module("conv_in", conv_in), register_module("norm", norm), register_module("blocks", blocks);
    register_module("conv_out", conv_out);
    own = register_parameter("own", at::ones({1}));
    const auto g = persona::Random(5).at(persona::Stream::initialization);
    const at::NoGradGuard no_grad;
    for (const Tensor& parameter : parameters()) Tensor(parameter).normal_(0.0, 0.3, g);
    to(dtype);
  }
  Tensor forward(const Tensor& x, const Tensor& t, const Tensor& states) {
    auto h = norm(conv_in(x)) + (t.to(x.scalar_type()) * 0.01).sin().view({-1, 1, 1, 1});
    for (const auto& block : *blocks)
      h = h + block->as<nn::Linear>()->forward(states.mean(1)).tanh().unsqueeze(-1).unsqueeze(-1);
    return conv_out(at::silu(h)) * own;
  }
  nn::Conv2d conv_in{nn::Conv2dOptions(3, 8, 3).padding(1)}, conv_out{nn::Conv2dOptions(8, 3, 3).padding(1)};
  nn::GroupNorm norm{nn::GroupNormOptions(2, 8)};
  nn::ModuleList blocks{nn::Linear(6, 8), nn::Linear(6, 8)};
  Tensor own;
};
TORCH_MODULE(Net);

/// One convolution, as a torch::nn module and of persona's weights.
struct OneImpl : nn::Module {
  OneImpl() { register_module("conv", conv); }
  Tensor forward(const Tensor& x, const Tensor&, const Tensor&) { return conv(x); }
  nn::Conv2d conv{nn::Conv2dOptions(3, 3, 3).padding(1).bias(false)};
};
struct One {
  persona::Weight conv{};
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("conv.weight", self.conv);
  }
  std::vector<persona::WeightRef> weights() { return persona::weight_refs(*this); }
  Tensor predict(const Tensor& x, const Tensor&, const Tensor&) const {
    return conv.conv2d(x.to(conv.base.scalar_type()), {}, {1, 1}).to(x.scalar_type());
  }
};

torch::jit::Module script_layer(const char* name, std::vector<std::int64_t> shape, const char* forward) {
  torch::jit::Module layer(std::string("__torch__.torch.nn.modules.") + name);
  const auto g = persona::Random(static_cast<std::uint64_t>(shape.size())).at(persona::Stream::initialization);
  layer.register_parameter("weight", (0.3 * at::randn(shape, g)).requires_grad_(), false);
  layer.register_parameter("bias", at::zeros({shape[0]}).requires_grad_(), false);
  layer.define(forward);
  return layer;
}
/// Much the same in TorchScript.
torch::jit::Module script() {
  torch::jit::Module net("__torch__.Net");
  net.register_module("conv", script_layer("conv.Conv2d", {3, 3, 3, 3}, R"(
    def forward(self, x):
        return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])
    )"));
  net.register_module("read", script_layer("linear.Linear", {3, 6}, R"(
    def forward(self, x):
        return torch.linear(x, self.weight, self.bias)
    )"));
  net.define(R"(
    def forward(self, x, t, states):
        said = torch.tanh(self.read.forward(states.mean(1))).unsqueeze(-1).unsqueeze(-1)
        return self.conv.forward(x + said + torch.sin(0.01 * t).view(-1, 1, 1, 1))
  )");
  return net;
}

template <persona::Denoiser D>
auto model_with(D denoiser) {
  const auto tiny = persona::testing::tiny_model();
  return persona::ModelParts(tiny.tokenizer(), tiny.text_encoder(), std::move(denoiser),
                             persona::testing::TinyScheduler{}, persona::LatentShape{3, 8, 8});
}
template <class D>
Tensor predict(const D& denoiser) {
  return denoiser.predict(at::ones({2, 3, 8, 8}), at::tensor({3, 70}, at::kLong), at::ones({2, 5, 6}));
}
std::set<std::string> names(auto& denoiser) {
  std::set<std::string> names;
  for (const persona::WeightRef& ref : denoiser.weights()) names.insert(ref.name);
  return names;
}
/// Every weight parameterization, and rows.
void check_weights(const auto& model, const std::filesystem::path& folder) {
  using namespace persona;
  const auto unet = subsets::unet(), matrices = subsets::matrices() && subsets::host("unet");
  check_invariants(model, recipe(SpectralShift{}), tiny_subjects(), folder / "svdiff");
  check_invariants(model, recipe(LowRank{.rank = 2, .weights = unet && !subsets::vectors()}), tiny_subjects(),
                   folder / "lora");
  check_invariants(model, recipe(DoRA{{.rank = 2, .weights = matrices}}), tiny_subjects(), folder / "dora");
  check_invariants(model, recipe(FullWeights{}), tiny_subjects(), folder / "dreambooth");
  check_invariants(model, SpectralShift{} + LowRank{.rank = 2, .weights = matrices}, tiny_subjects(), folder / "both");
  check_invariants(model, recipe(TokenInit{}), tiny_subjects(), folder / "rows");
}

}  // namespace

TEST_CASE("a torch::nn module lends its layers' weights by their names and kinds") {
  const Net net;
  persona::ModuleDenoiser denoiser(net);
  CHECK(names(denoiser) == std::set<std::string>{"conv_in.weight", "conv_in.bias", "norm.weight", "norm.bias",
                                                 "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias",
                                                 "conv_out.weight", "conv_out.bias"});
  for (const persona::WeightRef& ref : denoiser.weights()) {
    const auto kind = ref.name.ends_with("bias")   ? persona::WeightKind::bias
                      : ref.name.starts_with("co") ? persona::WeightKind::conv2d
                      : ref.name.starts_with("no") ? persona::WeightKind::norm
                                                   : persona::WeightKind::linear;
    CHECK(ref.kind == kind);
    CHECK_FALSE(ref.base.requires_grad());
  }
  CHECK(at::equal(predict(denoiser),
                  Net(net)->forward(at::ones({2, 3, 8, 8}), at::tensor({3, 70}, at::kLong), at::ones({2, 5, 6}))));
}

TEST_CASE("invariants of weights on a torch::nn module") {
  const persona::test::Folder folder;
  const Net net;
  check_weights(model_with(persona::ModuleDenoiser(net)), folder.path());
  for (const Tensor& parameter : net->parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("a torch::nn module is its own between calls, and copies are changed apart") {
  const Net net;
  const auto model = model_with(persona::ModuleDenoiser(net));
  const auto before = predict(model.denoiser());
  const auto subjects = tiny_subjects();
  auto one = persona::personalize(model, subjects.front(), persona::recipe(persona::SpectralShift{}), {.steps = 3});
  auto other = persona::personalize(
      model, subjects.front(),
      persona::recipe(persona::LowRank{.rank = 2, .weights = persona::subsets::unet() && !persona::subsets::vectors()}),
      {.steps = 3});
  auto alone = persona::personalize(model, subjects.front(), persona::recipe(persona::SpectralShift{}), {.steps = 3});
  alone.drain();
  auto step = one.begin();
  for (const auto& own : other) {  // step by step, in turn
    (void)own, (void)(*step).loss(), ++step;
    CHECK(at::equal(net->conv_in->weight, net->named_parameters()["conv_in.weight"]));
  }
  CHECK(at::equal(one.session().bound().leaves.front().value, alone.session().bound().leaves.front().value));

  const auto with_one = persona::personalized(model, one.learned()),
             with_other = persona::personalized(model, other.learned());
  const auto a = predict(with_one.denoiser()), b = predict(with_other.denoiser());
  CHECK_FALSE(at::allclose(a, b));
  CHECK(at::equal(a, predict(with_one.denoiser())));
  CHECK(at::equal(before, predict(model.denoiser())));

  // What a file holds is no less a value than what a run holds: rows are learned on top of it, and it stays.
  const persona::test::Folder folder;
  one.learned().save(folder / "one.safetensors");
  const auto read = persona::personalized(model, persona::Learned::load(folder / "one.safetensors"));
  CHECK(at::allclose(a, predict(read.denoiser())));
  persona::fit(read, subjects.front(), persona::recipe(persona::TokenInit{}), {.steps = 1});
  auto taken = read.denoiser();  // a copy of the changed one computes as it does
  for (const auto& ref : taken.weights()) CHECK_FALSE(ref.base.requires_grad());
  CHECK(at::allclose(a, predict(taken)));
}

TEST_CASE("what is baked into a torch::nn denoiser is the base of the next run") {
  const persona::test::Folder folder;
  const auto model = model_with(persona::ModuleDenoiser(Net()));
  const auto subjects = tiny_subjects();
  const auto sum = persona::recipe(persona::SpectralShift{});
  const auto learned = persona::fit(model, subjects.front(), sum, {.steps = 3});
  const auto baked = persona::bake(model, learned);
  // The base and the shift's difference are written, not the product of the rounded factors.
  CHECK(at::allclose(predict(baked.denoiser()), predict(persona::personalized(model, learned).denoiser()), 1e-4, 1e-5));
  CHECK_FALSE(at::allclose(predict(baked.denoiser()), predict(model.denoiser())));
  check_invariants(baked, sum, tiny_subjects(), folder / "baked");
}

TEST_CASE("a module under two names is lent once, a batch norm that learns is refused") {
  struct Twice : nn::Module {
    Twice() { register_module("one", conv), register_module("other", conv), register_module("norm", norm); }
    Tensor forward(const Tensor& x, const Tensor&, const Tensor&) { return norm(conv(conv(x))); }
    nn::Conv2d conv{nn::Conv2dOptions(3, 3, 1)};
    nn::BatchNorm2d norm{3};
  };
  const auto module = std::make_shared<Twice>();
  CHECK_THROWS_WITH(persona::ModuleDenoiser(module), Catch::Contains("norm") && Catch::Contains("eval()"));
  module->eval();
  persona::ModuleDenoiser denoiser(module);
  CHECK(names(denoiser) == std::set<std::string>{"one.weight", "one.bias", "norm.weight", "norm.bias"});
}

TEST_CASE("a torch::nn module computes in its own dtype") {
  const Net net(at::kBFloat16);
  const persona::ModuleDenoiser denoiser(net);
  CHECK(predict(denoiser).scalar_type() == at::kFloat);
}

TEST_CASE("gradients through a torch::nn module are those through persona's weights") {
  const auto module = std::make_shared<OneImpl>();
  module->to(at::kDouble);
  const One plain{{.kind = persona::WeightKind::conv2d, .base = module->conv->weight.detach()}};
  const auto subjects = tiny_subjects();
  for (const auto plan : {persona::SpectralPlan::factored, persona::SpectralPlan::materialized}) {
    const auto sum = persona::recipe(persona::SpectralShift{.plan = plan});
    auto here = persona::personalize(model_with(persona::ModuleDenoiser(module)), subjects.front(), sum, {.steps = 4});
    auto there = persona::personalize(model_with(plain), subjects.front(), sum, {.steps = 4});
    here.drain(), there.drain();
    CHECK(at::allclose(here.session().bound().leaves.front().value, there.session().bound().leaves.front().value, 1e-4,
                       1e-7));
  }
}

TEST_CASE("invariants of weights on a TorchScript module, before and after a file") {
  const persona::test::Folder folder;
  persona::ScriptDenoiser made(script());
  CHECK(names(made) == std::set<std::string>{"conv.weight", "conv.bias", "read.weight", "read.bias"});
  check_weights(model_with(made), folder.path());

  script().save(folder / "net.pt");
  auto read = persona::ScriptDenoiser::load(folder / "net.pt");
  CHECK(names(read) == names(made));
  CHECK(at::equal(predict(read), predict(made)));
  check_weights(model_with(read), folder / "read");
}

TEST_CASE("a frozen TorchScript module learns rows, and says that it has no weights") {
  const persona::test::Folder folder;
  auto net = script();
  net.eval();
  const auto model = model_with(persona::ScriptDenoiser(torch::jit::freeze(net)));
  check_invariants(model, persona::recipe(persona::TokenInit{}), tiny_subjects(), folder / "rows");
  const auto subjects = tiny_subjects();
  CHECK_THROWS_WITH(
      persona::personalize(model, subjects.front(), persona::recipe(persona::SpectralShift{}), {.steps = 1}),
      Catch::Contains("the model's denoiser lends no weight") && Catch::Contains("torch.jit.freeze"));
}

TEST_CASE("a file that holds no TorchScript module is refused") {
  const persona::test::Folder folder;
  CHECK_THROWS_WITH(persona::ScriptDenoiser::load(folder / "none.pt"), Catch::Contains("there is no such file"));
  std::ofstream(folder / "bad.pt") << "not a module";
  CHECK_THROWS_WITH(persona::ScriptDenoiser::load(folder / "bad.pt"),
                    Catch::Contains("is not read as a TorchScript module"));
  torch::jit::Module empty("__torch__.Empty");
  CHECK_THROWS_WITH(persona::ScriptDenoiser(empty), Catch::Contains("the module has no forward"));
}
