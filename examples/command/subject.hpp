#pragma once
// What the settings say of the thing, as a Subject; and of pictures.

#include "command/methods.hpp"

#include <string>
#include <vector>

namespace command {

inline persona::Captions captions_of(const Settings& s) {
  using persona::TemplateSet;
  if (s.captions == "object") return {.templates = TemplateSet::object};
  if (s.captions == "style") return {.templates = TemplateSet::style};
  if (s.captions == "mixed") return {.templates = TemplateSet::mixed};
  if (s.captions == "files") return persona::Captions::files();
  if (s.captions.find("{}") == s.captions.npos && s.captions.find(s.token) == s.captions.npos)
    throw persona::Error("--captions", "'" + s.captions + "' has neither {} nor the token '" + s.token + "' in it",
                         "object, style, mixed, files, or a text such as 'a photo of {}'");
  return persona::Captions::prompt(s.captions);
}

/// Where weights are learned, or a token beside them, the class word goes along: "sks cat".
inline bool says_class(const Method& method) { return !method.learns_rows || method.name == "custom_diffusion"; }

inline persona::Subject subject_of(const Method& method, const Settings& s) {
  if (s.photos.empty())
    throw persona::Error("--photos", "no photos are given", "a folder of PNG or JPEG files, or one such file");
  persona::Subject subject{.token = s.token,
                           .class_word = s.class_word,
                           .photos = persona::photos(s.photos),
                           .captions = captions_of(s),
                           .vectors = s.vectors,
                           .phrase = s.phrase};
  if (says_class(method) && s.phrase.empty() && !s.class_word.empty()) subject.phrase = "{} " + s.class_word;
  // Cross Initialization's own way to speak of a face.
  if (!says_class(method) && s.phrase.empty() && s.vectors == 2 && s.class_word == "person")
    subject.phrase = "face of {} person";
  return subject;
}

/// How prompts call the thing: "<one>", "<one> person", "sks cat".
inline std::string called(const Method& method, const Settings& s, const persona::Subject& subject) {
  return says_class(method) ? subject.prompt_token() : s.token + (s.class_word == "person" ? " person" : "");
}

/// What validations draw, {} filled.
inline std::vector<std::string> prompts_of(const Method& method, const Settings& s, const persona::Subject& subject) {
  auto prompts = s.validation_prompts;
  if (!s.validate) return {};
  if (prompts.empty())
    for (const char* text : {"a photo of a {}", "a {} on the beach", "a {} in the snow", "a painting of a {}"})
      prompts.push_back(text);
  for (auto& prompt : prompts) prompt = persona::fill_template(prompt, called(method, s, subject));
  return prompts;
}

inline persona::GenerateOptions drawing_of(const Settings& s) {
  return {.steps = s.num_inference_steps,
          .guidance = s.guidance_scale,
          .seed = static_cast<std::uint64_t>(s.seed),
          .negative = s.negative_prompt,
          .sampler = s.sampler,
          .eta = s.eta};
}

inline persona::LoadOptions loading_of(const Settings& s) {
  return {.device = s.device,
          .dtype = s.dtype,
          .text_dtype = s.text_dtype,
          .tokenizer = s.tokenizer,
          .prediction_type = s.prediction_type};
}

inline persona::TrainOptions training_of(const Settings& s) {
  return {.steps = s.steps,
          .batch = s.batch,
          .accumulate = s.accumulate,
          .seed = static_cast<std::uint64_t>(s.seed),
          .cache = std::filesystem::path(s.out) / "cache",
          .center_crop = s.center_crop};
}

}  // namespace command
