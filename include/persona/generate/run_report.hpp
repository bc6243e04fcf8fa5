#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/warning.hpp>
#include <persona/data/grid.hpp>
#include <persona/data/resize.hpp>
#include <persona/data/subject.hpp>
#include <persona/generate/generate.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/png.hpp>
#include <persona/io/report.hpp>
#include <persona/text/row_set.hpp>
#include <persona/train/bound.hpp>
#include <persona/train/run.hpp>
#include <persona/train/step.hpp>
#include <persona/train/training_step.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace persona {

/// What a RunReport draws and says beside the run's own numbers.
struct RunReportOptions {
  std::string title = "A run of persona";
  std::string command{};               ///< how the run was begun, and gone on with, a line each
  std::vector<std::string> prompts{};  ///< drawn before the first step and after the last; none: no pictures
  std::int64_t every = 0;              ///< and after every so many steps; 0: at these two alone
  GenerateOptions drawing{};           ///< alike for all of them, so that pictures can be compared
  std::vector<std::vector<std::string>> settings{};  ///< what the run was told: name and value, a row each
  std::int64_t record = 0;  ///< steps between records; 0: 1 on the CPU, 10 elsewhere, where reading waits
};

/// A hook of drain() that writes FOLDER/index.html, a page in one file: photos, validation pictures by step, the loss
/// and its terms, norm and cosine of the rows, the sum and what was learned. It is written anew at every validation, so
/// that it can be looked at on the way. FOLDER/steps.csv has the numbers, FOLDER/validation the pictures; a resumed run
/// goes on in both. The model is borrowed.
template <class Model>
class RunReport {
 public:
  RunReport(const Model& model, std::vector<Subject> subjects, std::filesystem::path folder,
            RunReportOptions options = {})
      : model_(model), subjects_(std::move(subjects)), folder_(std::move(folder)), options_(std::move(options)) {}

  void on_begin(const Run& run) {
    run_ = run;
    make_folder(folder_ / "validation");
    if (options_.record == 0) options_.record = run.session().bound().leaves.front().value.is_cpu() ? 1 : 10;
    read_records();
    write_records();
    run.completed() == 0 ? remove_pictures() : find_pictures();
    if (!pictures_.contains(run.completed())) draw(run.completed());
    save();
  }

  void on_step(const Step& step) {
    if (step.index % options_.record == 0 || step.index == step.steps) {
      Record record{step.index, {{"loss", step.loss()}, {"denoising", step.denoising_loss()}}};
      for (auto& [name, value] : step.terms()) record.values.emplace_back(name, value);
      if (!run_.session().bound().rows.empty()) {
        const auto [norm, cosine] = layered() ? of_layers() : std::pair(step.row_norm(), step.cosine_to_start());
        record.values.emplace_back("row norm", norm);
        record.values.emplace_back("cosine to start", cosine);
      }
      record.values.emplace_back("seconds", earlier_seconds_ + step.seconds);
      add(std::move(record));
    }
    if (options_.every > 0 && step.index % options_.every == 0 && step.index < step.steps) {
      draw(step.index);
      save();
    }
  }

  void on_end(const Run& run) {
    draw(run.completed());
    save();
  }

  std::filesystem::path page() const { return folder_ / "index.html"; }

  /// Writes the page as things stand; the hooks do it by themselves.
  void save() const {
    Report report(options_.title);
    report.paragraph(std::to_string(run_.completed()) + " of " + std::to_string(run_.steps()) + " steps" +
                     (records_.empty() ? "" : ", " + seconds() + " of training"));
    std::vector<Figure> photos;
    for (const Subject& subject : subjects_)
      for (const Photo& photo : subject.photos | std::views::take(most_photos))
        photos.push_back({shown(photo.image, 256), photo.name + ": " + subject.prompt_token(),
                          photo.image.width < 128 ? 2 * photo.image.width : 0});
    report.section("The photos").images(photos);
    for (const Subject& subject : subjects_)
      if (subject.photos.size() > most_photos)
        report.paragraph("and " + std::to_string(subject.photos.size() - most_photos) + " more of " + subject.token);
    if (!pictures_.empty()) report.section("Validation");
    for (const auto& [step, grid] : pictures_) report.image(grid, "after step " + std::to_string(step));
    charts(report);
    report.section("The sum").table({"component", "settings"}, sum());
    if (!options_.settings.empty()) report.section("The settings").table({"setting", "value"}, options_.settings);
    if (!options_.command.empty()) report.section("The command");
    for (std::size_t from = 0; from < options_.command.size();) {
      const auto to = std::min(options_.command.find('\n', from), options_.command.size());
      report.paragraph(std::string_view(options_.command).substr(from, to - from));
      from = to + 1;
    }
    learned(report);
    report.save(page());
  }

 private:
  static constexpr int most_photos = 24;  ///< of a subject, on the page

