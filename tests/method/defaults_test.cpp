// The named methods: how long each trains and at what rate unless told otherwise, as their pages say.

#include "support/catch.hpp"

#include <persona/method/batex.hpp>
#include <persona/method/celeb_basis.hpp>
#include <persona/method/cross_initialization.hpp>
#include <persona/method/custom_diffusion.hpp>
#include <persona/method/dreambooth.hpp>
#include <persona/method/lora.hpp>
#include <persona/method/neti.hpp>
#include <persona/method/svdiff.hpp>
#include <persona/method/textual_inversion.hpp>
#include <persona/method/xti.hpp>
#include <persona/testing.hpp>
#include <persona/train/bind.hpp>

#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace persona;

const std::vector<std::string> names{"ada lovelace", "grace hopper", "mary hopper", "ada face", "dog cat"};

/// What a sum trains with on the tiny model.
struct Defaults {
  std::int64_t steps = 0;
  double rate = 0;
};
template <class... C>
Defaults of(const Recipe<C...>& sum) {
  auto model = testing::tiny_model();
  const auto subjects = testing::tiny_subjects(2, 2);
  const BindContext context{
      .subjects = subjects,
      .sample = [](const std::string&, std::int64_t n, const SampleOptions&) { return at::zeros({n, 3, 4, 4}); }};
  const auto bound = bind(model, sum, context);
  double rate = bound.default_learning_rate;
  if constexpr (Recipe<C...>::template count<Role::optimizer> == 1)
    if (const auto& adamw = std::get<AdamW>(sum.components); adamw.lr > 0) rate = adamw.lr;
  return {bound.default_steps, rate};
}
template <class... C>
void check(const Recipe<C...>& sum, std::int64_t steps, double rate) {
  INFO(to_string(sum.describe().back()));
  const auto found = of(sum);
  CHECK(found.steps == steps);
  CHECK(found.rate == rate);
}

}  // namespace

TEST_CASE("methods of token rows train as long and as fast as their pages say") {
  check(textual_inversion("cat"), 3000, 5e-3);
  check(cross_initialization(names), 320, 5e-3);
  check(cross_initialization_as_published({"ada hopper"}), 320, 5e-3);
  check(cross_initialization_fast(names), 320, 8e-2);  // its 25 steps are asked for by .steps
  check(cross_initialization_near("cat"), 320, 5e-3);
  check(cross_initialization_near({}, 2e-2), 320, 2e-2);
  check(batex("cat"), 500, 2e-3);
  check(batex_as_published("cat"), 500, 2e-3);
  check(xti("cat"), 500, 5e-3);
  check(neti("cat"), 1000, 1e-3);
  check(neti_as_published("cat"), 1000, 8e-3);
  const auto features = at::stack({at::ones({5}), at::arange(5, at::kFloat)});
  check(celeb_basis(names, features), 400, 1e-2);
  check(celeb_basis_direct(names), 400, 1e-2);
}

TEST_CASE("methods of weights train as long and as fast as their pages say") {
  const PriorPreservation prior{"a photo of a dog"};
  check(svdiff(prior), 500, 1e-3);
  check(svdiff_single_image(), 500, 1e-3);
  check(svdiff_cut_mix_unmix(prior), 500, 1e-3);
  check(svdiff_as_ported(prior), 500, 1e-3);
  check(dreambooth(prior), 800, 5e-6);
  check(dreambooth_with_text_encoder(prior), 800, 2e-6);
  check(custom_diffusion("cat", prior), 250, 1e-5);
  check(lora(2), 500, 1e-4);
  check(dreambooth_lora(prior, 2), 500, 1e-4);
}

TEST_CASE("a component whose default depends on its fields says nothing where it has none") {
  const persona::CrossInit mean{.names = names, .use_encoder = false};
  CHECK_FALSE(mean.default_steps().has_value());
  CHECK_FALSE((CrossInitNear{.word = "cat", .use_encoder = false}.default_steps().has_value()));
  CHECK(CrossInitNear{}.default_steps() == 320);
  check(mean + FreeRows{}, 3000, 5e-3);
  check(mean + LayeredRows{}, 500, 5e-3);
  check(CrossInit{.names = names} + LayeredRows{}, 320, 5e-3);
}
