// The tables of the papers on the embedded model: Textual Inversion and Cross Initialization over one grid of learning
// rates and steps, the ablations, and things that are no people. Writes tables.html and tables.md; results are kept,
// one small file a setting, so that a second call goes on where the first stopped and nothing is computed twice.

#include "support/table_fed_back.hpp"
#include "support/table_page.hpp"

#include <persona/core/memory.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

using namespace tables;

namespace {

constexpr std::size_t validation_people = 5;

struct Plan {
  std::vector<double> rates{1.25e-3, 5e-3, 2e-2, 8e-2};  ///< four, each four times the last
  std::vector<std::int64_t> steps{25, 320, 1000};
  std::size_t people = 20, long_people = 3, things = 20, words = 12;
  std::int64_t usual_steps = 320;  ///< Cross Initialization's
};

std::vector<Setting> grid(const std::vector<std::string>& methods, const Plan& plan) {
  std::vector<Setting> all;
  for (const auto& method : methods)
    for (const double lr : plan.rates)
      for (const auto steps : plan.steps) all.push_back({method, lr, steps});
  return all;
}

std::vector<std::string> ids(const std::vector<Specimen>& list) {
  std::vector<std::string> names;
  for (const auto& one : list) names.push_back(one.id);
  return names;
}

/// What a setting is worth on the validation people: as much the person as the prompt.
double worth(const Cells& cells, const Setting& setting, const std::vector<std::string>& people) {
  return cells.mean(setting, people, "identity").mean + cells.mean(setting, people, "obeyed").mean;
}

/// The settings of a method, the best on the validation people first; those not scored there are left out.
std::vector<Setting> ranked(const Cells& cells, const std::vector<Setting>& settings, const std::string& method,
                            const std::vector<std::string>& people) {
  std::vector<Setting> list;
  for (const auto& setting : settings)
    if (setting.method == method && std::isfinite(worth(cells, setting, people))) list.push_back(setting);
  std::ranges::stable_sort(list, std::greater{}, [&](const Setting& s) { return worth(cells, s, people); });
  return list;
}

/// The published settings: CI in 320 steps at 5e-3 and in 25 at 8e-2, TI in 5000 at 5e-3.
bool published(const Setting& s) {
  return s.method == "ti" ? s.lr == 5e-3 && s.steps == 5000
                          : (s.lr == 5e-3 && s.steps == 320) || (s.lr == 8e-2 && s.steps == 25);
}

/// Of the model's and the metrics' weights: results of another model are another table's.
std::string fingerprint(const persona::StableDiffusion& sd) {
  std::uint64_t hash = 0;
  auto add = [&](const std::string&, const persona::Weight& weight) { hash = persona::hash_tensor(weight.base, hash); };
  auto unet = sd.denoiser();
  auto text = sd.text_encoder();
  auto vae = sd.autoencoder();
  persona::for_each_weight(unet, add), persona::for_each_weight(text, add), persona::for_each_weight(vae, add);
  char name[24];
  std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(hash));
  return name;
}

const std::vector<Column> person_columns{{"identity", "identity"},
                                         {"traits", "traits"},
                                         {"text", "text"},
                                         {"obeyed", "obeyed"},
                                         {"place", "place"},
                                         {"leak", "leak"},
                                         {"expression", "expression"},
                                         {"who is there", "count"},
                                         {"norm", "norm"},
                                         {"cos(E(v), v)", "cross_cosine"},
                                         {"seconds", "seconds"}};
