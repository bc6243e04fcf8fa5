#pragma once
// persona personalize: a run from its settings, with a report, checkpoints and an end that can be gone on from.

#include "command/bars.hpp"
#include "command/folder_lock.hpp"
#include "command/interrupt.hpp"
#include "command/plan.hpp"
#include "command/subject.hpp"
#include "command/usage.hpp"

#include <persona/generate/run_report.hpp>

#include <filesystem>
#include <iostream>
#include <string>

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

inline void expect_free(const std::filesystem::path& out, bool resume) {
  const bool begun = std::filesystem::exists(out / "run.toml");
  if (begun && !resume)
    throw persona::Error(
        "--out " + out.string(), "holds a run already",
        "go on with it: persona personalize --resume --out " + quoted(out.string()) + "; or give another folder");
  if (resume && !std::filesystem::exists(out / "checkpoint" / "state.safetensors"))
    throw persona::Error("--resume", "there is no checkpoint in " + (out / "checkpoint").string(),
                         begun ? "the run ended before its first; delete the folder and begin anew"
                               : "give the --out of the run to go on with");
}

}  // namespace detail

/// Trains to the end, or to Ctrl-C. Returns the program's exit code.
inline int personalize(Settings settings, bool dry_run, bool resume, const std::string& command) {
  const std::filesystem::path out = settings.out;
  const auto& method = method_of(settings.method);
  if (!dry_run) detail::expect_free(out, resume);
  const auto subject = subject_of(method, settings);
  for (const auto& reason : subject.photos.skipped) std::cerr << "skipped: " << reason << '\n';
  if (settings.model.empty())
    throw Usage("--model", "no model is given", "a diffusers folder of Stable Diffusion 1.x or 2.x");
  const auto model = Model::load(settings.model, loading_of(settings));
  const auto prompts = prompts_of(method, settings, subject);
  if (dry_run) return print_plan(method, settings, model, subject, prompts);

  std::filesystem::create_directories(out);
  const FolderLock lock(out);
  auto options = training_of(settings);
  if (resume) options.resume = out / "checkpoint";
  Bars bars;
  options.progress = [&bars](const std::string& what, std::int64_t now, std::int64_t all) { bars(what, now, all); };
  const auto run = method.start(model, subject, settings, options);
  auto kept = settings;
  kept.steps = run.steps();
  write_config(out / "run.toml", chosen(kept), "persona personalize --config " + (out / "run.toml").string());

  persona::RunReport report(model, {subject}, out,
                            {.title = settings.method + ": " + settings.token,
                             .command = command,
                             .prompts = prompts,
                             .every = settings.validation_steps,
                             .drawing = bars.of("pictures", drawing_of(settings))});
  const auto save = [&] {
    run.save(out / "checkpoint");
    run.learned().save(out / "learned.safetensors");
  };
  const Interrupt interrupt;
  report.on_begin(run);
  try {
    persona::ProgressBar progress(settings.method);
    for (const persona::Step& step : run) {
      progress(step);
      report.on_step(step);
      if (interrupt.asked()) break;
      if (settings.checkpointing_steps > 0 && step.index % settings.checkpointing_steps == 0) save();
    }
    run.session().check();
    run.session().expect_finite_leaves();
  } catch (const persona::Error&) {
    const auto good = out / "learned-until-failure.safetensors";
    run.learned().save(good);
    std::cerr << "what was learned until then: " << good.string() << '\n';
    throw;
  }
  save();
  const auto again = "persona personalize --resume --out " + detail::quoted(settings.out);
  if (run.completed() < run.steps()) {
    report.save();
    std::cerr << "stopped after step " << run.completed() << " of " << run.steps() << "; go on with: " << again << '\n';
    return interrupted;
  }
  report.on_end(run);
  std::cout << (out / "learned.safetensors").string() << '\n' << report.page().string() << '\n';
  std::cerr << "draw it: persona generate --model " << detail::quoted(settings.model) << " --learned "
            << detail::quoted((out / "learned.safetensors").string()) << " --prompt " << detail::quoted(prompts.front())
            << '\n';
  return done;
}

}  // namespace command
