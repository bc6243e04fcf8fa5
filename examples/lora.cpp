// LoRA: a cat from one photo, as rank-4 and rank-16 changes of the UNet's attention, and a DoRA, with the prior
// preserved. The rate is Toyland's. Writes the first as diffusers and kohya read it.

#include "support/page.hpp"

int main(int argc, char** argv) {
  return examples::show(
      argc, argv, "persona: a cat in low-rank changes", examples::sks_cat("out/lora"), [](auto& show) {
        const persona::PriorPreservation prior{.images = 32, .sampling = {.steps = 25, .guidance = 3.5}};
        const auto learned = show.learn("LoRA, rank 4", persona::dreambooth_lora(prior, 4, 1e-3), 300, 2);
        for (const auto& [format, name] : {std::pair(persona::WeightFormat::diffusers_lora, "diffusers.safetensors"),
                                           std::pair(persona::WeightFormat::kohya_lora, "kohya.safetensors")})
          persona::export_weights(show.sd, learned, std::filesystem::path(show.settings.out) / name, format);
        show.learn("LoRA, rank 16", persona::dreambooth_lora(prior, 16, 1e-3), 300, 2);
        show.learn("DoRA, rank 4", persona::DoRA{{.rank = 4}} + prior + persona::AdamW{.lr = 1e-3}, 300, 2);
      });
}
