#pragma once

#include <persona/core/error.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// What is said of a thing: 27 lines (Textual Inversion, diffusers' list); `{}` is where the thing's name goes.
inline constexpr std::array<std::string_view, 27> object_templates{
    "a photo of a {}",         "a rendering of a {}",      "a cropped photo of the {}", "the photo of a {}",
    "a photo of a clean {}",   "a photo of a dirty {}",    "a dark photo of the {}",    "a photo of my {}",
    "a photo of the cool {}",  "a close-up photo of a {}", "a bright photo of the {}",  "a cropped photo of a {}",
    "a photo of the {}",       "a good photo of the {}",   "a photo of one {}",         "a close-up photo of the {}",
    "a rendition of the {}",   "a photo of the clean {}",  "a rendition of a {}",       "a photo of a nice {}",
    "a good photo of a {}",    "a photo of the nice {}",   "a photo of the small {}",   "a photo of the weird {}",
    "a photo of the large {}", "a photo of a cool {}",     "a photo of a small {}"};

/// What is said of a style: 19 lines, two of them twice; a caption is drawn by the list, so the duplicates count.
inline constexpr std::array<std::string_view, 19> style_templates{
    "a painting in the style of {}",         "a rendering in the style of {}",
    "a cropped painting in the style of {}", "the painting in the style of {}",
    "a clean painting in the style of {}",   "a dirty painting in the style of {}",
    "a dark painting in the style of {}",    "a picture in the style of {}",
    "a cool painting in the style of {}",    "a close-up painting in the style of {}",
    "a bright painting in the style of {}",  "a cropped painting in the style of {}",
    "a good painting in the style of {}",    "a close-up painting in the style of {}",
    "a rendition in the style of {}",        "a nice painting in the style of {}",
    "a small painting in the style of {}",   "a weird painting in the style of {}",
    "a large painting in the style of {}"};

namespace detail {
// 27 photos, then the same lines as illustrations and as depictions: only lines that begin with "a photo of" change.
struct MixedTemplates {
  static constexpr std::string_view photo = "a photo of";
  static constexpr std::size_t longest = 40;
  std::array<std::array<char, longest>, 81> text{};
  std::array<std::size_t, 81> length{};

  constexpr MixedTemplates() {
    constexpr std::array<std::string_view, 3> kinds{photo, "an illustration of", "a depiction of"};
    std::size_t line = 0;
    for (const std::string_view kind : kinds)
      for (const std::string_view object : object_templates) {
        const bool changes = object.starts_with(photo);
        append(line, changes ? kind : object);
        if (changes) append(line, object.substr(photo.size()));
        ++line;
      }
  }

 private:
  constexpr void append(std::size_t line, std::string_view piece) {
    for (const char c : piece) text[line][length[line]++] = c;
  }
};
inline constexpr MixedTemplates mixed_text{};

constexpr std::array<std::string_view, 81> mixed_views() {
  std::array<std::string_view, 81> views{};
  for (std::size_t i = 0; i < views.size(); ++i) views[i] = {mixed_text.text[i].data(), mixed_text.length[i]};
  return views;
}
}  // namespace detail

/// The 81 lines of Textual Inversion's first repository (57 different ones): photos, illustrations and depictions; also
/// what Cross Initialization and Celeb Basis train with.
inline constexpr std::array<std::string_view, 81> mixed_templates = detail::mixed_views();

enum class TemplateSet { object, style, mixed };

/// The lines of a set, in the order that the papers' code draws from.
constexpr std::span<const std::string_view> templates_of(TemplateSet set) {
  switch (set) {
    case TemplateSet::style:
      return style_templates;
    case TemplateSet::mixed:
      return mixed_templates;
    case TemplateSet::object:
      break;
  }
  return object_templates;
}

/// `line` with every `{}` replaced by `what`; a line without one stays as it is.
inline std::string fill_template(std::string_view line, std::string_view what) {
  std::string filled;
  for (std::size_t at = 0;;) {
    const auto hole = line.find("{}", at);
    filled.append(line.substr(at, hole - at));
    if (hole == std::string_view::npos) return filled;
    filled.append(what);
    at = hole + 2;
  }
}

/// What is said of a subject's photos: a template set, `Captions::prompt(text)`, or `Captions::files()`.
struct Captions {
  enum class Source { templates, prompt, files };

  TemplateSet templates = TemplateSet::object;
  Source source = Source::templates;
  std::string fixed_prompt{};

  /// The same caption for every photo: "a photo of {}", or with the token written out.
  static Captions prompt(std::string text) { return {.source = Source::prompt, .fixed_prompt = std::move(text)}; }
  /// Beside every `name.png` a `name.txt` with its caption.
  static Captions files() { return {.source = Source::files}; }

  friend bool operator==(const Captions&, const Captions&) = default;
};

/// Throws Error naming the caption unless `token` occurs in it: a caption without its token teaches the token nothing.
inline void require_token(std::string_view caption, std::string_view token, const std::string& where = "captions") {
  if (!token.empty() && caption.find(token) != std::string_view::npos) return;
  throw Error(where,
              "the token '" + std::string(token) + "' does not occur in the caption '" + std::string(caption) + "'",
              "write the token, or {} where it goes, into every caption");
}

/// The caption in the text file beside `photo`, without a byte-order mark and without white space around it; throws
/// Error naming the file when it is missing or empty.
inline std::string read_caption(const std::filesystem::path& photo) {
  auto path = photo;
  path.replace_extension(".txt");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(path.string(), "no caption file for '" + photo.filename().string() + "'",
                "put one beside the photo, or use templates");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  constexpr std::string_view white = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(white);
  if (first == std::string::npos)
    throw Error(path.string(), "the caption file is empty", "one caption, with the token in it");
  return text.substr(first, text.find_last_not_of(white) + 1 - first);
}

/// The captions that one photo may be shown with, `{}` filled with `what`; each access draws one of them, all alike
/// likely.
inline std::vector<std::string> captions_of(const Captions& captions, std::string_view what,
                                            const std::filesystem::path& photo = {}) {
  switch (captions.source) {
    case Captions::Source::prompt:
      return {fill_template(captions.fixed_prompt, what)};
    case Captions::Source::files:
      return {fill_template(read_caption(photo), what)};
    case Captions::Source::templates:
      break;
  }
  std::vector<std::string> filled;
  for (const std::string_view line : templates_of(captions.templates)) filled.push_back(fill_template(line, what));
  return filled;
}

}  // namespace persona
