// Textual Inversion and Cross Initialization against the published scripts' way of doing them
// (make_training_reference.py): AdamW over the whole token table with the other rows written back, against AdamW on the
// learned rows alone.

#include "parity/reference.hpp"

#include <persona/init/cross.hpp>
#include <persona/init/token.hpp>
#include <persona/loss/l2.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/schedule/ddpm.hpp>
#include <persona/train/bind.hpp>
#include <persona/train/step.hpp>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using persona::Tensor;
using persona::operator+;

/// Words "w5" or "w8_9" are the ids that they name.
struct IdTokenizer {
  std::vector<std::int64_t> encode(std::string_view text) const {
    std::vector<std::int64_t> ids;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
      std::istringstream pieces(word.substr(1));
      for (std::string piece; std::getline(pieces, piece, '_');) ids.push_back(std::stoll(piece));
    }
    return ids;
  }
  std::int64_t bos_token_id() const { return 0; }
  std::int64_t eos_token_id() const { return 1; }
  std::int64_t pad_token_id() const { return 1; }
  std::int64_t max_length() const { return 7; }
};

struct Case {
  std::string name;
  reference::Tensors stored;
  persona::ModelParts<IdTokenizer, persona::CLIPTextModel, persona::UNet2DConditionModel, persona::DDPMScheduler> model;
  std::vector<std::string> names;
  std::int64_t steps;
  double regularizer;

  explicit Case(const std::string& name, at::Device device = at::kCPU)
      : name(name),
        stored(reference::tensors(reference::data() / "methods" / (name + ".safetensors"), device)),
        model({}, reference::text_encoder(name, device), reference::unet(name, device),
              persona::DDPMScheduler(reference::scheduler_config(reference::json(
                                         reference::data() / "models" / name / "scheduler" / "scheduler_config.json")),
                                     device),
              {stored.at("latents").size(2), 8, 8}) {
    const auto cases = reference::json(reference::data() / "methods" / "cases.json");
    steps = cases.at("steps"), regularizer = cases.at("regularizer");
    for (const auto& words : cases.at("names")) {
      std::string text;
      for (const auto& word : words) {
        text += (text.empty() ? "w" : " w");
        for (std::size_t i = 0; i < word.size(); ++i) text += (i ? "_" : "") + std::to_string(word[i].get<int>());
      }
      names.push_back(text);
    }
  }

  persona::BindContext context(const std::vector<persona::Subject>& subjects) const {
    return {.subjects = subjects, .random = persona::Random(1)};
  }

  /// Trains with the stored latents, noise and timesteps; the ids behind the vocabulary are slots.
  void compare(const auto& sum, const std::string& run, const std::string& ids_name, std::int64_t vectors) {
    const std::vector<persona::Subject> subjects{{.token = "<s>", .class_word = "w5", .vectors = vectors}};
    auto bound = persona::bind(model, sum, context(subjects));
    const auto vocab = model.text_encoder().config().vocab_size;
    for (std::int64_t step = 0; step < steps; ++step) {
      persona::Batch batch;
      batch.latents = stored.at("latents")[step], batch.noise = stored.at("noise")[step],
      batch.t = stored.at("t")[step];
      const auto ids = stored.at(ids_name)[step];
      for (std::int64_t i = 0; i < ids.size(0); ++i) {
        persona::PromptTokens prompt;
        for (std::int64_t k = 0; k < ids.size(1); ++k) {
          const auto id = ids[i][k].item<std::int64_t>();
          if (id >= vocab) prompt.slots.push_back({k, id - vocab});
          prompt.ids.push_back(id >= vocab ? 0 : id);
        }
        batch.prompts.push_back(prompt);
      }
      const auto device = batch.latents.device();
      batch.ids = persona::stack_ids(batch.prompts, device);
      batch.plan = persona::make_splice_plan(batch.prompts, device);
      const persona::StepResult result = persona::step(model, batch, bound);
      result.loss.backward();
      bound.optimizer.step({});
      for (auto& leaf : bound.leaves) leaf.value.mutable_grad() = Tensor();
      INFO(name << " " << run << " step " << step);
      CHECK(result.loss.template item<double>() ==
            Approx(stored.at(run + ".losses")[step].item<double>()).epsilon(1e-5));
      CHECK(reference::relative_error(bound.rows[0].at({}).rows, stored.at(run + ".rows")[step]) <= 1e-5);
    }
  }
};

}  // namespace

TEST_CASE("Cross Initialization's start is the published script's, by word and by piece", "[parity]") {
  for (const std::string name : {"sd1_small", "sd2_small"}) {
    const Case test(name);
    const std::vector<persona::Subject> subjects{{.token = "<s>", .vectors = 2}};
    const auto rows = [&](persona::NameColumns columns) {
      return persona::CrossInit{.names = test.names, .columns = columns}.rows(test.model, test.context(subjects));
    };
    INFO(name);
    CHECK(reference::relative_error(rows(persona::NameColumns::words), test.stored.at("cross_init.words")) <= 1e-5);
    CHECK(reference::relative_error(rows(persona::NameColumns::pieces), test.stored.at("cross_init.pieces")) <= 1e-5);
  }
}

namespace {
void compare_methods(at::Device device) {
  for (const std::string name : {"sd1_small", "sd2_small"}) {
    Case test(name, device);
    const persona::AdamW adamw{.lr = 5e-3};
    test.compare(persona::TokenInit{} + adamw, "ti", "ti.ids", 1);
    test.compare(persona::CrossInit{test.names} + persona::L2Reg{test.regularizer} + adamw, "ci", "ci.ids", 2);
    test.compare(persona::CrossInit{.names = test.names, .columns = persona::NameColumns::pieces} +
                     persona::L2Reg{test.regularizer, persona::L2Form::mean_of_norms} + adamw,
                 "ci_published", "ci.ids", 2);
  }
}
}  // namespace

TEST_CASE("five steps on the rows alone are five steps over the whole table", "[parity]") { compare_methods(at::kCPU); }

TEST_CASE("the same five steps on the GPU", "[cuda]") {
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  compare_methods(at::kCUDA);
}
