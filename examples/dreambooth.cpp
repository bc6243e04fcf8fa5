// DreamBooth: a cat from one photo, as the UNet's weights themselves, with and without the prior preserved. The rate is
// Toyland's: its UNet has a hundredth of Stable Diffusion's weights.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(
      argc, argv, "persona: a cat in all weights", examples::sks_cat("out/dreambooth"), [](auto& show) {
        const persona::PriorPreservation prior{.images = 32, .sampling = {.steps = 25, .guidance = 3.5}};
        show.learn("DreamBooth", persona::dreambooth(prior, 1e-4), 300, 2);
        show.learn("nothing preserved", persona::dreambooth({.weight = 0, .images = 1}, 1e-4), 300, 2);
      });
}
