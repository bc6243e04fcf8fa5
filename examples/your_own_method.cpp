// A method of your own, in one file: an initializer, a row parameterization and a regularizer in a namespace of yours,
// and a denoiser that is no UNet. Nothing is derived, registered or changed in persona. docs/how-to/first_own_method.md

#include <persona/persona.hpp>
#include <persona/testing.hpp>

#include <cmath>
#include <filesystem>
#include <iomanip>
#include <iostream>

namespace mine {
using persona::operator+;  // sums of types of this namespace find it here
using persona::BindContext, persona::Description, persona::Leaf, persona::Plays, persona::Role;
using persona::Tensor, persona::Weight;

/// Initializer: rows start between some words, each a little off, so that two rows of a token differ.
struct BetweenWords {
  using plays = Plays<Role::initializer>;
  std::vector<std::string> words{};
  double spread = 0.01;

  template <class Model>
  Tensor rows(const Model& model, const BindContext& context) const {
    if (words.empty()) throw persona::Error("BetweenWords", "no words to start from", "give BetweenWords{{\"dog\"}}");
    const Tensor table = model.text_encoder().embedding_table();  // [V, D]
    std::vector<Tensor> rows;
    for (const auto& word : words)
      rows.push_back(table[persona::single_token(model.tokenizer(), word, "BetweenWords")]);
    const auto noise = at::randn({context.current().vectors, table.size(1)}, context.generator());
    return at::stack(rows).mean(0) + spread * noise.to(table.device());
  }
  Description describe() const { return {"BetweenWords", {{"words", words}, {"spread", spread}}}; }
};
static_assert(persona::explain_initializer<BetweenWords>());

/// Row parameterization: a row is a length and a direction, v = e^s d / |d|. State holds what is trained.
struct LengthAndDirection {
  using plays = Plays<Role::row_parameterization>;
  struct State {
    Leaf log_length{}, direction{};  // [n, 1], [n, D]
    std::vector<Leaf> leaves() const { return {log_length, direction}; }
    Tensor rows() const { return log_length.value.exp() * direction.value / direction.value.norm(2, {1}, true); }
  };
  template <class Model>
  State bind(const Tensor& rows, const Model&, const BindContext&) const {
    return {persona::make_leaf("log_length", rows.norm(2, {1}, true).log()), persona::make_leaf("direction", rows)};
  }
  Description describe() const { return {"LengthAndDirection", {}}; }
};
static_assert(persona::explain_row_parameterization<LengthAndDirection>());

/// Regularizer: weight * (|v| - the mean length of a word's row)^2. bind() computes once what every step uses.
struct AsLongAsWords {
  using plays = Plays<Role::regularizer>;
  double weight = 1e-2;

  struct Bound {
    Tensor length{};
    double weight = 0;
    Tensor loss(const persona::StepView& view) const {
      auto sum = at::zeros({}, length.options());
      for (const Tensor& rows : view.rows) sum = sum + (rows.norm(2, {-1}) - length).square().sum();
      return weight * sum;
    }
  };
  template <class Model>
  Bound bind(const Model& model, const BindContext&) const {
    return {model.text_encoder().embedding_table().to(at::kFloat).norm(2, {1}).mean(), weight};
  }
  Description describe() const { return {"AsLongAsWords", {{"weight", weight}}}; }
};
static_assert(persona::explain_regularizer<AsLongAsWords>());

/// Denoiser: a perceptron over all pixels that is told the prompt and the time. Its Weights can be changed by any
/// weight parameterization. Here they are random; yours would be read from a file (persona::SafeTensors).
struct Perceptron {
  static constexpr std::int64_t pixels = 3 * 8 * 8, width = 32, words = 6;
  Weight enter = random(pixels, width), tell = random(words, width), leave = random(width, pixels);

  static Weight random(std::int64_t in, std::int64_t out) {
    const auto generator = persona::Random(static_cast<std::uint64_t>(in)).at(persona::Stream::initialization);
    return {.kind = persona::WeightKind::linear, .base = at::randn({out, in}, generator) / std::sqrt(in)};
  }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("enter.weight", self.enter), f("tell.weight", self.tell), f("leave.weight", self.leave);
  }
  std::vector<persona::WeightRef> weights() { return persona::weight_refs(*this); }

  Tensor predict(const Tensor& x_t, const Tensor& t, const Tensor& states) const {  // [B, 3, 8, 8], [B], [B, L, words]
    const auto told = tell.linear(states.mean(1), {}) + (t.to(at::kFloat) / 1000).unsqueeze(1);
    return leave.linear(at::gelu(enter.linear(x_t.flatten(1), {}) + told), {}).view(x_t.sizes());
  }
};
static_assert(persona::explain_denoiser<Perceptron>() && persona::explain_weight_host<Perceptron>());
}  // namespace mine

int main() try {
  const auto tiny = persona::testing::tiny_model();  // for its tokenizer and text encoder: put yours there
  const persona::ModelParts model(tiny.tokenizer(), tiny.text_encoder(), mine::Perceptron{}, tiny.scheduler(),
                                  {3, 8, 8});
  const auto subjects = persona::testing::tiny_subjects(1, /*vectors=*/2);
  const auto sum = mine::BetweenWords{.words = {"dog", "cat"}} + mine::LengthAndDirection{} + mine::AsLongAsWords{} +
                   persona::LowRank{.weights = persona::subsets::matrices()} + persona::AdamW{.lr = 1e-2};
  const std::filesystem::path folder = "out/your_own_method";
  std::filesystem::remove_all(folder);
  persona::testing::check_invariants(model, sum, subjects, folder);  // throws what the sum breaks
  std::cout << "every invariant holds\n" << std::fixed << std::setprecision(1);

  auto run = persona::personalize(model, subjects.front(), sum, {.steps = 100, .batch = 64, .seed = 1});
  for (const persona::Step& step : run)
    if (step.index % 99 == 1) std::cout << "step " << step.index << ": loss " << step.loss() << '\n';
  run.learned().save(folder / "one.safetensors");
  const auto learned = persona::Learned::load(folder / "one.safetensors");
  std::cout << "learned " << learned.of("<one>").vectors() << " rows and " << learned.weights.size() << " weights\n";
} catch (const persona::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
