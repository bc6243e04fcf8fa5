#pragma once

#include <persona/core/error.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/learned/learned.hpp>
#include <persona/train/session.hpp>
#include <persona/version.hpp>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace persona {

/// What a run was made of, as text: the sum, the settings that its arithmetic depends on, the photos and the base
/// model.
inline std::map<std::string, std::string> describe_run(const Session& session) {
  std::map<std::string, std::string> text;
  std::string sum;
  for (const Description& component : session.bound().components)
    sum += (sum.empty() ? "" : " + ") + to_string(component);
  text["persona.version"] = version_string;
  text["persona.recipe"] = sum;
  text["persona.batch"] = std::to_string(session.options().batch);
  text["persona.accumulate"] = std::to_string(session.options().accumulate);
  text["persona.seed"] = std::to_string(session.options().seed);
  text["persona.completed"] = std::to_string(session.learned_until());
  text["persona.steps"] = std::to_string(session.steps());
  std::string photos, tokens;
  for (const TrainingData& data : session.data()) photos += std::to_string(data.fingerprint) + " ";
  for (const BoundRows& row : session.bound().rows)
    tokens += row.placeholder.token + " x " + std::to_string(row.placeholder.vectors) + "\n";
  text["persona.photos"] = photos;
  text["persona.tokens"] = tokens;
  text["persona.model"] = std::to_string(session.model_fingerprint());
  return text;
}

namespace detail {
// A folder is replaced as a whole, so it must hold nothing else.
inline void expect_only_a_checkpoint(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) return;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name != "state.safetensors" && name != "learned.safetensors")
      throw Error(folder.string(), "holds '" + name + "', which is no part of a checkpoint",
                  "save into a folder of its own: the whole folder is replaced");
  }
}

inline std::int64_t steps_said(const std::filesystem::path& file, const std::string& key, const std::string& text) {
  std::int64_t steps = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), steps);
  if (error != std::errc() || end != text.data() + text.size() || steps < 0)
    throw Error(file.string(), key + " is '" + text + "'", "the file was changed: a number of steps belongs there");
  return steps;
}

// What rows by layer are a function of beside their leaves, such as NeTI's frequencies: drawn or computed anew by a run
// that resumes.
inline std::map<std::string, Tensor> frozen_parts(const BoundRows& row) {
  if (!row.stored) return {};
  auto parts = row.stored().tensors;
  for (const Leaf& leaf : row.leaves) parts.erase(leaf.name.substr(row.placeholder.token.size() + 1));
  return parts;
}
}  // namespace detail

/// Writes folder/state.safetensors (leaves, optimizer state, what the run was made of) and folder/learned.safetensors
/// (where all that is learned says how a file holds it): the folder appears whole or not at all. Throws Error where the
/// folder holds anything but an older checkpoint.
inline void save_checkpoint(const Session& session, const Learned& learned, const std::filesystem::path& folder) {
  detail::expect_only_a_checkpoint(folder);
  session.check();
  session.expect_finite_leaves();
  std::map<std::string, Tensor> tensors;
  for (const Leaf& leaf : session.bound().leaves) tensors.emplace("leaf." + leaf.name, leaf.value.detach().cpu());
  for (const auto& [name, value] : session.bound().optimizer.state())
    tensors.emplace("optimizer." + name, value.detach().cpu());
  for (const BoundRows& row : session.bound().rows)
    tensors.emplace("start." + row.placeholder.token, row.initial.cpu());
  for (const BoundRows& row : session.bound().rows)
    if (!row.layered) tensors.emplace("rows." + row.placeholder.token, row.at({}).rows.detach().cpu());
  for (const BoundRows& row : session.bound().rows)
    for (const auto& [name, value] : detail::frozen_parts(row))
      tensors.emplace("frozen." + row.placeholder.token + "." + name, value.detach().cpu());
  tensors.emplace("schedule", session.schedule_curves());
  auto text = describe_run(session);
  text["persona.kind"] = "checkpoint";
  text["persona.threads"] = std::to_string(at::get_num_threads());
  write_directory_atomically(folder, [&](const std::filesystem::path& fresh) {
    write_safetensors(fresh / "state.safetensors", tensors, text);
    if (learned.can_be_saved()) learned.save(fresh / "learned.safetensors");
  });
}

