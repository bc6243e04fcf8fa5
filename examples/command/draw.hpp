#pragma once
// persona generate: pictures of prompts, with learned things in the model.

#include "command/bars.hpp"
#include "command/folder_lock.hpp"
#include "command/learned_file.hpp"
#include "command/out_folder.hpp"
#include "command/subject.hpp"
#include "command/usage.hpp"

#include <algorithm>
#include <charconv>
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
  // No letter of several bytes is cut.
  auto last = text.size();
  while (last > 0 && (static_cast<unsigned char>(text[last - 1]) & 0xC0U) == 0x80) --last;
  if (last > 0 && static_cast<unsigned char>(text[last - 1]) >= 0xC0) {
    const auto lead = static_cast<unsigned char>(text[last - 1]);
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (text.size() - (last - 1) < length) text.resize(last - 1);
  }
  while (text.ends_with('-')) text.pop_back();
  return text.empty() ? "picture" : text;
}
/// What stands in a prompt as a token, and is none that was learned.
inline void warn_of_strangers(const std::string& prompt, const std::vector<persona::Placeholder>& known) {
  for (auto from = prompt.find('<'); from != prompt.npos; from = prompt.find('<', from + 1)) {
    const auto to = prompt.find('>', from);
    if (to == prompt.npos) return;
    const auto token = prompt.substr(from, to - from + 1);
    const auto same = [&](const persona::Placeholder& one) { return one.token == token; };
    if (token.find(' ') == token.npos && std::ranges::none_of(known, same))
      persona::warn("generate", "'" + token + "' was not learned: its letters are read as they stand",
                    "--learned FILE, or --token NAME for an embedding's");
  }
}
/// Behind the pictures that are there: none is overwritten.
inline std::size_t next_number(const std::filesystem::path& folder) {
  std::size_t last = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    std::size_t number = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), number).ec == std::errc())
      last = std::max(last, number);
  }
  return last + 1;
}
}  // namespace detail

inline int draw(const Settings& settings, Drawing what) {
  if (settings.model.empty())
    throw Usage("--model", "no model is given", "a diffusers folder of Stable Diffusion 1.x or 2.x");
  if (what.prompts.empty()) throw Usage("--prompt", "no prompt is given", "--prompt 'a photo of <one>'");
  if (what.images < 1 || what.images > 10000)
    throw Usage("--num-images", "is " + std::to_string(what.images), "1 to 10000");
  expect_writable(settings.out);  // before what takes long
  const auto base = Model::load(settings.model, loading_of(settings));
  persona::Personalized<Model> model(base, {});
  std::vector<std::string> names;  // how prompts call what was learned
  for (const auto& file : what.learned) {
    const auto learned = read_learned(file, &base, what.token);
    for (const auto& row : learned.rows)
      for (const auto& known : model.placeholders())
        if (row.token == known.token)
          throw persona::Error("--learned " + file, "its token '" + row.token + "' is that of an earlier file too",
                               "rename one: persona convert " + file + " --to learned --token '<two>' --out FOLDER");
    const auto with = [&] {
      try {
        return model.with(learned);
      } catch (const persona::Error& error) {  // which of the files it was
        throw persona::Error("--learned " + file, error.what());
      }
    };
    if (const auto called = learned.metadata.find(called_key); called != learned.metadata.end())
      names.push_back(called->second);
    else
      for (const auto& row : learned.rows) names.push_back(row.token);
    model = with();
  }
  std::vector<std::string> prompts;
  for (auto prompt : what.prompts) {
    if (prompt.find("{}") != prompt.npos) {
      if (names.size() != 1)
        throw Usage("--prompt",
                    "'" + prompt + "' has {} in it, and the files name " + std::to_string(names.size()) + " things",
                    "write what it is to be, such as <one> or sks cat");
      prompt = persona::fill_template(prompt, names.front());
    }
    detail::warn_of_strangers(prompt, model.placeholders());
    prompts.insert(prompts.end(), static_cast<std::size_t>(what.images), prompt);
  }
  Bars bars;
  const auto pictures = persona::generate(model, prompts, bars.of("pictures", drawing_of(settings)));
  const auto out = make_folder(settings.out);
  const FolderLock lock(out, true);  // another program may be numbering its pictures
  const auto first = detail::next_number(out);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "%03zu-", first + i);
    const auto file = out / (number + detail::slug(prompts[i]) + ".png");
    persona::write_png(pictures[i], file);
    std::cout << file.string() << '\n';
  }
  if (pictures.size() > 1) {
    char name[64];
    std::snprintf(name, sizeof name, "grid-%03zu-%03zu.png", first, first + pictures.size() - 1);
    const auto grid = out / name;
    persona::write_png(
        persona::make_grid(pictures, {.captions = prompts, .scale = pictures.front().width < 128 ? 2 : 1}), grid);
    std::cout << grid.string() << '\n';
  }
  return done;
}

}  // namespace command
