// What the library adds to a training step: a run's step against a loop written by hand over the same modules, in turn.

#include "support/model.hpp"
#include "support/pairs.hpp"

#include <persona/core/memory.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>

#include <ATen/Parallel.h>

#include <string>
#include <vector>

namespace {

/// The same step without the library's loop: one row, moments kept, AdamW on the row alone.
class ByHand {
 public:
  ByHand(const persona::StableDiffusion& sd, const persona::Subject& subject, const at::Tensor& row,
         const at::Tensor& image, std::int64_t batch)
      : sd_(sd), batch_(batch), generator_(persona::Random(7).at(persona::Stream::noise)), row_(row.clone()) {
    const at::NoGradGuard no_grad;
    for (const auto& view : {image, image.flip({-1})}) {
      const auto moments = sd.autoencoder().encode(view.unsqueeze(0));
      means_.push_back(moments.mean), stds_.push_back(moments.std);
    }
    mean_ = at::cat(means_), std_ = at::cat(stds_);
    row_.set_requires_grad(true);
    exp_avg_ = at::zeros_like(row_), exp_avg_sq_ = at::zeros_like(row_), count_ = at::zeros({});
    captions_ = persona::captions_of(subject.captions, subject.prompt_token());
    placeholder_ = subject.placeholder();
  }

  void step() {
    std::vector<persona::PromptTokens> prompts;
    for (std::int64_t i = 0; i < batch_; ++i)
      prompts.push_back(persona::tokenize_prompt(
          sd_.tokenizer(), captions_[static_cast<std::size_t>(random(static_cast<std::int64_t>(captions_.size())))],
          {&placeholder_, 1}));
    const auto views = at::randint(0, 2, {batch_}, generator_, at::kLong);
    const auto mean = mean_.index_select(0, views);
    const auto x0 = (mean + std_.index_select(0, views) * at::randn(mean.sizes(), generator_, mean.options())) *
                    sd_.autoencoder().scaling_factor();
    const auto noise = at::randn(x0.sizes(), generator_, x0.options());
    const auto t = at::randint(0, 1000, {batch_}, generator_, at::kLong);
    const auto base = at::embedding(sd_.text_encoder().embedding_table(), persona::stack_ids(prompts));
    const auto states = sd_.text_encoder().encode(persona::splice(base, persona::make_splice_plan(prompts), row_));
    const auto prediction =
        sd_.denoiser().predict(sd_.scheduler().add_noise(x0, noise, t), t, {.states = states}).to(at::kFloat);
    at::mse_loss(prediction, sd_.scheduler().target(x0, noise, t)).backward();
    const at::NoGradGuard no_grad;
    count_.add_(1);
    at::_fused_adamw_({row_}, {row_.grad()}, {exp_avg_}, {exp_avg_sq_}, {}, {count_}, 5e-3, 0.9, 0.999, 1e-2, 1e-8,
                      false, false);
    row_.mutable_grad() = at::Tensor();
  }

 private:
  std::int64_t random(std::int64_t n) { return at::randint(0, n, {}, generator_, at::kLong).item<std::int64_t>(); }

  const persona::StableDiffusion& sd_;
  std::int64_t batch_;
  at::Generator generator_;
  at::Tensor row_, mean_, std_, exp_avg_, exp_avg_sq_, count_;
  std::vector<at::Tensor> means_, stds_;
  std::vector<std::string> captions_;
  persona::Placeholder placeholder_;
};

}  // namespace

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  bench::StepSettings settings;
  CLI::App app("A run's step against a loop written by hand over the same modules.");
  settings.add_to(app);
  CLI11_PARSE(app, argc, argv);
  const auto& [model, batch, pairs] = settings;

  const auto sd = persona::StableDiffusion::load(model);
  const auto subject = bench::some_subject(sd);
  auto run = persona::personalize(sd, subject, persona::recipe(persona::TokenInit{}),
                                  {.steps = pairs + 5, .batch = batch, .seed = 1});
  ByHand hand(sd, subject, run.session().bound().rows[0].initial, persona::to_tensor(subject.photos[0].image), batch);
  auto it = run.begin();
  const auto library_step = [&] { static_cast<void>(*it), ++it; };
  for (int i = 0; i < 5; ++i) library_step(), hand.step();
  const auto times = bench::Pairs::in_turn(pairs, [&] { hand.step(); }, library_step);
  times.print("step, batch " + std::to_string(batch) + ", " + std::to_string(at::get_num_threads()) + " threads",
              "by hand", "persona");
}
