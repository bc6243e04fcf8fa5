#pragma once
// What the tables compute: the snapshots along a run, and the queue of runs that are missing.

#include "support/table_cells.hpp"
#include "support/table_weight_methods.hpp"
#include "support/table_worker.hpp"

#include <persona/core/hash.hpp>
#include <persona/data/grid.hpp>
#include <persona/io/image.hpp>
#include <persona/io/read_file.hpp>

#include <algorithm>
#include <ctime>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace tables {

/// cos(E(v), v) and |E(v)| of learned rows, meaned (Figs. 2 and 7).
inline std::pair<double, double> cross_of(const persona::StableDiffusion& sd, const persona::Tensor& rows) {
  const auto outputs = persona::encoder_output(sd, rows).to(rows.device());
  const auto norms = at::linalg_vector_norm(outputs, 2, {1}, false),
             lengths = at::linalg_vector_norm(rows, 2, {1}, false);
  return {((outputs * rows).sum(1) / (norms * lengths)).mean().item<double>(), norms.mean().item<double>()};
}

/// Of the calling thread: what else the machine does, and a pause, do not count.
inline double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// One run and the steps at which it is scored.
struct Job {
  std::string method{};
  double lr = 0;
  const Specimen* specimen = nullptr;
  std::vector<std::int64_t> snapshots{};
  bool timed_alone = false;  ///< scored already, by a program that did not count its seconds

  std::int64_t steps() const { return snapshots.back(); }
  /// Steps, and prompts that are drawn at the snapshots.
  std::int64_t ticks() const {
    return steps() + (timed_alone ? 0 : std::ssize(snapshots) * std::ssize(prompts_of(*specimen)));
  }
};

/// How a run trains; the random streams are keyed by step, so that a snapshot is what a shorter run ends with.
struct Training {
  std::int64_t people_batch = 8;  ///< Cross Initialization's
  std::int64_t things_batch = 4;  ///< BaTex's
  std::uint64_t seed = 1;
};