  struct Record {
    std::int64_t step = 0;
    std::vector<std::pair<std::string, double>> values{};
  };

  bool layered() const { return run_.session().bound().layered(); }
  // Norm and cosine to the start of rows that differ by layer: the mean over the layers, at the middle timestep.
  std::pair<double, double> of_layers() const {
    const at::NoGradGuard no_grad;
    const Bound& bound = run_.session().bound();
    const auto device = bound.rows.front().initial.device();
    const auto t = at::full({1}, bound.scheduler.num_train_timesteps / 2, at::TensorOptions(device).dtype(at::kLong));
    std::vector<Tensor> layers, start;
    for (const RowSet& set : row_sets(model_, bound, t, {}, false)) layers.push_back(set.rows.flatten(0, -2));
    for (const BoundRows& row : bound.rows) start.push_back(row.initial);
    const auto rows = at::stack(layers);
    return {mean_norm(rows), mean_cosine(rows, at::cat(start))};
  }

  // ---- numbers, one line a record -----------------------------------------------------------------------------------

  static std::string line(const Record& record) {
    auto text = std::to_string(record.step);
    for (const auto& [name, value] : record.values) text += "," + Field(name, value).value;
    return text + "\n";
  }
  static std::string header(const Record& record) {
    std::string text = "step";
    for (const auto& [name, value] : record.values) text += "," + name;
    return text + "\n";
  }
  std::filesystem::path table() const { return folder_ / "steps.csv"; }

  void add(Record record) {
    if (!records_.empty() && header(record) != header(records_.front())) {
      set_aside("has other columns than this run records");
      records_.clear();
      std::filesystem::remove(table());
    }
    std::ofstream file(table(), std::ios::app);
    if (records_.empty()) file << header(record);
    file << line(record) << std::flush;
    if (!file) throw Error(table().string(), "cannot be written", "is the disk full?");
    records_.push_back(std::move(record));
  }
  // Those of the steps that a resumed run has behind it.
  void read_records() {
    if (run_.completed() == 0 || !std::filesystem::exists(table())) return;
    std::ifstream file(table());
    std::vector<std::string> names;
    std::int64_t number = 0, unread = 0, first_unread = 0;
    for (std::string text; std::getline(file, text);) {
      ++number;
      if (text.ends_with('\r')) text.pop_back();
      auto cells = split(text);
      if (number == 1 && cells.front() == "step") {
        names = std::move(cells);
        continue;
      }
      auto record = record_of(cells, names);
      const auto last = records_.empty() ? 0 : records_.back().step;
      if (!record || record->step <= last) {
        if (++unread == 1) first_unread = number;
        continue;
      }
      if (record->step > run_.completed()) break;
      if (record->values.back().first == "seconds") earlier_seconds_ = record->values.back().second;
      records_.push_back(std::move(*record));
    }
    if (unread > 0)
      set_aside("has " + std::to_string(unread) + " lines that are no records, the first of them line " +
                std::to_string(first_unread));
  }
  // Nothing is lost that somebody may want to mend.
  void set_aside(const std::string& why) const {
    const auto kept = folder_ / "steps.csv.damaged";
    std::filesystem::copy_file(table(), kept, std::filesystem::copy_options::overwrite_existing);
    warn("RunReport", table().string() + " " + why + ": they are left out of the report",
         "the file as it was is " + kept.string());
  }
  static std::vector<std::string> split(std::string_view line) {
    std::vector<std::string> cells{""};
    for (const char c : line)
      if (c == ',')
        cells.emplace_back();
      else
        cells.back() += c;
    return cells;
  }
  // None where a line was cut off or changed.
  static std::optional<Record> record_of(const std::vector<std::string>& cells, const std::vector<std::string>& names) {
    if (cells.size() != names.size() || cells.size() < 2) return {};
    const auto reads = [](const std::string& cell, auto& value) {
      const auto end = cell.data() + cell.size();
      const auto [to, error] = std::from_chars(cell.data(), end, value);
      return error == std::errc{} && to == end;
    };
    Record record;
    if (!reads(cells[0], record.step)) return {};
    for (std::size_t i = 1; i < cells.size(); ++i) {
      auto& [name, value] = record.values.emplace_back(names[i], 0.0);
      if (!reads(cells[i], value)) return {};
    }
    return record;
  }
  void write_records() const {
    std::string text = records_.empty() ? "" : header(records_.front());
    for (const Record& record : records_) text += line(record);
    write_file_atomically(table(), text);
  }

  // ---- pictures -----------------------------------------------------------------------------------------------------

