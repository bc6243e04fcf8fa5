#pragma once
// Fig. 3 of Cross Initialization: what becomes of a word's picture when the text encoder reads its own output for the
// word, E(v), in place of the word's row v.

#include "support/table_runs.hpp"

#include <string>
#include <vector>

namespace tables {

/// For one of the probe's kinds: the share of pictures that show it, by its row and by E of its row, and the cosine of
/// the two pictures of one seed beside that of two pictures of the row.
inline nlohmann::json feed_back(const persona::StableDiffusion& sd, const Metrics& metrics, int kind,
                                const Drawing& drawing, std::vector<persona::Image>* shown = nullptr) {
  const at::NoGradGuard no_grad;
  const std::string word(toyland::kind_names[static_cast<std::size_t>(kind)]);
  const auto table = sd.text_encoder().embedding_table();
  const auto row = table[sd.tokenizer().encode(word).front()].unsqueeze(0).to(at::kFloat);
  const auto draw = [&](const persona::Tensor& rows) {
    const persona::Learned learned{.rows = {{.token = "<one>", .rows = rows}}};
    const std::vector<std::string> prompts(8, "a photo of a <one>");
    return persona::generate(
        sd.with(learned), prompts,
        {.steps = drawing.steps, .guidance = drawing.guidance, .seed = drawing.seed, .sampler = "ddim"});
  };
  const auto stacked = [](const std::vector<persona::Image>& images) {
    std::vector<persona::Tensor> list;
    for (const auto& image : images) list.push_back(persona::to_tensor(image));
    return at::stack(list);
  };
  const auto by_row = draw(row), by_output = draw(persona::encoder_output(sd, row));
  if (shown) *shown = {by_row[0], by_output[0], by_row[1], by_output[1]};
  const auto a = stacked(by_row), b = stacked(by_output);
  const auto share_of = [&](const persona::Tensor& images) {
    double right = 0;
    for (const auto& answers : metrics.probe.look(images)) right += answers[toyland::kind_question] == kind;
    return right / static_cast<double>(images.size(0));
  };
  const auto unit_a = metrics.pair.embed_images(a), unit_b = metrics.pair.embed_images(b);
  return {{"kind_by_row", share_of(a)},
          {"kind_by_output", share_of(b)},
          {"alike", (unit_a * unit_b).sum(1).mean().item<double>()},
          {"seeds_alike", (unit_a * unit_a.roll(1, 0)).sum(1).mean().item<double>()}};
}

}  // namespace tables