/// Of what results depend on beside their setting: the model's and the metrics' weights, the subjects, the names. The
/// prompts and the held-out styles are not in it: with others, give another folder of results.
inline std::string fingerprint(const persona::StableDiffusion& sd, const std::vector<std::string>& names) {
  auto hash = sd.hash();
  for (const char* file : {"probe.safetensors", "face.safetensors", "pair.safetensors"})
    hash = persona::hash_bytes(persona::read_file(toyland::metrics_folder / file), hash);
  for (const char* folder : {"people", "things"})
    for (const Specimen& one : read_specimens(folder)) {
      hash = persona::hash_tensor(persona::to_tensor(one.photo), persona::hash_text(one.id, hash));
      hash = persona::hash_bytes(std::as_bytes(std::span(one.truth)), hash);
    }
  for (const auto& name : names) hash = persona::hash_text(name, hash);
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

/// What all results of a folder have in common (see Cells).
inline nlohmann::json common(const std::string& model, const persona::LoadOptions& load, const Training& training,
                             const Drawing& drawing) {
  return {{"model", model},
          {"dtype", load.dtype},
          {"people_batch", training.people_batch},
          {"things_batch", training.things_batch},
          {"training_seed", training.seed},
          {"images", drawing.images},
          {"drawing_seed", drawing.seed},
          {"sampler", "ddim"},
          {"sampling_steps", drawing.steps},
          {"guidance", drawing.guidance}};
}

struct Workshop {
  const persona::StableDiffusion& sd;
  const Metrics& metrics;
  const std::vector<std::string>& names;
  Cells& cells;
  std::filesystem::path pictures{};  ///< one row of pictures a result
  Training training{};
  Drawing drawing{};
  std::set<std::string> undrawn{};  ///< pictures to draw although the cells have their results

  bool on_gpu() const { return sd.text_encoder().embedding_table().is_cuda(); }
  /// Whether a result is to be computed, or its picture drawn again.
  bool lacks(const Setting& setting, const std::string& subject) const {
    return !cells.has(setting, subject) || undrawn.contains(picture_name(setting, subject));
  }

  /// Trains, scores at the snapshots, and keeps what each gave; `tick` is called after every step and every prompt
  /// drawn.
  void run(const Job& job, const std::function<void()>& tick) const {
    const auto& one = *job.specimen;
    const auto batch = one.is_person() ? training.people_batch : training.things_batch;
    const persona::TrainOptions options{
        .steps = job.steps(), .batch = batch, .seed = training.seed, .cache = pictures / "cache"};
    const auto run = start(job.method, {sd, one, names, metrics, job.lr, options});
    const bool uniform = !run.session().bound().layered() && !run.session().bound().rows.empty();
    double cpu = 0, loss = 0, losses = 0;
    auto curve = nlohmann::json::array();
    auto began = thread_seconds();
    for (const persona::Step& step : run) {
      cpu += thread_seconds() - began;
      loss += step.denoising_loss(), ++losses;
      const bool asked = std::ranges::find(job.snapshots, step.index) != job.snapshots.end();
      if (step.index == 1 || step.index % 20 == 0 || asked) {
        auto point = nlohmann::json{step.index, loss / losses};
        if (uniform) {
          const auto [cosine, norm] = cross_of(sd, run.learned().rows.front().rows);
          for (const double value : {step.row_norm(), step.cosine_to_start(), cosine, norm}) point.push_back(value);
        }
        curve.push_back(std::move(point));
        loss = losses = 0;
      }
      if (asked) {
        const Setting setting{job.method, job.lr, step.index};
        run.session().expect_finite_leaves();
        if (job.timed_alone)
          cells.amend(setting, one.id, "cpu_seconds", std::round(cpu * 100) / 100);
        else if (lacks(setting, one.id))
          score_and_keep(setting, one, run.learned(), cpu, curve, tick);
      }
      tick();
      began = thread_seconds();
    }
  }
  /// Notes that a run diverged, in place of the scores that it owes: a setting that fails is a result as well.
  void note_failure(const Job& job, const std::string& why) const {
    for (const auto steps : job.snapshots)
      if (const Setting setting{job.method, job.lr, steps}; !cells.has(setting, job.specimen->id))
        cells.add(setting, job.specimen->id, {{"failed", why}});
  }
  /// Writes a result and its pictures; a result that there is stays.
  void keep(const Setting& setting, const std::string& subject, nlohmann::json result,
            const std::vector<persona::Image>& shown) const {
    for (auto& [key, value] : result.items())
      if (value.is_number_float()) value = std::round(value.get<double>() * 1e5) / 1e5;
    if (on_gpu()) result["device"] = "cuda";
    std::filesystem::create_directories(pictures);
    persona::write_png(persona::make_grid(shown, {.columns = static_cast<std::int64_t>(shown.size())}),
                       pictures / picture_name(setting, subject));
    if (!cells.has(setting, subject)) cells.add(setting, subject, result);
  }

 private:
  void score_and_keep(const Setting& setting, const Specimen& one, const persona::Learned& learned, double cpu,
                      const nlohmann::json& curve, const std::function<void()>& tick) const {
    std::vector<persona::Image> shown{one.photo};
    // Weights are written out, so that drawing costs what the base model's does.
    auto result = score(learned.weights.empty() ? sd : persona::bake(sd, learned), {.rows = learned.rows}, one,
                        called(setting.method, one), metrics, drawing, &shown, tick);
    std::int64_t trained = 0;
    for (const auto& weight : learned.weights)
      for (const auto& [name, value] : weight.stored().tensors)
        trained += name == "base" || name == "scale" || name == "residual" ? 0 : value.numel();
    for (const auto& rows : learned.rows) trained += rows.rows.numel();
    if (!learned.weights.empty()) result["trained"] = trained;
    if (!on_gpu()) result["cpu_seconds"] = std::round(cpu * 100) / 100;
    const auto& last = curve.back();
    if (last.size() == 6)
      result["norm"] = last[2], result["cosine_to_start"] = last[3], result["cross_cosine"] = last[4],
      result["cross_norm"] = last[5];
    if (one.id.ends_with("_05")) result["curve"] = curve;  // of one subject: it is drawn, not averaged
    keep(setting, one.id, std::move(result), shown);
  }
};

/// The runs that a table still lacks: one for each method, learning rate and specimen, with the snapshots not yet
/// scored, or whose pictures are `undrawn`.
inline std::vector<Job> missing(const Cells& cells, const std::vector<Setting>& settings,
                                const std::vector<Specimen>& specimens, const std::set<std::string>& undrawn = {}) {
  std::vector<Job> jobs;
  for (const Specimen& one : specimens) {
    std::map<std::pair<std::string, double>, std::set<std::int64_t>> wanted;
    for (const Setting& setting : settings)
      if (!cells.has(setting, one.id) || undrawn.contains(picture_name(setting, one.id)))
        wanted[{setting.method, setting.lr}].insert(setting.steps);
    for (const auto& [what, steps] : wanted)
      jobs.push_back({what.first, what.second, &one, {steps.begin(), steps.end()}});
  }
  return jobs;
}

/// Of settings none of whose results has its seconds, a run of the first specimen.
inline std::vector<Job> untimed(const Cells& cells, const std::vector<Setting>& settings,
                                const std::vector<Specimen>& specimens) {
  std::vector<std::string> names;
  for (const Specimen& one : specimens) names.push_back(one.id);
  std::map<std::pair<std::string, double>, std::set<std::int64_t>> wanted;
  for (const Setting& setting : settings)
    if (cells.mean(setting, {names.front()}, "text").count == 1 && cells.mean(setting, names, "cpu_seconds").count == 0)
      wanted[{setting.method, setting.lr}].insert(setting.steps);
  std::vector<Job> jobs;
  for (const auto& [what, steps] : wanted)
    jobs.push_back({what.first, what.second, &specimens.front(), {steps.begin(), steps.end()}, true});
  return jobs;
}

/// The jobs as work for the queue.
inline std::vector<Work> work_of(const Workshop& workshop, const std::vector<Job>& jobs) {
  std::vector<Work> list;
  for (const Job& job : jobs)
    list.push_back({.name = job.method + " " + job.specimen->id,
                    .steps = job.ticks(),
                    .act = [&workshop, job](const std::function<void()>& tick) { workshop.run(job, tick); },
                    .failed = [&workshop, job](const std::string& why) { workshop.note_failure(job, why); }});
  return list;
}

/// How a subject is learned at a rate, by name.
using SubjectMethods =
    std::map<std::string, std::function<persona::Run(const persona::StableDiffusion&, const persona::Subject&,
                                                     double lr, const persona::TrainOptions&)>>;

/// Work that gives one result; that it diverged is noted in its place.
inline Work work_for(const Workshop& workshop, const Setting& setting, const std::string& subject,
                     std::function<void(const std::function<void()>& tick)> act) {
  return {.name = setting.method + " " + subject,
          .steps = std::max<std::int64_t>(setting.steps, 1),
          .act = std::move(act),
          .failed = [&workshop, setting, subject](const std::string& why) {
            if (!workshop.cells.has(setting, subject)) workshop.cells.add(setting, subject, {{"failed", why}});
          }};
}

/// What the cells lack of what the model draws untrained. `specimens` must outlive the work.
inline std::vector<Work> untrained_work(const Workshop& workshop, const std::vector<Setting>& settings,
                                        const std::vector<Specimen>& specimens) {
  std::vector<Work> list;
  for (const Specimen& one : specimens)
    for (const Setting& setting : settings) {
      if (!workshop.lacks(setting, one.id)) continue;
      auto work = work_for(workshop, setting, one.id, [&, setting](const std::function<void()>& tick) {
        std::vector<persona::Image> shown{one.photo};
        workshop.keep(setting, one.id,
                      score(workshop.sd, {}, one, "", workshop.metrics, workshop.drawing, &shown, tick), shown);
      });
      work.steps = std::ssize(prompts_of(one));
      list.push_back(std::move(work));
    }
  return list;
}

}  // namespace tables
