// SVDiff: a cat from one photo, as shifts of the UNet's singular values, with and without the prior preserved. The rate
// is Toyland's; Stable Diffusion's is 1e-3.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(
      argc, argv, "persona: a cat in the singular values", examples::sks_cat("out/svdiff"), [](auto& show) {
        const persona::PriorPreservation prior{.images = 32, .sampling = {.steps = 25, .guidance = 3.5}};
        show.learn("SVDiff", persona::svdiff(prior, 1e-2), 300, 2);
        show.learn("SVDiff, nothing preserved", persona::svdiff_single_image(1e-2), 300, 2);
      });
}
