#pragma once
// persona personalize: a run from its settings, with a report, checkpoints and an end that can be gone on from.

#include "command/bars.hpp"
#include "command/folder_lock.hpp"
#include "command/interrupt.hpp"
#include "command/learned_file.hpp"
#include "command/out_folder.hpp"
#include "command/plan.hpp"
#include "command/subject.hpp"
#include "command/usage.hpp"

#include <persona/generate/run_report.hpp>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace command {

namespace detail {

/// What stands in a shell as one word.
inline std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_=./:,+@") == word.npos;
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// A run that came to no checkpoint is none: its folder may be begun in anew.
inline void expect_free(const std::filesystem::path& out, bool resume) {
  const auto there = [&](const char* name) { return std::filesystem::exists(out / name); };
  const bool saved = std::filesystem::exists(out / "checkpoint" / "state.safetensors");
  if (saved && !resume)
    throw persona::Error(
        "--out " + out.string(), "holds a run already",
        "go on with it: persona personalize --resume --out " + quoted(out.string()) + "; or give another folder");
  for (const char* learned : {"learned.safetensors", "learned-until-failure.safetensors"})
    if (!saved && there(learned))
      throw persona::Error("--out " + out.string(),
                           std::string("holds ") + learned + " of a run whose checkpoint is gone",
                           "give another folder; a run cannot be gone on with, or be written over");
  if (resume && !saved)
    throw persona::Error("--resume", "there is no checkpoint in " + (out / "checkpoint").string(),
                         there("run.toml")
                             ? "the run ended before its first: begin it anew, persona personalize --config " +
                                   quoted((out / "run.toml").string())
                             : "give the --out of the run to go on with");
}

/// What a run that was killed while it wrote has left behind; the folder's lock is held.
inline void sweep(const std::filesystem::path& out) {
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(out))
    if (persona::detail::is_temporary(entry.path())) left.push_back(entry.path());
  for (const auto& path : left) std::filesystem::remove_all(path);
}

/// Settings as the report shows them.
inline std::vector<std::vector<std::string>> told(Settings& settings) {
  std::vector<std::vector<std::string>> rows;
  for (const Parameter& parameter : chosen(settings)) rows.push_back({parameter.key, text_of(parameter)});
  return rows;
}

/// Everything that drawing would complain of, hours later.
inline void expect_drawable(const Model& model, const Settings& s, const persona::Subject& subject, bool learns_rows,
                            const std::vector<std::string>& prompts) {
  const std::vector<persona::Placeholder> tokens =
      learns_rows ? std::vector<persona::Placeholder>{subject.placeholder()} : std::vector<persona::Placeholder>{};
  for (const auto& prompt : prompts)
    persona::warn_if_truncated(persona::tokenize_prompt(model.tokenizer(), prompt, tokens), prompt);
  if (s.eta != 0 && s.sampler != "ddim") throw Usage("--eta", "is read by --sampler ddim alone");
}

/// The run from anywhere: paths are absolute in it.
inline Settings kept(Settings s, std::int64_t steps) {
  s.steps = steps;
  for (auto* path : {&s.model, &s.tokenizer, &s.photos, &s.names, &s.face_feature, &s.out})
    if (!path->empty()) *path = std::filesystem::absolute(*path).lexically_normal().string();
  return s;
}

/// The calls that led to this run, the first one first.
inline std::string remember(const std::filesystem::path& out, const std::string& command, bool resume) {
  const auto file = out / "commands.txt";
  std::ostringstream before;
  if (resume) before << std::ifstream(file).rdbuf();
  const auto all = before.str() + command + "\n";
  persona::write_file_atomically(file, all);
  return all;
}

}  // namespace detail

/// Trains to the end, or to Ctrl-C. Returns the program's exit code.
inline int personalize(const Settings& settings, bool dry_run, bool resume, const std::string& command) {
  const std::filesystem::path out = settings.out;
  const auto& method = method_of(settings.method);
  expect_writable(settings.out);
  FolderLock::expect_free(out);
  detail::expect_free(out, resume);
  const auto subject = subject_of(method, settings);
  for (const auto& reason : subject.photos.skipped) std::cerr << "skipped: " << reason << '\n';
  if (settings.model.empty())
    throw Usage("--model", "no model is given", "a diffusers folder of Stable Diffusion 1.x or 2.x");
  const auto model = Model::load(settings.model, loading_of(settings));
  const auto prompts = prompts_of(method, settings, subject);
  detail::expect_drawable(model, settings, subject, method.learns_rows, prompts);
  if (dry_run) return print_plan(method, settings, model, subject, prompts);

  make_folder(out);
  const FolderLock lock(out);
  detail::expect_free(out, resume);  // another run may have ended meanwhile
  detail::sweep(out);
  const auto again = "persona personalize --resume --out " + detail::quoted(settings.out);
  const Interrupt interrupt;
  Bars bars([&] { interrupt.leave(); });
  auto options = training_of(settings);
  if (resume) options.resume = out / "checkpoint";
  options.progress = [&bars](const std::string& what, std::int64_t now, std::int64_t all) { bars(what, now, all); };
  persona::Run run;
  try {
    run = method.start(model, subject, settings, options);
  } catch (const Stopped&) {
    std::cerr << "stopped before the first step; class images and weights that were taken apart until now are kept in "
              << (out / "cache").string() << ": begin again with the same command\n";
    return interrupted;
  }
  auto settled = detail::kept(settings, run.steps());
  write_config(out / "run.toml", chosen(settled), "persona personalize --config run.toml --out ANOTHER_FOLDER");

  persona::RunReport report(model, {subject}, out,
                            {.title = settings.method + ": " + settings.token,
                             .command = detail::remember(out, command, resume),
                             .prompts = prompts,
                             .every = settings.validation_steps,
                             .drawing = bars.of("pictures", drawing_of(settings)),
                             .settings = detail::told(settled)});
  const auto learned = [&] {
    auto found = run.learned();
    found.metadata[called_key] = called(method, settings, subject);
    return found;
  };
  const auto save = [&] {
    run.save(out / "checkpoint");
    learned().save(out / "learned.safetensors");
  };
  const auto stopped = [&] {
    save();
    std::cerr << "stopped after step " << run.completed() << " of " << run.steps() << "; go on with: " << again << '\n';
    return interrupted;
  };
  try {
    report.on_begin(run);
    persona::ProgressBar progress(settings.method);
    for (const persona::Step& step : run) {
      progress(step);
      report.on_step(step);
      if (interrupt.asked()) break;
      if (settings.checkpointing_steps > 0 && step.index % settings.checkpointing_steps == 0) save();
    }
    run.session().check();
    run.session().expect_finite_leaves();
    if (run.completed() < run.steps()) {
      report.save();
      return stopped();
    }
    save();
    report.on_end(run);
  } catch (const Stopped&) {  // while pictures were drawn
    return stopped();
  } catch (...) {
    const auto cause = std::current_exception();
    try {
      save();
      std::cerr << "what was done until step " << run.completed() << " is saved; go on with: " << again << '\n';
    } catch (const std::exception&) {  // no finite number is left, or no room on the disk
      const auto good = out / "learned-until-failure.safetensors";
      learned().save(good);
      std::cerr << "what was learned until then: " << good.string() << '\n';
    }
    std::rethrow_exception(cause);
  }
  std::cout << (out / "learned.safetensors").string() << '\n' << report.page().string() << '\n';
  std::cerr << "draw it: persona generate --model " << detail::quoted(settings.model) << " --learned "
            << detail::quoted((out / "learned.safetensors").string()) << " --prompt 'a photo of a {}'\n";
  return done;
}

}  // namespace command
