#pragma once
// persona generate: pictures of prompts, with learned things in the model.

#include "command/bars.hpp"
#include "command/learned_file.hpp"
#include "command/subject.hpp"
#include "command/usage.hpp"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace command {

struct Drawing {
  std::vector<std::string> prompts{}, learned{};
  std::string token{};
  std::int64_t images = 1;  ///< a prompt
};

namespace detail {
/// A prompt as a file's name.
inline std::string slug(const std::string& prompt) {
  std::string text;
  for (const unsigned char c : prompt) {
    if (std::isalnum(c) || c >= 0x80)
      text += static_cast<char>(std::tolower(c));
    else if (!text.empty() && text.back() != '-')
      text += '-';
    if (text.size() >= 48) break;
  }
  while (text.ends_with('-')) text.pop_back();
  return text.empty() ? "picture" : text;
}
}  // namespace detail

inline int draw(const Settings& settings, Drawing what) {
  if (settings.model.empty())
    throw Usage("--model", "no model is given", "a diffusers folder of Stable Diffusion 1.x or 2.x");
  if (what.prompts.empty()) throw Usage("--prompt", "no prompt is given", "--prompt 'a photo of <one>'");
  if (what.images < 1) throw Usage("--num-images", "is " + std::to_string(what.images), "at least 1");
  const auto base = Model::load(settings.model, loading_of(settings));
  persona::Personalized<Model> model(base, {});
  std::vector<std::string> tokens;
  for (const auto& file : what.learned) {
    const auto learned = read_learned(file, &base, what.token);
    for (const auto& row : learned.rows) tokens.push_back(row.token);
    model = model.with(learned);
  }
  std::vector<std::string> prompts;
  for (auto prompt : what.prompts) {
    if (prompt.find("{}") != prompt.npos) {
      if (tokens.size() != 1)
        throw Usage("--prompt",
                    "'" + prompt + "' has {} in it, and " + std::to_string(tokens.size()) + " tokens are learned",
                    "write the token");
      prompt = persona::fill_template(prompt, tokens.front());
    }
    prompts.insert(prompts.end(), static_cast<std::size_t>(what.images), prompt);
  }
  Bars bars;
  const auto pictures = persona::generate(model, prompts, bars.of("pictures", drawing_of(settings)));
  const std::filesystem::path out = settings.out;
  std::filesystem::create_directories(out);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%03zu-", i + 1);
    const auto file = out / (number + detail::slug(prompts[i]) + ".png");
    persona::write_png(pictures[i], file);
    std::cout << file.string() << '\n';
  }
  if (pictures.size() > 1) {
    persona::write_png(
        persona::make_grid(pictures, {.captions = prompts, .scale = pictures.front().width < 128 ? 2 : 1}),
        out / "grid.png");
    std::cout << (out / "grid.png").string() << '\n';
  }
  return done;
}

}  // namespace command