/// Puts a session where a saved one stood; throws Error naming what differs where recipe, settings, photos or model are
/// others.
inline void load_checkpoint(Session& session, const std::filesystem::path& folder) {
  const auto file = folder / "state.safetensors";
  const auto source = SafeTensors::open(file);
  std::map<std::string, std::string> saved;
  for (const auto& [key, value] : source.metadata()) saved.emplace(key, value);
  const auto now = describe_run(session);
  static constexpr std::pair<const char*, const char*> checked[] = {
      {"persona.recipe", "the sum"},         {"persona.batch", ".batch"},
      {"persona.accumulate", ".accumulate"}, {"persona.seed", ".seed"},
      {"persona.tokens", "the tokens"},      {"persona.photos", "the photos, their captions or the class word"},
      {"persona.model", "the base model"}};
  for (const auto& [key, what] : checked) {
    if (!saved.contains(key))
      throw Error(file.string(), "has no '" + std::string(key) + "'", "it is no checkpoint that this version wrote");
    const auto& found = saved[key];
    if (found != now.at(key))
      throw Error("resume from " + folder.string(),
                  std::string(what) + " differs: saved '" + found + "', now '" + now.at(key) + "'",
                  "resume with what the run was begun with, or begin a new run");
  }
  const at::NoGradGuard no_grad;
  const auto restore = [&](const std::string& name, Tensor into) {
    const auto value = source.load(name);
    if (value.sizes() != into.sizes())
      throw Error(file.string() + ": " + name,
                  "expected shape " + shape_string(into.sizes()) + ", found " + shape_string(value.sizes()));
    into.copy_(value);
  };
  // Computed, and so compared within what another machine or number of threads rounds.
  const auto expect_near = [&](const std::string& name, const Tensor& now_is, const char* what) {
    const auto value = source.load(name);
    if (value.sizes() != now_is.sizes() || !at::allclose(value, now_is.cpu(), 1e-3, 1e-5))
      throw Error("resume from " + folder.string(), std::string(what) + " differs",
                  "resume with what the run was begun with, or begin a new run");
  };
  expect_near("schedule", session.schedule_curves(), "the noise schedule");
  for (const BoundRows& row : session.bound().rows)
    expect_near("start." + row.placeholder.token, row.initial, "where the rows start");
  for (const BoundRows& row : session.bound().rows) restore("start." + row.placeholder.token, row.initial);
  for (const Leaf& leaf : session.bound().leaves) restore("leaf." + leaf.name, leaf.value);
  for (const auto& [name, value] : session.bound().optimizer.state()) restore("optimizer." + name, value);
  // A basis is chosen anew: near ties may fall otherwise on another machine, and the leaves would be weights of other
  // rows.
  for (const BoundRows& row : session.bound().rows)
    if (!row.layered)
      expect_near("rows." + row.placeholder.token, row.at({}).rows.detach(),
                  ("what the leaves of " + row.placeholder.token + " say of its rows, on this machine,").c_str());
  for (const BoundRows& row : session.bound().rows)
    for (const auto& [part, value] : detail::frozen_parts(row))
      if (const auto name = "frozen." + row.placeholder.token + "." + part; source.contains(name))
        expect_near(name, value, ("'" + part + "' of " + row.placeholder.token + ", which is not trained,").c_str());
  // An optimizer that makes its state at the first step would go on without it.
  std::set<std::string> asked;
  for (const Leaf& leaf : session.bound().leaves) asked.insert("leaf." + leaf.name);
  for (const auto& [name, value] : session.bound().optimizer.state()) asked.insert("optimizer." + name);
  for (const auto& name : source.names())
    if ((name.starts_with("leaf.") || name.starts_with("optimizer.")) && !asked.contains(std::string(name)))
      throw Error("resume from " + folder.string(), "it holds '" + std::string(name) + "', which nothing here reads",
                  "an optimizer's state() is there from bind() on (docs/concepts/optimizer.md)");
  const auto completed = detail::steps_said(file, "persona.completed", saved["persona.completed"]);
  if (completed > session.steps())
    throw Error(
        "resume from " + folder.string(),
        "it stands behind step " + std::to_string(completed) + ", and .steps is " + std::to_string(session.steps()),
        ".steps counts from the run's beginning: ask for more");
  const auto planned = detail::steps_said(file, "persona.steps", saved["persona.steps"]);
  for (std::int64_t i = 0; i < completed; ++i)
    if (session.bound().rate(i, planned) != session.bound().rate(i, session.steps()))
      throw Error("resume from " + folder.string(),
                  "its learning rates were those of " + std::to_string(planned) + " steps, and .steps is " +
                      std::to_string(session.steps()),
                  "the schedule of this sum depends on .steps: ask for as many, or begin a new run");
  session.resume_at(completed);
}

}  // namespace persona
