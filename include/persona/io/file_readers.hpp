#pragma once
// Which tools read a file of which kind, which call of persona does, and what to know before.

#include <persona/io/file_description.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace persona::detail {

/// Fills in readers, call and note of a description whose kind, tensors, rows and base are known.
inline void describe_readers(FileDescription& told) {
  const auto read_by = [&](std::initializer_list<const char*> tools) {
    told.readers.assign(tools.begin(), tools.end());
  };
  const auto drop = [&](std::string_view tool) { std::erase(told.readers, tool); };
  const auto note = [&](const std::string& text) { told.note += (told.note.empty() ? "" : "; ") + text; };
  // Other tools know an embedding's model by its width, and stable-diffusion.cpp copies rows as fp32.
  const auto for_known_models = [&] {
    if (std::ranges::any_of(told.tensors, [](const FileTensor& one) { return one.dtype != "F32"; })) {
      drop("stable-diffusion.cpp");
      note("stable-diffusion.cpp reads F32 alone");
    }
    if (!told.base.empty() && told.base != "Toyland") return;
    for (const char* tool : {"AUTOMATIC1111", "ComfyUI", "InvokeAI", "kohya", "stable-diffusion.cpp"}) drop(tool);
    note("its width is none of a Stable Diffusion: tools that draw with those alone do not take it");
  };
  switch (told.kind) {
    case FileKind::learned:
      told.call = "persona::Learned::load";
      read_by({"persona"});
      note("export_to and export_weights write it for other tools");
      break;
    case FileKind::run:
      told.call = "personalize with {.resume = FOLDER}";
      read_by({"persona"});
      break;
    case FileKind::decompositions:
      read_by({"persona"});
      note("made anew where it is missing");
      break;
    case FileKind::embedding_diffusers: {
      told.call = "persona::import_embedding";
      read_by({"diffusers", "AUTOMATIC1111", "ComfyUI", "InvokeAI", "kohya", "stable-diffusion.cpp", "persona"});
      const bool flat = told.tensors.front().shape.size() == 1;
      drop(flat ? "kohya" : "InvokeAI");
      note(flat ? "kohya wants [n, D]" : "InvokeAI reads [D] alone, or emb_params");
      for_known_models();
      break;
    }
    case FileKind::embedding_emb_params:
      told.call = "persona::import_embedding";
      read_by({"AUTOMATIC1111", "ComfyUI", "InvokeAI", "diffusers", "kohya", "stable-diffusion.cpp", "persona"});
      note("the file's name is the token, and diffusers wants token=");
      for_known_models();
      break;
    case FileKind::embedding_sdxl:
      told.call = "persona::import_embedding with the model or its width";
      read_by({"AUTOMATIC1111", "ComfyUI", "InvokeAI", "kohya", "stable-diffusion.cpp", "OneTrainer"});
      note("a model with one text encoder takes the rows of its width and leaves the others");
      break;
    case FileKind::embedding_layers:
      told.call = "persona::import_embedding";
      read_by({"kohya", "persona"});
      note("a row for each of 16 layers; the file's name is the token");
      break;
    case FileKind::lora:
      told.call = "persona::import_weights";
      if (told.lora && told.lora->dialect == "kohya")
        read_by({"kohya", "AUTOMATIC1111", "ComfyUI", "InvokeAI", "diffusers", "stable-diffusion.cpp", "persona"});
      else
        read_by({"diffusers", "ComfyUI", "persona"});
      if (told.lora && told.lora->alphas.empty()) note("no alpha is stored: it counts as the rank");
      break;
    case FileKind::differences:
      told.call = "persona::import_weights";
      read_by({"kohya", "AUTOMATIC1111", "ComfyUI", "persona"});
      break;
    case FileKind::spectral_shifts:
      told.call = "persona::import_weights";
      read_by({"svdiff-pytorch", "persona"});
      note("shifts are of a base model's singular values, in their order: another base gives nonsense");
      break;
    case FileKind::custom_diffusion:
      told.call = "persona::import_weights";
      read_by({"diffusers", "persona"});
      note("its tokens are in files of their own");
      break;
    case FileKind::single_file_sd1:
    case FileKind::single_file_sd2:
      told.call = told.kind == FileKind::single_file_sd1
                      ? "persona::StableDiffusion::load with {.tokenizer = FOLDER}"
                      : "persona::StableDiffusion::load with {.tokenizer = FOLDER, .prediction_type = ...}";
      read_by({"AUTOMATIC1111", "ComfyUI", "InvokeAI", "diffusers", "kohya", "stable-diffusion.cpp", "persona"});
      note("no tokenizer is in it");
      if (told.kind == FileKind::single_file_sd2) note("it does not say what its UNet predicts");
      break;
    case FileKind::part_unet:
    case FileKind::part_vae:
    case FileKind::part_text_encoder:
      told.call = "persona::StableDiffusion::load of the folder around it";
      read_by({"diffusers", "persona"});
      break;
    case FileKind::single_file_sdxl:
    case FileKind::single_file_other:
    case FileKind::unknown:
      break;
  }
}

}  // namespace persona::detail