const std::vector<Column> thing_columns{{"traits", "traits"}, {"image", "image"},    {"text", "text"},
                                        {"obeyed", "obeyed"}, {"place", "place"},    {"leak", "leak"},
                                        {"norm", "norm"},     {"seconds", "seconds"}};

}  // namespace

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  std::string out = PERSONA_SOURCE "/docs/tables", cells_folder, pictures = "out/tables/pictures";
  std::string model = PERSONA_SOURCE "/examples/toyland/model",
              names_file = PERSONA_SOURCE "/examples/toyland/names.txt";
  Plan plan;
  long threads = static_cast<long>(std::max(1u, std::thread::hardware_concurrency()));
  persona::LoadOptions load{.dtype = "bf16"};
  bool quick = false, report_only = false;
  CLI::App app("Scores Textual Inversion, Cross Initialization and its ablations on the embedded model.");
  app.add_flag(
      "--quick", quick,
      "a validation person, a person and a thing, two learning rates, one picture a prompt: minutes on two cores");
  app.add_flag("--report", report_only, "write the page from the results that there are");
  app.add_option("--out", out, "folder of tables.html and tables.md");
  app.add_option("--cells", cells_folder, "folder of results (OUT/cells)");
  app.add_option("--pictures", pictures, "folder of pictures, one row a result");
  app.add_option("--people", plan.people, "people of the test split, of 20");
  app.add_option("--things", plan.things, "animals and objects, of 20");
  app.add_option("--long", plan.long_people, "people who are also trained for 5000 steps");
  app.add_option("--threads", threads, "workers, one run each");
  app.add_option("--dtype", load.dtype, "of UNet and autoencoder: bf16 or fp32");
  app.add_option("--device", load.device, "cpu or cuda");
  CLI11_PARSE(app, argc, argv);
  try {
    Drawing drawing;
    if (quick) {
      if (out == PERSONA_SOURCE "/docs/tables") out = "out/tables-quick";
      plan = {.rates = {5e-3, 2e-2},
              .steps = {25, 100},
              .people = 1,
              .long_people = 0,
              .things = 1,
              .words = 3,
              .usual_steps = 100};
      drawing.images = 1;
    }
    if (cells_folder.empty()) cells_folder = out + "/cells";
    if (quick) pictures = out + "/pictures";
    std::filesystem::create_directories(out);
    const auto sd = persona::StableDiffusion::load(model, load);
    const auto names = persona::read_lines(names_file);
    const Metrics metrics(sd);
    const Training training;
    Cells cells(cells_folder, {{"model", fingerprint(sd)},
                               {"dtype", load.dtype},
                               {"batch", training.batch},
                               {"images", drawing.images},
                               {"sampler", "ddim"},
                               {"sampling_steps", drawing.steps},
                               {"guidance", drawing.guidance}});

    auto people = read_specimens("people");
    const std::vector<Specimen> validation(people.begin(), people.begin() + (quick ? 1 : validation_people));
    people.erase(people.begin(), people.begin() + validation_people);
    people.resize(std::min(people.size(), plan.people));
    auto things = read_specimens("things");
    things.resize(std::min(things.size(), plan.things));
    const auto test = ids(people), split = ids(validation);

    const auto usual = [&](const Setting& s) { return s.lr == 5e-3 && s.steps == plan.usual_steps; };
    const auto methods = grid({"ti", "ci"}, plan);
    std::vector<Setting> most_steps{{"ti", 5e-3, 5000}, {"ci", 5e-3, 5000}};
    std::vector<Setting> ablations{{"ci", 5e-3, plan.usual_steps},
                                   {"ci_without_cross", 5e-3, plan.usual_steps},
                                   {"ci_without_mean", 5e-3, plan.usual_steps},
                                   {"ci_without_regularization", 5e-3, plan.usual_steps}};
    const Workshop workshop{sd, metrics, names, cells, pictures, training, drawing};
    if (!report_only) {
      const Setting fed_back{"fed_back", 0, 0};
      for (int kind = 0; kind < static_cast<int>(plan.words); ++kind) {
        const std::string word(toyland::kind_names[static_cast<std::size_t>(kind)]);
        if (cells.has(fed_back, word)) continue;
        std::vector<persona::Image> shown;
        cells.add(fed_back, word, feed_back(sd, metrics, kind, drawing, &shown));
        std::filesystem::create_directories(pictures);
        persona::write_png(persona::make_grid(shown, {.columns = 4}), pictures + "/fed_back_" + word + ".png");
      }
      work_off(workshop, missing(cells, methods, validation), threads, "validation people");
      std::vector<Setting> first;  // the settings that the reading rests on come first
      for (const auto* method : {"ti", "ci"})
        if (const auto best = ranked(cells, methods, method, split); !best.empty()) first.push_back(best.front());
      for (const auto& setting : methods)
        if (published(setting) || usual(setting)) first.push_back(setting);
      work_off(workshop, missing(cells, first, people), threads, "published and best settings");
      work_off(workshop, missing(cells, ablations, people), threads, "ablations");
      std::vector<Setting> of_things;
      for (const auto& setting : first) of_things.push_back(setting);
      work_off(workshop, missing(cells, of_things, things), threads, "animals and objects");
      work_off(workshop, missing(cells, methods, people), threads, "the whole grid");
      const std::vector<Specimen> few(
          people.begin(), people.begin() + static_cast<std::ptrdiff_t>(std::min(people.size(), plan.long_people)));
      work_off(workshop, missing(cells, most_steps, few), threads, "5000 steps");
    }

    Page page("Textual Inversion and Cross Initialization on Toyland");
    page.paragraph(
        "One photo a subject; " + std::to_string(drawing.images) +
        " pictures of each of 20 prompts (people) or 8 (animals and objects), DDIM " + std::to_string(drawing.steps) +
        " steps, guidance 3.5; batch 8. Mean over subjects ± its standard error. Model " + fingerprint(sd) + ".");
    page.paragraph(
        "identity: recogniser cosine to the photo over the 15 prompts that ask for no style; pictures without a face are "
        "left out. traits: share of the subject's traits that the probe finds where it stands alone. text: cosine of "
        "picture and prompt. obeyed: share of all that the prompts ask for (place, expression, garment, style, who is "
        "there); place: of the places alone. leak: share of pictures showing the photo's place though the prompt asks for "
        "another.");
    std::map<std::string, Setting> best;
    for (const auto* method : {"ti", "ci"})
      if (const auto list = ranked(cells, methods, method, split); !list.empty()) best[method] = list.front();
    const auto remark = [&](const Setting& setting) {
      std::string text = published(setting) ? "published" : "";
      for (const auto& [method, chosen] : best)
        if (chosen == setting) text += text.empty() ? "best on validation" : ", best on validation";
      return text;
    };
    auto all = methods;
    all.insert(all.end(), most_steps.begin(), most_steps.end());
    std::ranges::sort(all);
    page.section("T1: people, test split");
    add_table(page, cells, all, test, person_columns, remark);
    for (const auto& setting : all)
      if (!remark(setting).empty() || usual(setting))
        for (const auto& one : people | std::views::take(2))
          page.picture(pictures + "/" + setting.name() + "_" + one.id + ".png", setting.name() + ", " + one.id);
    page.section("T1: people, validation split (settings are chosen here)");
    add_table(page, cells, methods, split, person_columns, remark);
    page.section("T2: ablations of Cross Initialization, " + std::to_string(plan.usual_steps) + " steps at 5e-3");
    page.paragraph(
        "ci_without_cross starts from the mean rows themselves; ci_without_mean from E(the class word): the "
        "paper gives no recipe for it, this is ours; ci_without_regularization has weight 0.");
    add_table(page, cells, ablations, test, person_columns, remark);
    auto drawn = ablations;
    drawn.insert(drawn.begin(), {"ti", 5e-3, plan.usual_steps});
    page.chart("Norm of the rows", curves(cells, drawn, 1))
        .chart("Cosine of E(v) and v", curves(cells, drawn, 3))
        .chart("Cosine of the rows to their start", curves(cells, drawn, 2))
        .chart("Denoising loss, mean of 20 steps", curves(cells, drawn, 5));
    page.section("Fig. 3: the text encoder fed with its own output");
    page.paragraph(
        "Eight pictures a word, \"a photo of a WORD\": by the word's row v, and by E(v) in its place. The share "
        "of them in which the probe sees the thing; the cosine of the two pictures of one seed, and that of "
        "two pictures of the row.");
    std::vector<std::vector<std::string>> rows;
    for (const auto& [word, result] : cells.read({"fed_back", 0, 0}).items()) {
      std::vector<std::string> row{word};
      for (const char* key : {"kind_by_row", "kind_by_output", "alike", "seeds_alike"})
        row.push_back(Mean{.mean = result[key], .count = 1}.text(2));
      rows.push_back(std::move(row));
      page.picture(pictures + "/fed_back_" + word + ".png", word + ": v, E(v), v, E(v)");
    }
    page.table({"word", "seen, by v", "seen, by E(v)", "cosine of the two", "of two by v"}, rows);
    page.section("T2: animals and objects");
    add_table(page, cells, all, ids(things), thing_columns, remark);
    page.save(out);
    std::cout << out << "/tables.html\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