  std::filesystem::path picture(std::int64_t step) const {
    char name[32];
    std::snprintf(name, sizeof name, "step-%06lld.png", static_cast<long long>(step));
    return folder_ / "validation" / name;
  }
  // Of a run that came to no checkpoint.
  void remove_pictures() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "validation")) {
      const auto name = entry.path().filename().string();
      std::int64_t step = -1;
      if (name.starts_with("step-")) std::from_chars(name.data() + 5, name.data() + name.size(), step);
      if (step >= 0 && entry.path() == picture(step)) std::filesystem::remove(entry.path());
    }
  }
  void find_pictures() {
    for (std::int64_t step = 0; step <= run_.completed(); ++step) {
      if (!std::filesystem::exists(picture(step))) continue;
      try {
        pictures_[step] = shown(read_png(picture(step)), 1200);
      } catch (const Error& error) {
        warn("RunReport", std::string("a picture is left out: ") + error.what());
      }
    }
  }
  void draw(std::int64_t step) {
    if (options_.prompts.empty()) return;
    const auto images = generate(personalized(model_, run_.learned()), options_.prompts, options_.drawing);
    const auto grid = make_grid(images, {.columns = static_cast<std::int64_t>(images.size()),
                                         .captions = options_.prompts,
                                         .scale = images.front().width < 128 ? 2 : 1});
    write_png(grid, picture(step));
    pictures_[step] = shown(grid, 1200);
  }

  // ---- the page -----------------------------------------------------------------------------------------------------

  Series series(std::string_view name) const {
    Series line{.name = std::string(name)};
    for (const Record& record : records_)
      for (const auto& [key, value] : record.values)
        if (key == name) line.x.push_back(static_cast<double>(record.step)), line.y.push_back(value);
    return line;
  }
  // A step's loss says more of its timestep than of the run.
  static Series smoothed(Series line, double records) {
    double mean = 0;
    for (std::size_t i = 0; i < line.y.size(); ++i) {
      mean += (line.y[i] - mean) / std::min(static_cast<double>(i + 1), records);
      line.y[i] = mean;
    }
    line.name = "mean of " + std::to_string(static_cast<int>(records));
    return line;
  }
  void charts(Report& report) const {
    if (records_.empty()) return;
    const auto loss = series("denoising");
    report.section("Training").chart("Denoising loss", {loss, smoothed(loss, 50)}, {.x_label = "step"});
    const std::string whose = layered() ? ", the mean of all layers at the middle timestep" : "";
    for (const auto& [name, first] : records_.front().values) {
      if (name == "loss" || name == "denoising" || name == "seconds") continue;
      auto title = "Term: " + name;
      if (name == "row norm") title = "Norm of the rows" + whose;
      if (name == "cosine to start") title = "Cosine of the rows to their start" + whose;
      report.chart(title, {series(name)}, {.x_label = "step", .height = 180});
    }
  }
  void learned(Report& report) const {
    const auto what = run_.learned();
    std::vector<std::vector<std::string>> table;
    for (const LearnedRows& row : what.rows)
      table.push_back({row.token, std::to_string(row.vectors()) + " x " + std::to_string(row.rows.size(1)) +
                                      (row.layered ? ", by layer (" + row.stored.form + ")" : "")});
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> forms;
    for (const BoundWeight& weight : run_.session().bound().weights) {
      auto& [weights, numbers] = forms[weight.component];
      ++weights;
      for (const Leaf& leaf : weight.leaves) numbers += leaf.value.numel();
    }
    for (const auto& [form, found] : forms)
      table.push_back({form, std::to_string(found.first) + " weights, " + std::to_string(found.second) + " numbers"});
    for (const auto& [key, value] : what.metadata)
      if (key.starts_with("persona.") && key != "persona.recipe" && !value.empty())
        table.push_back(
            {key == "persona.photos" || key == "persona.model" ? key.substr(8) + " (hash)" : key.substr(8), value});
    report.section("What was learned").table({"", ""}, table);
  }
  std::vector<std::vector<std::string>> sum() const {
    std::vector<std::vector<std::string>> table;
    for (const Description& component : run_.session().bound().components) {
      std::string fields;
      for (const Field& field : component)
        fields += (fields.empty() ? "" : ", ") + field.name + " = " + brief(field.value);
      table.push_back({component.name, fields});
    }
    return table;
  }
  // Lists of names are long.
  static std::string brief(const std::string& value) {
    if (value.empty()) return "not set";
    const auto lines = std::ranges::count(value, '\n');
    return lines < 3 ? value : std::to_string(lines) + " lines";
  }
  std::string seconds() const {
    const auto last = series("seconds").y;
    return Field("", std::round(last.empty() ? 0 : last.back())).value + " s";
  }
  // Photos and pictures may be large, and a page is one file.
  static Image shown(const Image& image, std::int64_t widest) {
    if (image.width <= widest) return image;
    return resize(image, widest, std::max<std::int64_t>(image.height * widest / image.width, 1), Resample::lanczos);
  }

  const Model& model_;
  std::vector<Subject> subjects_;
  std::filesystem::path folder_;
  RunReportOptions options_;
  Run run_{};
  std::vector<Record> records_{};
  std::map<std::int64_t, Image> pictures_{};
  double earlier_seconds_ = 0;
};

}  // namespace persona
