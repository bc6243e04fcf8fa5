// The tables of the papers on the embedded model: every method that learns token rows over one grid of learning
// rates and steps, ablations, sizes of the basis and poor initial words. Writes tables.html and tables.md; results are
// kept, one small file a setting, so that a second call goes on where the first stopped and nothing is computed twice.

#include "support/table_report.hpp"
#include "support/table_work.hpp"

#include <persona/core/memory.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>

int main(int argc, char** argv) {
  persona::keep_freed_memory();
  const std::string toyland = PERSONA_SOURCE "/examples/toyland";
  std::string out, cells_folder, pictures;
  persona::LoadOptions load{.dtype = "bf16"};
  tables::Plan plan, asked;
  tables::Portion portion;
  std::pair<std::size_t, std::size_t> shares{1, 1};
  std::vector<std::string> taken;
  long threads = static_cast<long>(std::max(1u, std::thread::hardware_concurrency()));
  bool quick = false, report_only = false, redraw = false;
  CLI::App app("Scores Textual Inversion, Cross Initialization, BaTex and their rivals on the embedded model.");
  app.add_flag("--quick", quick, "one of each, two rates, few steps, one picture a prompt: minutes on two cores");
  app.add_flag("--report", report_only, "write the page from the results that there are");
  app.add_flag("--redraw", redraw,
               "train again what the page shows and has no picture of; its results stay as they are");
  app.add_option("--out", out, "folder of tables.html and tables.md (docs/tables; out/tables-quick with --quick)");
  app.add_option("--cells", cells_folder, "folder of results (OUT/cells)");
  app.add_option("--pictures", pictures, "folder of pictures, one row a result (out/tables/MODEL-DTYPE)");
  app.add_option("--people", asked.people, "people of the test split")->check(CLI::Range(1, 20));
  app.add_option("--things", asked.things, "animals and objects of the test split")->check(CLI::Range(1, 15));
  app.add_option("--long", asked.long_people, "people who are also trained for 5000 steps")->check(CLI::Range(0, 20));
  app.add_option("--threads", threads, "workers, one run each")->check(CLI::PositiveNumber);
  app.add_option("--dtype", load.dtype, "of UNet and autoencoder")->check(CLI::IsMember({"bf16", "fp32"}));
  app.add_option("--device", load.device, "cpu or cuda");
  app.add_option("--stage", portion.stages, "compute this stage of the plan alone; may be said more than once");
  const auto* share = app.add_option("--share", shares,
                                     "compute every N-th piece of work, from the I-th on: of N programs, or machines, "
                                     "that each have their own copy of the results' folder as it stands")
                          ->type_name("I N")
                          ->check(CLI::PositiveNumber);
  app.add_option("--take", taken, "take over another folder's results that this one lacks");
  CLI11_PARSE(app, argc, argv);
  try {
    if (shares.first > shares.second)
      throw persona::Error("--share", std::to_string(shares.first) + " of " + std::to_string(shares.second),
                           "say 1 3, 2 3 and 3 3 for three");
    if (share->count() > 0 && portion.stages.empty())
      throw persona::Error("--share", "later stages rest on all results of those before",
                           "name the --stage that is shared");
    if (report_only && !taken.empty())
      throw persona::Error("--take", "adds results, and --report adds none", "leave one of them out");
    if (report_only && redraw)
      throw persona::Error("--redraw", "trains and draws, and --report does neither", "leave one of them out");
    if (report_only && !portion.stages.empty())
      throw persona::Error("--stage", "is computed, and --report computes nothing", "leave one of them out");
    portion.share = shares.first, portion.shares = shares.second;
    if (quick) plan = tables::Plan::quick();
    if (app.count("--people")) plan.people = asked.people;
    if (app.count("--things")) plan.things = asked.things;
    if (app.count("--long")) plan.long_people = asked.long_people;
    if (out.empty()) out = quick ? "out/tables-quick" : PERSONA_SOURCE "/docs/tables";
    if (cells_folder.empty()) cells_folder = out + "/cells";
    if (report_only && !std::filesystem::is_directory(cells_folder))
      throw persona::Error("--cells " + cells_folder, "is not there, and --report computes nothing",
                           "name the folder of results");
    const auto held = report_only ? nullptr : tables::hold(cells_folder);
    const auto sd = persona::StableDiffusion::load(toyland + "/model", load);
    const auto names = persona::read_lines(toyland + "/names.txt");
    const auto model = tables::fingerprint(sd, names);
    if (pictures.empty()) pictures = (quick ? "out/tables-quick/" : "out/tables/") + model + "-" + load.dtype;
    const tables::Metrics metrics(sd);
    const tables::Training training;
    const tables::Drawing drawing{.images = plan.images, .steps = plan.drawing_steps};
    tables::Cells cells(cells_folder, tables::common(model, load, training, drawing));
    const auto studies = tables::Studies::read(plan);
    const auto page = [&] { return tables::report(cells, plan, studies, drawing, model, pictures); };
    for (const auto& other : taken) std::cout << other << ": " << cells.take(other) << " results taken over\n";
    tables::Workshop workshop{sd, metrics, names, cells, pictures, training, drawing};
    if (redraw) workshop.undrawn = page().absent();
    if (!report_only) tables::compute(workshop, plan, studies, threads, portion);
    if (share->count() > 0) return 0;  // the page is of all shares' results together
    page().save(out);
    std::cout << out << "/tables.html\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
