// persona on the command line: learns a thing from photos by a method of your choice, draws it, and reads and writes
// the files of learned things. Every setting is a flag and a line of a TOML or JSON file; docs/how-to/command_line.md.

#include "command/completion.hpp"
#include "command/doctor.hpp"
#include "command/draw.hpp"
#include "command/files.hpp"
#include "command/personalize.hpp"
#include "command/words.hpp"

#include <persona/core/memory.hpp>
#include <persona/core/warning.hpp>
#include <persona/io/utf8.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <new>
#include <string>
#include <vector>

namespace {

/// The methods, or what one of them reads and presets.
int list_methods(const std::string& name) {
  using namespace command;
  if (name.empty()) {
    for (const Method& method : methods()) std::printf("%-26s %s\n", method.name.c_str(), method.summary.c_str());
    return done;
  }
  auto settings = resolve({{"method", {{name}, "persona methods"}}}, {});
  std::printf("# %s: %s\n", name.c_str(), method_of(name).summary.c_str());
  for (const Parameter& parameter : chosen(settings))
    std::printf("%-24s %-22s %s\n", parameter.key.c_str(), text_of(parameter).c_str(), parameter.help.c_str());
  return done;
}

/// Nothing is done where what was to be printed went nowhere.
int printed(int code) {
  std::cout.flush();
  if (std::cout && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  std::cerr << "[persona] standard output: cannot be written\n";
  return command::failed;
}

/// CLI11 would say that a subcommand is missing where one is misspelt.
void expect_command(const CLI::App& app, const std::string& first) {
  std::vector<std::string> known;
  for (const CLI::App* sub : app.get_subcommands({})) known.push_back(sub->get_name());
  if (first.starts_with("-") || std::ranges::find(known, first) != known.end()) return;
  std::string list;
  for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
  const auto meant = command::nearest(first, known);
  throw command::Usage("persona", "'" + first + "' is no command" + (meant.empty() ? "" : "; was " + meant + " meant?"),
                       list);
}

// Of `persona generate` and those that read a model.
bool of_model(const command::Parameter& p) {
  return p.key == "model" || p.key == "tokenizer" || p.key == "prediction_type" || p.key == "device" ||
         p.key == "dtype" || p.key == "text_dtype" || p.key == "out";
}
bool of_drawing(const command::Parameter& p) {
  return of_model(p) || p.key == "seed" || p.key == "num_inference_steps" || p.key == "guidance_scale" ||
         p.key == "sampler" || p.key == "eta" || p.key == "negative_prompt";
}

int run(int argc, char** argv) {
  using namespace command;
  persona::keep_freed_memory();
  persona::set_warning_handler([](const std::string& text) { std::cerr << in_flags(text) << '\n'; });
  CLI::App app("Learns a thing from a few photos into a text-to-image model, and draws it.", "persona");
  app.set_version_flag("--version", std::string(persona::version_string));
  app.require_subcommand(1);
  app.footer(
      "The three commonest uses:\n"
      "  persona personalize --model MODEL --photos photos/cat --class-word cat --method batex --out out/cat\n"
      "  persona generate --model MODEL --learned out/cat/learned.safetensors --prompt 'a {} in the snow'\n"
      "  persona convert out/cat/learned.safetensors --to diffusers --out out/cat\n"
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (and saved).");

  Givens flags;
  std::string config, method, shell, file;
  bool dry_run = false, resume = false, all = false;
  Drawing drawing;
  Conversion conversion;

  auto* train = app.add_subcommand("personalize", "learn a thing from photos");
  train->add_option("--config", config, "TOML or JSON file of settings; flags go before it");
  train->add_flag("--dry-run", dry_run, "print the plan with time and memory, and write nothing");
  train->add_flag("--resume", resume, "go on with the run in --out");
  add_flags(*train, flags, [](const Parameter&) { return true; });
  train->footer(
      "A run writes run.toml, steps.csv, index.html, validation/, checkpoint/ and learned.safetensors into --out.\n"
      "What a method reads and presets: persona methods NAME.");

  auto* draws = app.add_subcommand("generate", "draw prompts");
  draws->add_option("--prompt", "what is drawn; {} is what was learned")->expected(-1)->type_name("TEXT ...");
  draws->add_option("--learned", "learned.safetensors, or an embedding or LoRA of another tool")
      ->expected(-1)
      ->type_name("FILE ...");
  draws->add_option("--token", drawing.token, "name of an embedding's token");
  draws->add_option("--num-images", drawing.images, "pictures a prompt");
  add_flags(*draws, flags, of_drawing);

  auto* looks = app.add_subcommand("inspect", "say what a safetensors file is, and who reads it");
  looks->add_option("file", file, "safetensors file")->required();
  looks->add_flag("--all", all, "every tensor");

  auto* converts = app.add_subcommand("convert", "write a learned thing in another form");
  converts->add_option("file", conversion.file, "safetensors file of a learned thing")->required();
  converts->add_option("--to", conversion.to, detail::all_formats())->required();
  converts->add_option("--token", conversion.token, "new name of its token");
  add_flags(*converts, flags, of_model);

  auto* examines = app.add_subcommand("doctor", "say what is here, and what would fail");
  add_flags(*examines, flags, of_model);

  auto* lists = app.add_subcommand("methods", "list the methods, or what one of them reads");
  lists->add_option("name", method, "a method");

  auto* completes = app.add_subcommand("completion", "print what makes a shell complete persona's words");
  completes->add_option("shell", shell, "bash or zsh")->required();

  try {
    if (argc < 2) {
      std::cerr << app.help();
      return misused;
    }
    expect_command(app, argv[1]);
    for (int i = 1; i < argc; ++i)
      if (!persona::detail::is_utf8(argv[i]))
        throw Usage("persona", "argument " + std::to_string(i) + " is no UTF-8, and settings are kept as text",
                    "give files and folders names in UTF-8");
    Arguments arguments(argc, argv);
    for (const CLI::App* command : app.get_subcommands({}))
      if (command->get_name() == argv[1]) arguments.expect_flags(*command);
    app.parse(arguments.others);
    for (const CLI::App* chosen : app.get_subcommands()) arguments.expect_known(*chosen);
    drawing.prompts = arguments.list("--prompt"), drawing.learned = arguments.list("--learned");
    if (const auto list = arguments.list("--validation-prompts"); !list.empty())
      flags["validation_prompts"] = {list, "--validation-prompts"};
    std::string command = "persona";
    for (int i = 1; i < argc; ++i) command += " " + detail::quoted(argv[i]);
    if (*train) {
      // The settings of a run to go on with lie beside it.
      if (resume && config.empty()) {
        const auto out = flags.find("out");
        const std::filesystem::path folder = out == flags.end() ? Settings{}.out : out->second.values.front();
        if (std::filesystem::exists(folder / "run.toml"))
          config = folder / "run.toml";
        else if (std::filesystem::exists(folder / "checkpoint") && !flags.contains("photos"))
          throw Usage("--resume", "the settings of the run are gone: there is no " + (folder / "run.toml").string(),
                      "give them as they were, by flags or --config");
      }
      return personalize(resolve(flags, config.empty() ? Givens{} : read_config(config)), dry_run, resume, command);
    }
    if (*looks) return inspect(file, all);
    if (*lists) return list_methods(method);
    if (*completes) return complete(app, shell);
    auto settings = resolve_alone(flags);
    if (!flags.contains("out")) settings.out = *draws ? "out/pictures" : *converts ? "out/converted" : settings.out;
    if (*draws) return draw(settings, drawing);
    if (*converts) return convert(settings, conversion);
    return doctor(settings);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? done : misused;
  } catch (const Usage& error) {
    std::cerr << in_flags(error.what()) << '\n';
    return misused;
  } catch (const persona::Error& error) {
    std::cerr << in_flags(error.what()) << '\n';
  } catch (const c10::Error& error) {
    std::cerr << "[persona] LibTorch: " << error.what_without_backtrace() << '\n';
  } catch (const std::bad_alloc&) {
    std::cerr << "[persona] memory: there is not enough (fewer samples or pictures at a time: --batch, --num-images)\n";
  } catch (const std::filesystem::filesystem_error& error) {
    std::cerr << "[persona] " << error.path1().string() << ": " << error.code().message() << '\n';
  } catch (const std::exception& error) {
    std::cerr << "[persona] " << error.what() << '\n';
  }
  return failed;
}

}  // namespace

int main(int argc, char** argv) { return printed(run(argc, argv)); }
